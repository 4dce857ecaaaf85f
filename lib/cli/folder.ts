/** The folder that a command writes to. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ThalwegError } from "../errors.js";

/**
 * Makes the folder of `--out` if it is not there, and removes what a killed process left half written of the files
 * `names` in it. ThalwegError `ERR_WRITE` for what cannot be a folder.
 */
export function prepareFolder(out: string, names: readonly string[]): void {
  try {
    makeFolder(resolve(out));
    for (const file of readdirSync(out)) {
      if (file.endsWith(".tmp") && names.some((name) => file.startsWith(`.${name}.`))) {
        rmSync(join(out, file));
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ThalwegError("ERR_WRITE", `--out ${out} cannot be used as a folder: ${reason}`, {
      cause: error,
    });
  }
}

/** As `mkdir -p`; Node's own recursion never ends where a file system answers ENOENT for a folder it refuses. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}
