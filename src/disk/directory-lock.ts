// One process at a time owns a data directory. Must not: need a hand to clear a lock that a killed process left.
//
// Node has no flock, and a pid means nothing in another container that shares the volume. So the lock is a listening
// unix socket inside the directory: the kernel closes it with its process, however that ends, and a connect tells
// the living from the dead, also across containers of one machine. (Not across machines: a data directory on a
// network file system is the operator's own risk.)
//
// Layout: <directory>/.lock/claim-<pid>-<random>/live   one folder per process that wants the lock.
//
// Invariants:
// - a claim's name is unique (mkdtemp), so a socket that refused a connection once is dead for ever;
// - a socket is bound as `new` and renamed to `live` when it already listens: `live` is never seen half-made;
// - everybody first sets up its own claim and then looks at all others. Of two processes at least one sees the
//   other, so never both own the directory. (When both start in the same instant, both may be refused.)
// - only dead sockets are removed, and folders only when empty.
import { mkdir, mkdtemp, readdir, realpath, rename, rm, rmdir, symlink, unlink } from "node:fs/promises";
import { createHash } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface DirectoryLock {
  /** Gives the directory free. Releasing twice is harmless. */
  release(): Promise<void>;
}

// sockaddr_un holds 104 bytes with the final zero on macOS, 108 on Linux; older Node cuts a longer path silently.
const socketPathBytesMax = 100;
// File systems that know no sockets (FAT, some shared folders of virtual machines) answer bind with one of these.
const noSocketsHere = new Set(["ENOTSUP", "EOPNOTSUPP", "EPERM", "EINVAL", "ENOSYS"]);

/**
 * Locks `path` (made when missing) for this process until `release` or the end of the process.
 * Throws a plain Error that names the directory and the other process when one that lives holds it.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const directory = await realpath(path);
  try {
    return await lockWithin(join(directory, ".lock"), directory);
  } catch (error) {
    if (!noSocketsHere.has(codeOf(error))) throw error;
    // No sockets on this file system: one of the machine's temporary folder stands for the directory. It keeps
    // out processes that share that folder.
    const name = createHash("sha256").update(directory).digest("hex").slice(0, 32);
    return lockWithin(join(tmpdir(), `cairn-lock-${name}`), directory);
  }
}

async function lockWithin(folder: string, directory: string): Promise<DirectoryLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const claim = await mkdtemp(join(folder, `claim-${process.pid}-`));
  let server: Server | undefined;
  const release = async () => {
    await removeClaim(claim);
    if (server?.listening) await closed(server);
  };
  try {
    server = await listen(claim);
    await rename(join(claim, "new"), join(claim, "live"));
    await refuseBesideAnother({ folder, claim, directory });
  } catch (error) {
    await release();
    if (codeOf(error) === "ENOENT") {
      throw new Error(`Another Cairn process is just starting in ${directory}.`, { cause: error });
    }
    throw error;
  }
  return { release };
}

/** Looks at every other claim: a living one is the end, a dead one is cleared away. */
async function refuseBesideAnother(own: { folder: string; claim: string; directory: string }): Promise<void> {
  for (const name of await readdir(own.folder)) {
    const other = join(own.folder, name);
    if (other === own.claim || !name.startsWith("claim-")) continue;
    const state = await stateOf(join(other, "live"));
    if (state === "alive") {
      const pid = /^claim-(\d+)-/.exec(name)?.[1] ?? "unknown";
      throw new Error(
        `The data directory ${own.directory} is in use by another Cairn process (process id ${pid}, perhaps in ` +
          "another container). Stop it first, or give this one a data directory of its own.",
      );
    }
    if (state === "dead") await removeClaim(other);
    // Without a live socket its process died while it made its claim, or is still about to: then taking `new`
    // away makes its rename fail, and it gives up.
    else await removeUnfinishedClaim(other);
  }
}

async function removeClaim(claim: string): Promise<void> {
  await rm(join(claim, "live"), { force: true });
  await removeUnfinishedClaim(claim);
}

async function removeUnfinishedClaim(claim: string): Promise<void> {
  await ignoring(["ENOENT"], unlink(join(claim, "new")));
  // Not empty: in this moment it became a living claim, whose process will find ours.
  await ignoring(["ENOENT", "ENOTEMPTY", "EEXIST"], rmdir(claim));
}

function listen(claim: string): Promise<Server> {
  return throughShortPath(claim, (folder) => {
    const server = createServer((socket) => socket.destroy());
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path: join(folder, "new"), exclusive: true }, () => {
        server.removeListener("error", reject);
        server.on("error", () => server.unref());
        // The lock alone does not keep the process running.
        server.unref();
        resolve(server);
      });
    });
  });
}

/** Dead: nobody listens any more. Everything that is not certainly dead or absent counts as alive. */
async function stateOf(socketPath: string): Promise<"alive" | "dead" | "absent"> {
  const folder = join(socketPath, "..");
  return throughShortPath(folder, (short) => {
    return new Promise((resolve) => {
      const socket = connect({ path: join(short, "live") });
      const answer = (state: "alive" | "dead" | "absent") => {
        socket.destroy();
        resolve(state);
      };
      socket.once("connect", () => answer("alive"));
      socket.once("error", (error) => {
        const code = codeOf(error);
        answer(code === "ECONNREFUSED" ? "dead" : code === "ENOENT" ? "absent" : "alive");
      });
    });
  });
}

/** Runs `use` with `folder`, by way of a short symbolic link when a socket's path in it would be too long. */
async function throughShortPath<Result>(
  folder: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  if (Buffer.byteLength(join(folder, "live")) <= socketPathBytesMax) return use(folder);
  const base = Buffer.byteLength(tmpdir()) <= 64 ? tmpdir() : "/tmp";
  const temporary = await mkdtemp(join(base, "cairn-"));
  const link = join(temporary, "d");
  try {
    await symlink(folder, link);
    return await use(link);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

async function ignoring(codes: readonly string[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!codes.includes(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
