// Compiles a small addon of the benchmark with the system's C++ compiler when it is first needed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "build-bench");
const HEADERS = join(ROOT, "node_modules", "node-api-headers", "include");
// Made and run on one machine only, so it may use all that this machine has.
const FLAGS = [
  "-std=gnu++17",
  "-O3",
  "-march=native",
  "-ffp-contract=fast",
  "-shared",
  "-fPIC",
  "-pthread",
  "-DNAPI_VERSION=8",
];

/** Loads the addon made of one source file, compiled again if the source is newer. Throws if there is no compiler. */
export function loadAddon(source) {
  const require = createRequire(import.meta.url);
  const output = join(FOLDER, `${basename(source, ".cc")}.node`);
  if (!existsSync(output) || statSync(output).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(FOLDER, { recursive: true });
    const compiler = process.env.CXX ?? "g++";
    const args = [...FLAGS, "-I", HEADERS, source, "-o", output, "-ldl"];
    const { status, error, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${compiler} could not compile ${source}: ${error?.message ?? stderr}`);
  }
  return require(output);
}
