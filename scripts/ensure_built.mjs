// Installs and builds what is missing or out of date: node_modules, dist/ and the native binary. Uses nothing but
// Node, since it runs before anything is installed. Without a C++ compiler it warns once and goes on: then the
// TypeScript executor runs.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LOCK = join(ROOT, "package-lock.json");
const INSTALLED = join(ROOT, "node_modules", ".package-lock.json");
const BINARY = join(ROOT, "build", "Release", "thalweg.node");
/** What the native tests are linked with, instead of compiling the same sources again. */
export const OBJECTS = join(ROOT, "build", "Release", "obj.target", "thalweg");
const OLDEST_NODE = [20, 19];

/** Brings everything up to date. Ends the process, with a message, if that is not possible. */
export async function ensureBuilt() {
  checkNode();
  if (isOlder(INSTALLED, [LOCK])) installPackages();
  if (isOlder(join(ROOT, "dist", "index.js"), ["lib", "tsconfig.json", "tsconfig.build.json"])) {
    // On an error nothing is written, so that the next run finds dist/ out of date again.
    const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    run(process.execPath, [compiler, "-p", "tsconfig.build.json", "--noEmitOnError"], "compiling TypeScript");
  }
  if (isOlder(BINARY, ["native", "binding.gyp"])) await buildNative();
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  stop(`this needs Node ${OLDEST_NODE.join(".")} or newer; here it is ${process.versions.node}`);
}

function installPackages() {
  // `npm ci` wants the lock file to match; where it does not, or the lock file names what cannot be had, the plain
  // install may still work.
  if (
    !npm(["ci"], "installing packages") &&
    !npm(["install"], "installing packages again, without the lock file")
  ) {
    stop("the packages could not be installed; see npm's messages above");
  }
  utimesSync(INSTALLED, new Date(), new Date());
}

async function buildNative() {
  const { buildNative } = await import("../dist/cli/native_build.js");
  say("compiling the native executor (about a minute)");
  try {
    await buildNative({ root: ROOT, objects: OBJECTS });
  } catch (error) {
    if (error.code !== "ERR_MISSING_TOOL") stop(error.message);
    // One warning is enough: the loader's would say the same again.
    if (!existsSync(BINARY)) process.env.THALWEG_BACKEND ??= "ts";
    console.error(
      `warning: ${error.message}; the TypeScript executor runs instead, many times slower. ` +
        "Install what is missing and run `npm run build` for the native one.",
    );
  }
}

/** Whether a file is missing, or older than anything in the given files and folders. */
export function isOlder(path, sources) {
  if (!existsSync(path)) return true;
  const { mtimeMs } = statSync(path);
  return sources.some((source) => newest(join(ROOT, source)) > mtimeMs);
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function npm(args, what) {
  say(what);
  const { npm_execpath: cli } = process.env;
  const [command, first] = cli?.endsWith(".js") ? [process.execPath, [cli]] : ["npm", []];
  const shell = process.platform === "win32" && command === "npm";
  return spawnSync(command, [...first, ...args], { cwd: ROOT, stdio: "inherit", shell }).status === 0;
}

function run(command, args, what) {
  say(what);
  if (spawnSync(command, args, { cwd: ROOT, stdio: "inherit" }).status !== 0) stop(`${what} failed`);
}

const say = (what) => console.error(`> ${what}`);

function stop(message) {
  console.error(message);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureBuilt();
