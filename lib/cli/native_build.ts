/**
 * Compiles the addon with node-gyp in a temporary copy of the sources and puts the binary where the loader looks
 * first. The copy leaves the package as it was if anything fails.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BackendError, ThalwegError } from "../errors.js";
import { loadNativeAddon } from "../runtime/native_addon.js";

const OUTPUT_LINES = 20;
/** The package ships none: its mere presence would make npm compile at every install. */
const BINDING_GYP = '{ "includes": ["native/thalweg.gypi"] }\n';
const BINARY = join("build", "Release", "thalweg.node");
/** Where node-gyp has the objects, on systems with make. */
const OBJECTS = join("build", "Release", "obj.target", "thalweg");

/** A compiler or another tool that the build needs is not installed: `ERR_MISSING_TOOL`. */
export class MissingToolError extends ThalwegError {
  constructor(message: string) {
    super("ERR_MISSING_TOOL", message);
  }
}

/**
 * Builds the binary into `build/Release` of `root`, and leaves what the compiler made of each source in the folder
 * `objects`, if one is named.
 *
 * @returns its path
 * @throws MissingToolError; BackendError if the sources do not compile, or the result does not load
 */
export async function buildNative(options: {
  root: string;
  objects?: string;
  isVerbose?: boolean;
}): Promise<string> {
  const { root, objects, isVerbose = false } = options;
  if (!existsSync(join(root, "native", "sources.txt"))) {
    throw new BackendError(`build: there are no native sources in ${root}`);
  }
  const compiler = findCompiler();
  const folder = mkdtempSync(join(tmpdir(), "thalweg-build-"));
  try {
    cpSync(join(root, "native"), join(folder, "native"), { recursive: true });
    writeFileSync(join(folder, "binding.gyp"), BINDING_GYP);
    await runNodeGyp(folder, compiler, isVerbose);
    const { addon, errors } = loadNativeAddon([join(folder, BINARY)]);
    if (addon === null) throw new BackendError(`build: the new binary does not load: ${errors[0].reason}`);
    const made = join(folder, OBJECTS);
    if (objects !== undefined && existsSync(made)) {
      rmSync(objects, { recursive: true, force: true });
      cpSync(made, objects, { recursive: true });
    }
    return install(join(folder, BINARY), join(root, BINARY));
  } finally {
    // Windows keeps a loaded binary open; what is left there is in the temporary folder.
    rmSync(folder, { recursive: true, force: process.platform === "win32" });
  }
}

/** The C++ compiler to use. Windows' is found by node-gyp alone. MissingToolError with all that is missing. */
function findCompiler(): string | null {
  if (process.platform === "win32") return null;
  const compilers = process.env.CXX ? [process.env.CXX] : ["g++", "c++", "clang++"];
  // Asked to compile, since a compiler may be installed without its parts.
  const compiler = compilers.find((name) =>
    runs(name, ["-x", "c++", "-fsyntax-only", "-"], "#include <vector>\n"),
  );
  const pythons = process.env.PYTHON ? [process.env.PYTHON] : ["python3", "python"];
  const missing = [
    ...(compiler ? [] : [`a C++ compiler (${compilers.join(", ")})`]),
    ...(runs(process.env.MAKE ?? "make", ["--version"]) ? [] : ["make"]),
    ...(pythons.some((name) => runs(name, ["--version"])) ? [] : ["Python 3"]),
  ];
  if (compiler !== undefined && missing.length === 0) return compiler;
  throw new MissingToolError(`the native executor cannot be compiled; not found: ${missing.join(", ")}`);
}

const runs = (command: string, args: string[], input?: string): boolean =>
  spawnSync(command, args, { input, stdio: ["pipe", "ignore", "ignore"] }).status === 0;

async function runNodeGyp(cwd: string, compiler: string | null, isVerbose: boolean): Promise<void> {
  const [command, ...args] = nodeGyp();
  args.push("rebuild", "--jobs=max");
  // With the headers at hand, nothing needs to be downloaded.
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, "include", "node", "node_api.h"))) args.push(`--nodedir=${prefix}`);
  const env = compiler === null ? process.env : { ...process.env, CXX: compiler };
  const { code, output } = await run(command, args, { cwd, env }, isVerbose);
  if (code === 0) return;
  const end = output.trimEnd().split("\n").slice(-OUTPUT_LINES).join("\n");
  throw new BackendError(`build: node-gyp failed${isVerbose ? "" : `:\n${end}`}`);
}

/** node-gyp of this installation, or npm's own, or one that npx installs. */
function nodeGyp(): string[] {
  try {
    return [process.execPath, createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js")];
  } catch {
    const { npm_config_node_gyp: bundled } = process.env;
    return bundled ? [process.execPath, bundled] : ["npx", "--yes", "node-gyp"];
  }
}

function run(
  command: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
  isVerbose: boolean,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...options,
      stdio: ["ignore", isVerbose ? "inherit" : "pipe", isVerbose ? "inherit" : "pipe"],
      shell: process.platform === "win32" && command === "npx",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", (cause) =>
      reject(new BackendError(`build: ${command} did not start: ${cause.message}`, { cause })),
    );
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Copies under another name first: a process that has the old binary loaded keeps it. */
function install(from: string, to: string): string {
  mkdirSync(dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}.tmp`;
  copyFileSync(from, temporary);
  renameSync(temporary, to);
  return to;
}
