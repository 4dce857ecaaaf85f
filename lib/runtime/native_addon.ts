/**
 * Finds and loads the native executor's binary for this platform, architecture and C library, and remembers why
 * each candidate that did not load was refused. Knows no kernel.
 */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TABLE_VERSION } from "./table.js";
import type { TypedArray } from "./types.js";

/** What a compiled program is on this side of Node-API: an opaque handle. */
export type ProgramHandle = { readonly __program: unique symbol };

/** The whole surface of the addon (native/addon.cc). */
export interface NativeAddon {
  info(): { version: number; kernels: string[]; levels: string[]; compiler: string };
  configure(options: { isa?: string; threads?: number; yields?: boolean }): { isa: string; threads: number };
  run(words: Float64Array, count: number, ...buffers: TypedArray[]): void;
  create(
    words: Float64Array,
    count: number,
    buffers: readonly TypedArray[],
    rebound?: Int32Array,
    patched?: Int32Array,
  ): ProgramHandle;
  execute(handle: ProgramHandle, scalars?: Float64Array, ...buffers: TypedArray[]): void;
  /** Handle, steps, scalars, buffers and strides of each segment follow. */
  start(
    callback: (error: Error | undefined, completed: number) => void,
    control: Int32Array,
    ...segments: (ProgramHandle | number | Float64Array | readonly TypedArray[])[]
  ): void;
  lineOffset(array: TypedArray): number;
}

/** A binary that was tried and refused. */
export interface LoadError {
  path: string;
  reason: string;
}

export interface LoadResult {
  addon: NativeAddon | null;
  path: string | null;
  errors: LoadError[];
}

/** Root of the package: two folders above this file, in `lib/` as in `dist/`. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** `glibc` or `musl` on Linux, the empty string elsewhere. */
export function libcFamily(): string {
  if (process.platform !== "linux") return "";
  const header = (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)
    ?.header;
  return header?.glibcVersionRuntime ? "glibc" : "musl";
}

/**
 * The binaries that could serve here, best first: the one `THALWEG_BINARY` names and no other, or else the one
 * built in place, then the prebuilt ones whose C library tag (`thalweg.glibc.node`) is ours or missing.
 */
export function binaryCandidates(root: string = PACKAGE_ROOT, libc: string = libcFamily()): string[] {
  if (process.env.THALWEG_BINARY) return [process.env.THALWEG_BINARY];
  const candidates = [join(root, "build", "Release", "thalweg.node")].filter((path) => existsSync(path));
  const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
  if (existsSync(folder)) {
    const files = readdirSync(folder).filter((name) => name.endsWith(".node"));
    const fits = files.filter((name) => !/\.(glibc|musl)\./.test(name) || name.includes(`.${libc}.`));
    candidates.push(...fits.sort().map((name) => join(folder, name)));
  }
  return candidates;
}

/** Loads the first candidate that has our kernel table; collects the reason for each one that does not serve. */
export function loadNativeAddon(candidates: string[] = binaryCandidates()): LoadResult {
  const require = createRequire(import.meta.url);
  const errors: LoadError[] = [];
  for (const path of candidates) {
    try {
      const addon = require(path) as NativeAddon;
      const version = addon.info?.().version;
      if (version === TABLE_VERSION) return { addon, path, errors };
      errors.push({
        path,
        reason:
          `its kernel table has version ${hex(version)}, this package needs ${hex(TABLE_VERSION)}: ` +
          "it was built from other sources; build it again (npm run build in the repository, npx thalweg build elsewhere)",
      });
    } catch (error) {
      // The first line says why; the rest is the list of modules that asked.
      errors.push({ path, reason: (error instanceof Error ? error.message : String(error)).split("\n")[0] });
    }
  }
  return { addon: null, path: null, errors };
}

const hex = (version: unknown): string =>
  typeof version === "number" ? `0x${version.toString(16).padStart(8, "0")}` : String(version);
