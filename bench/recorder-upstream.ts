// The service behind the recorder in its bench: answers at once with as many bytes as the path says. A process of its own.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const bodies = new Map<string, Buffer>();

const server = createServer((incoming, outgoing) => {
  const size = /\/(\d+)$/.exec(incoming.url ?? "")?.[1] ?? "0";
  let body = bodies.get(size);
  if (!body) bodies.set(size, (body = Buffer.alloc(Number(size), "x")));
  const answer = body;
  incoming.resume().on("end", () => {
    outgoing.writeHead(200, { "Content-Length": answer.length, "x-amz-request-id": "BENCH" });
    outgoing.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
