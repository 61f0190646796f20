// Which headers go on, and that a proxy's own duties do not change what was signed.
import { array, assert, property, string, stringMatching, tuple } from "fast-check";
import { expect, test } from "vitest";
import { headersToClient, headersToService } from "./passed-headers.ts";

const to = (method: string, rawHeaders: string[]) =>
  headersToService({ method, rawHeaders, host: "upstream:1", via: "1.1 cairn-x" }).join("|");

test.each([
  ["GET", ["Host", "a"], "Host|a|Via|1.1 cairn-x"],
  ["GET", [], "Host|upstream:1|Via|1.1 cairn-x"],
  ["POST", ["host", "a"], "host|a|Content-Length|0|Via|1.1 cairn-x"],
  ["PUT", ["Host", "a", "Transfer-Encoding", "chunked"], "Host|a|Transfer-Encoding|chunked|Via|1.1 cairn-x"],
  [
    "GET",
    ["Host", "a", "via", "1.0 p", "Upgrade", "h2c", "Proxy-Connection", "close"],
    "Host|a|via|1.0 p|Via|1.1 cairn-x",
  ],
  [
    "GET",
    ["Host", "a", "Connection", "close, X-Gone ,x-amz-date", "x-gone", "1", "X-Amz-Date", "2"],
    "Host|a|X-Amz-Date|2|Via|1.1 cairn-x",
  ],
])("to the service: %s %j", (method, raw, wanted) => {
  expect(to(method, raw)).toBe(wanted);
});

const back = (rawHeaders: string[], httpVersion = "1.1", isLast = false) =>
  headersToClient({ rawHeaders, httpVersion, isLast }).join("|");

test("to the client", () => {
  expect(back(["A", "1", "Connection", "close", "Keep-Alive", "timeout=5"])).toBe("A|1");
  expect(back(["Transfer-Encoding", "chunked", "Trailer", "x"])).toBe("Transfer-Encoding|chunked|Trailer|x");
  expect(back(["Transfer-Encoding", "chunked", "Trailer", "x"], "1.0")).toBe("");
  expect(back(["Content-Length", "1", "Trailer", "x"])).toBe("Content-Length|1");
  expect(back(["A", "1"], "1.1", true)).toBe("A|1|Connection|close");
});

test("everything else stays, in its order", () => {
  const name = stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/).filter(
    (text) => !/^(connection|keep-alive|upgrade|via)$/i.test(text),
  );
  const pairs = array(tuple(name, string()), { maxLength: 12 });
  assert(
    property(pairs, (list) => {
      const raw = ["Host", "a", "Content-Length", "0", ...list.flat()];
      const passed = headersToService({ method: "PUT", rawHeaders: raw, host: "u", via: "v" });
      expect(passed).toEqual([...raw, "Via", "v"]);
    }),
  );
});
