// Makes a fresh clone ready: installs and builds, each skipped when it is already done. Plain Node, no packages.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Installs unless node_modules was made from the present lock file, then builds unless dist is up to date. */
export function setUp() {
  checkNodeVersion();
  once(
    "installed",
    () => hashOf(["package-lock.json"]),
    "node_modules",
    () =>
      // `npm ci` refuses a lock file that lacks the optional packages of other platforms, which not every registry
      // mirror has; `install --no-save` takes the locked versions all the same and leaves the lock file alone.
      // A server is often started where NODE_ENV=production is set; the build needs the development packages.
      run(
        "npm",
        ["install", "--no-save", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
        "Installing the packages",
      ),
  );
  once(
    "scanner",
    () => hashOf(["package-lock.json", "tools/setup.mjs", ...sources(scannerFolder)]),
    scannerCode,
    compileScanner,
  );
  once(
    "service-tables",
    () => hashOf(["package-lock.json", "tools/generate-service-tables.mjs"]),
    serviceTables,
    makeServiceTables,
  );
  once(
    "deflate",
    () => hashOf(["package-lock.json", "tools/setup.mjs", threadSource, ...sources(encoderFolder)]),
    deflateCode,
    compileDeflate,
  );
  once(
    "packer",
    () => hashOf(["package-lock.json", "tools/setup.mjs", ...sources(packerFolder)]),
    packerCode,
    compilePacker,
  );
  once(
    "disk-thread",
    () => hashOf(["package-lock.json", "tools/setup.mjs", stepThreadSource]),
    stepCode,
    compileStepThread,
  );
  once(
    "reading-thread",
    () => hashOf(["package-lock.json", "tools/setup.mjs", readThreadSource]),
    readCode,
    compileReadThread,
  );
  once(
    "built",
    () => hashOf([...buildFiles, ...sources("src")]),
    "dist",
    () => {
      rmSync(join(root, "dist"), { recursive: true, force: true });
      run(
        process.execPath,
        [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"],
        "Building",
      );
      // Of all modules only the client is for others; it brings its types.
      run(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.client.json"]);
    },
  );
}

const buildFiles = ["package-lock.json", "tsconfig.json", "tsconfig.build.json", "tsconfig.client.json"];
const serviceTables = join("src", "recorder", "generated");

/** What the recorder knows of other services, from the vendor's models: modules of source, like the scanner. */
function makeServiceTables() {
  console.error("Making the tables of services …");
  run(process.execPath, [join("tools", "generate-service-tables.mjs"), serviceTables]);
}

const scannerFolder = join("src", "event", "assembly");
const scannerCode = join("src", "event", "generated", "scanner-code.ts");
const encoderFolder = join("src", "delivery", "assembly");
const threadSource = join("src", "delivery", "deflate-thread.ts");
const deflateCode = join("src", "delivery", "generated", "deflate-code.ts");
const packerFolder = join("src", "history", "assembly");
const packerCode = join("src", "history", "generated", "packer-code.ts");
const stepThreadSource = join("src", "disk", "step-thread.ts");
const stepCode = join("src", "disk", "generated", "step-code.ts");
const readThreadSource = join("src", "disk", "read-thread.ts");
const readCode = join("src", "disk", "generated", "read-code.ts");

/**
 * The scanner is AssemblyScript, compiled to WebAssembly that imports nothing. Its bytes become a module of source, so
 * that tests which run from the sources, and a package that has only dist, find them without reading a file.
 */
function compileScanner() {
  const entry = join(scannerFolder, "scanner.ts");
  const code = compileAssembly(entry, { pages: 46, what: "Compiling the scanner" });
  writeGenerated(scannerCode, "the scanner's WebAssembly", { scannerCode: code });
}

/** The encoder in the same way, and what runs in its threads, which a thread is started from without a file too. */
function compileDeflate() {
  const entry = join(encoderFolder, "deflate.ts");
  const encoderCode = compileAssembly(entry, { pages: 48, what: "Compiling the deflate encoder" });
  writeGenerated(deflateCode, "the encoder's WebAssembly and its thread's JavaScript", {
    encoderCode,
    threadCode: compileThread(threadSource, "Compiling the deflating thread"),
  });
}

function compileStepThread() {
  writeGenerated(stepCode, "the JavaScript of the disk's threads", {
    threadCode: compileThread(stepThreadSource, "Compiling the disk's thread"),
  });
}

function compileReadThread() {
  writeGenerated(readCode, "the JavaScript of the reading threads", {
    threadCode: compileThread(readThreadSource, "Compiling the reading thread"),
  });
}

/** JavaScript in base64 of a module that imports nothing but Node's own. */
function compileThread(source, what) {
  const folder = join("node_modules", ".cairn-threads");
  const compiler = join("node_modules", "typescript", "bin", "tsc");
  const options =
    "--ignoreConfig --module node20 --target es2023 --types node --skipLibCheck --removeComments --rewriteRelativeImportExtensions --rootDir src";
  run(process.execPath, [compiler, source, ...options.split(" "), "--outDir", folder], what);
  const compiled = join(root, folder, relative("src", source).replace(/\.ts$/, ".js"));
  return readFileSync(compiled).toString("base64");
}

/** The packer of the event history in the same way. */
function compilePacker() {
  const entry = join(packerFolder, "packer.ts");
  const code = compileAssembly(entry, { pages: 36, what: "Compiling the packer" });
  writeGenerated(packerCode, "the packer's WebAssembly", { packerCode: code });
}

/** AssemblyScript to WebAssembly in base64. No allocator, no garbage collector; the memory (memory-map.ts) never grows. */
function compileAssembly(entry, { pages, what }) {
  const wasm = join("node_modules", ".cairn-compiled.wasm");
  const memory = ["--initialMemory", String(pages), "--maximumMemory", String(pages)];
  run(
    process.execPath,
    [
      join("node_modules", "assemblyscript", "bin", "asc.js"),
      ...[entry, "--outFile", wasm, "-O3", "--noAssert", "--enable", "simd"],
      ...["--runtime", "stub", "--use", "abort=", ...memory],
    ],
    what,
  );
  return readFileSync(join(root, wasm)).toString("base64");
}

function writeGenerated(file, what, codes) {
  const lines = Object.entries(codes).map(([name, code]) => `export const ${name} =\n  "${code}";\n`);
  mkdirSync(join(root, file, ".."), { recursive: true });
  writeFileSync(join(root, file), `// Made by tools/setup.mjs: ${what}, in base64.\n${lines.join("")}`);
}

function checkNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Cairn needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Does `work` unless the mark left by the last time still equals `mark()` and `product` exists. */
function once(name, mark, product, work) {
  const file = join(root, "node_modules", `.cairn-${name}`);
  const wanted = mark();
  if (existsSync(join(root, product)) && existsSync(file) && readFileSync(file, "utf8") === wanted) return;
  work();
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(file, wanted);
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}

function sources(folder) {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(join(root, path)).isDirectory()) return sources(path);
      return name.endsWith(".ts") && !name.includes(".test") ? [path] : [];
    });
}

/** Runs a command to its end with its output shown; ends this process when it fails. */
export function run(command, args, what) {
  if (what) console.error(`${what} …`);
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (done.status === 0) return;
  console.error(`${what ?? command} failed${done.error ? `: ${done.error.message}` : ""}.`);
  process.exit(done.status ?? 1);
}
