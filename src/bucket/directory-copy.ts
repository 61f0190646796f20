// Copies an object on disk: what is read of the open source is written aside, digested on the way, and put in place.
import type { Clock } from "../model/environment.ts";
import { openContentDigest, type ContentDigest } from "./content-digest.ts";
import type { DirectoryWriter } from "./directory-writer.ts";
import type { DurableFiles } from "./durable-files.ts";
import type { CopyRequest, StoredObject } from "./object-contract.ts";
import { wholeRange } from "./open-object.ts";

export interface CopyParts {
  readonly clock: Clock;
  readonly files: DurableFiles;
  readonly writer: DirectoryWriter;
}

/** Throws BucketError when a condition does not hold. The copy's ETag is the MD5 of its content, however the source came. */
export async function copyInDirectory(request: CopyRequest, parts: CopyParts): Promise<StoredObject> {
  const { source, bucket, key, metadata, tags, otherHeaders, checksumAlgorithm, ifAbsent, ifMatch } = request;
  const digest = await openContentDigest(checksumAlgorithm);
  const pieces = source.pieces(wholeRange(source.head.sizeBytes));
  const temporary = await parts.files.writeTemporary(digested(pieces, digest));
  const { md5Hex, sizeBytes, checksum } = await digest.finish();
  const description = {
    ...{ etag: md5Hex, sizeBytes, lastModifiedMs: parts.clock.nowMs(), metadata },
    ...(tags && { tags }),
    ...(otherHeaders && { otherHeaders }),
    ...(checksumAlgorithm &&
      checksum !== undefined && {
        checksum: { algorithm: checksumAlgorithm, type: "FULL_OBJECT" as const, value: checksum },
      }),
  };
  await parts.writer.place({
    ...{ bucket, key, temporary, description },
    ...(ifAbsent && { ifAbsent }),
    ...(ifMatch !== undefined && { ifMatch }),
  });
  return { key, ...description };
}

/** The same pieces, each digested as it passes. */
export async function* digested(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  digest: ContentDigest,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    digest.update(piece);
    yield piece;
  }
}
