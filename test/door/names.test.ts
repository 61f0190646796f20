// Which names a request may call the server by, over a real listener.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Running, send, startDoor } from "./door-fixture.ts";

let running: Running;
beforeAll(async () => {
  running = await startDoor();
});
afterAll(() => running.close());

test.each([
  ["localhost:4577", 200],
  ["LOCALHOST", 200],
  ["127.0.0.1:1", 200],
  ["127.8.9.1", 200],
  ["[::1]:4577", 200],
  ["cloudtrail.us-east-1.localhost:4577", 200],
  ["localhost.:4577", 200],
  ["cairn.example.com", 200],
  ["CAIRN.example.com:443", 200],
  ["a.b.inner.example.com", 200],
  ["inner.example.com", 403],
  ["evil.example.com", 403],
  ["cairn.example.com.evil.com", 403],
  ["localhost.evil.com", 403],
  ["notlocalhost", 403],
  ["127.0.0.1.evil.com", 403],
  ["127.0.0.1@evil.com", 403],
  ["10.0.0.1", 403],
  ["[fe80::1]", 403],
  ["a b", 403],
])("Host: %s → %i", async (host, status) => {
  const reply = await send(running.port, { target: "/healthz", headers: { host } });
  expect(reply.status).toBe(status);
  if (status === 403) expect(reply.json()["message"]).toMatch(/^The Host header names .*setting hosts/);
});

test.each([
  ["http://localhost:4577", 200],
  ["https://cairn.example.com", 200],
  ["http://[::1]:3000", 200],
  ["https://evil.example.com", 403],
  ["http://localhost.evil.com", 403],
  ["null", 403],
  ["file://", 403],
  ["http://localhost@evil.com", 403],
])("Origin: %s → %i", async (origin, status) => {
  const reply = await send(running.port, {
    method: "POST",
    target: "/events",
    headers: { host: "localhost", origin },
    body: "[]",
  });
  expect(reply.status).toBe(status);
  if (status === 403) expect(reply.json()["message"]).toMatch(/^The Origin header names .*setting hosts/);
  expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
});

test("a foreign name is refused before a body is read or an intake asked", async () => {
  running.world.batches.length = 0;
  await send(running.port, { method: "POST", target: "/events", headers: { host: "evil.com" }, body: "[]" });
  expect(running.world.batches).toEqual([]);
});
