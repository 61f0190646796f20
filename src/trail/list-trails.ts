// ListTrails (api.md §4.6): the trails DescribeTrails shows, in pages.
import { Buffer } from "node:buffer";
import type { Call } from "../model/call.ts";
import { apiError } from "../model/errors.ts";
import type { Handler } from "../model/operations.ts";
import { isShadow, visibleTrails } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";
import type { Trail } from "./trail.ts";

const pageSize = 100;

export function listTrails(context: TrailContext): Handler<"ListTrails"> {
  return async (input, call) => {
    const all = visibleTrails(context, call);
    const after = input.NextToken === undefined ? undefined : readToken(input.NextToken, call);
    const rest =
      after === undefined ? all : all.filter((trail) => comesAfter(placeInList(trail, call), after));
    const page = rest.slice(0, pageSize);
    const last = page.at(-1);
    return {
      Trails: page.map(({ arn, name, homeRegion }) => ({
        TrailARN: arn,
        Name: name,
        HomeRegion: homeRegion,
      })),
      ...(last && rest.length > page.length && { NextToken: writeToken(placeInList(last, call), call) }),
    };
  };
}

/** Home trails before shadows, each by creation: a place that stays right while trails come and go. */
interface PlaceInList {
  readonly group: 0 | 1;
  readonly createdMs: number;
}

function placeInList(trail: Trail, call: Call): PlaceInList {
  return { group: isShadow(trail, call) ? 1 : 0, createdMs: trail.createdMs };
}

function comesAfter(place: PlaceInList, other: PlaceInList): boolean {
  return place.group === other.group ? place.createdMs > other.createdMs : place.group > other.group;
}

function writeToken(place: PlaceInList, call: Call): string {
  const text = `1/${call.caller.accountId}/${call.region}/${place.group}/${place.createdMs}`;
  return Buffer.from(text).toString("base64url");
}

/** Throws ValidationException for what is no token of this account and Region: the operation has no error of its own. */
function readToken(token: string, call: Call): PlaceInList {
  const [version, account, region, group, created, ...more] = Buffer.from(token, "base64url")
    .toString()
    .split("/");
  const isOurs =
    version === "1" &&
    account === call.caller.accountId &&
    region === call.region &&
    (group === "0" || group === "1") &&
    /^\d{1,15}$/.test(created ?? "") &&
    more.length === 0;
  if (!isOurs) {
    throw apiError("ValidationException.constraint", {
      value: token.slice(0, 1000),
      field: "nextToken",
      constraint: "Member must be a token that ListTrails returned",
    });
  }
  return { group: group === "1" ? 1 : 0, createdMs: Number(created) };
}
