// The operations of the trail resource and of the keys that vouch for its digests, by name.
import type { Operations } from "../model/operations.ts";
import { addTags } from "./add-tags.ts";
import { createTrail } from "./create-trail.ts";
import { deleteTrail } from "./delete-trail.ts";
import { describeTrails } from "./describe-trails.ts";
import { getEventSelectors } from "./get-event-selectors.ts";
import { getInsightSelectors } from "./get-insight-selectors.ts";
import { getTrail } from "./get-trail.ts";
import { getTrailStatus } from "./get-trail-status.ts";
import { listPublicKeys } from "./list-public-keys.ts";
import { listTags } from "./list-tags.ts";
import { listTrails } from "./list-trails.ts";
import type { TrailPorts } from "./ports.ts";
import { putEventSelectors } from "./put-event-selectors.ts";
import { putInsightSelectors } from "./put-insight-selectors.ts";
import { removeTags } from "./remove-tags.ts";
import { startLogging } from "./start-logging.ts";
import { stopLogging } from "./stop-logging.ts";
import type { TrailRegistry } from "./trail-registry.ts";
import { updateTrail } from "./update-trail.ts";

type TrailOperationName =
  | "AddTags"
  | "CreateTrail"
  | "DeleteTrail"
  | "DescribeTrails"
  | "GetEventSelectors"
  | "GetInsightSelectors"
  | "GetTrail"
  | "GetTrailStatus"
  | "ListPublicKeys"
  | "ListTags"
  | "ListTrails"
  | "PutEventSelectors"
  | "PutInsightSelectors"
  | "RemoveTags"
  | "StartLogging"
  | "StopLogging"
  | "UpdateTrail";

export type TrailOperations = Pick<Operations, TrailOperationName>;

/** Takes the registry opened on the same ports; gives one handler per operation, for the door's map. */
export function createTrailOperations(registry: TrailRegistry, ports: TrailPorts): TrailOperations {
  const context = { registry, ports };
  return {
    AddTags: addTags(context),
    CreateTrail: createTrail(context),
    DeleteTrail: deleteTrail(context),
    DescribeTrails: describeTrails(context),
    GetEventSelectors: getEventSelectors(context),
    GetInsightSelectors: getInsightSelectors(context),
    GetTrail: getTrail(context),
    GetTrailStatus: getTrailStatus(context),
    ListPublicKeys: listPublicKeys(context),
    ListTags: listTags(context),
    ListTrails: listTrails(context),
    PutEventSelectors: putEventSelectors(context),
    PutInsightSelectors: putInsightSelectors(context),
    RemoveTags: removeTags(context),
    StartLogging: startLogging(context),
    StopLogging: stopLogging(context),
    UpdateTrail: updateTrail(context),
  };
}
