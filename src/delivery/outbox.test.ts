// The outbox over a disk that forgets: what was promised is there, what is not whole is found out.
import { beforeEach, expect, test } from "vitest";
import { SimulatedDisk } from "../../test/sim/simulated-disk.ts";
import { Outbox } from "./outbox.ts";

const bytes = Buffer.from("a composed file");
let disk: SimulatedDisk;
let outbox: Outbox;
beforeEach(async () => {
  disk = new SimulatedDisk({ seed: 4 });
  outbox = new Outbox(disk, "/outbox");
  await outbox.open(() => true);
});

test("a written file survives a crash that forgets everything unsynced", async () => {
  const file = await outbox.write("0-1-0", bytes);
  const after = new Outbox(disk.crash({ keepBytes: () => 0, keepName: () => false }), "/outbox");
  expect(await after.open((id) => id === "0-1-0")).toBe(0);
  const read = await after.read("0-1-0", file);
  expect(read === "damaged" ? read : Buffer.from(read)).toEqual(bytes);
});

test("a file may be written again under its name", async () => {
  await outbox.write("0-1-0", Buffer.from("other"));
  const file = await outbox.write("0-1-0", bytes);
  expect(await outbox.read("0-1-0", file)).not.toBe("damaged");
});

test.each([
  ["shorter", (old: Uint8Array) => old.slice(1)],
  ["changed", (old: Uint8Array) => old.map((byte, at) => (at === 3 ? byte ^ 1 : byte))],
])("a file that is %s is damaged", async (_name, change) => {
  const file = await outbox.write("0-1-0", bytes);
  disk.damage("/outbox/0-1-0", change);
  expect(await outbox.read("0-1-0", file)).toBe("damaged");
});

test("a missing file is damaged; a disk that fails is an error", async () => {
  const file = await outbox.write("0-1-0", bytes);
  expect(await outbox.read("0-1-1", file)).toBe("damaged");
  disk.failCall(1, "before");
  await expect(outbox.read("0-1-0", file)).rejects.toThrow("simulated failure");
});

test("opening removes what no plan claims, half-written files among them", async () => {
  await outbox.write("0-1-0", bytes);
  await outbox.write("0-1-1", bytes);
  disk.failCall(4, "partial");
  await expect(outbox.write("0-1-2", bytes)).rejects.toThrow("simulated failure");
  expect(disk.files().length).toBe(3);
  expect(await outbox.open((id) => id === "0-1-1")).toBe(2);
  expect(disk.files()).toEqual(["/outbox/0-1-1"]);
});
