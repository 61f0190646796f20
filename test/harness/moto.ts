// Starts moto_server, a stand-in for many AWS services, on loopback. Looked up by CAIRN_TEST_MOTO, then on PATH.
// Everything it holds is in its memory. It checks neither signatures nor policies unless asked to.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { OutsideProgram } from "./outside-program.ts";
import { freePort } from "./versitygw.ts";

/** What a client of moto signs with: the account is `motoAccount` whatever the key. */
export const motoCredentials = { accessKeyId: "AKIAMOTOEXAMPLE00000", secretAccessKey: "moto-test-secret" };

/** Owner of everything in moto. */
export const motoAccount = "123456789012";

export const moto: OutsideProgram = {
  name: "moto_server (CAIRN_TEST_MOTO or on PATH)",
  present: () => spawnSync(motoPath(), ["--help"], { stdio: "ignore" }).status === 0,
};

export interface MotoServer {
  /** One endpoint for every service. */
  readonly url: string;
  /** Forgets every resource of every service. */
  reset(): Promise<void>;
  /** From now on a request needs the policies of an IAM user or role that allow it; `false` ends that. */
  enforcePolicies(isOn: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** A running server with nothing in it. */
export async function startMoto(): Promise<MotoServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(motoPath(), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  try {
    await untilAnswering(url, child);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    url,
    reset: () => post(`${url}/moto-api/reset`),
    // Moto counts down the requests that it does not check.
    enforcePolicies: (isOn) => post(`${url}/moto-api/reset-auth`, isOn ? "0" : "inf"),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function motoPath(): string {
  return process.env["CAIRN_TEST_MOTO"] || "moto_server";
}

async function post(url: string, body = ""): Promise<void> {
  const answer = await fetch(url, { method: "POST", body });
  if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${url}.`);
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt++) {
    try {
      await fetch(`${url}/moto-api/data.json`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`moto_server does not answer at ${url}.`);
}
