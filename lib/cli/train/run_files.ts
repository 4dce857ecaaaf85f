/** The files of a run: where they are, and writing them whole. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ThalwegError } from "../../errors.js";
import { writeFileAtomicSync } from "../../io/atomic.js";
import type { EpochMetrics } from "./record.js";

/** Paths in the folder of a run. */
export interface RunFiles {
  metrics: string;
  model: string;
  checkpoint: string;
  report: string;
}

/** The files of the run in `out`. */
export const runFiles = (out: string): RunFiles => ({
  metrics: join(out, "metrics.jsonl"),
  model: join(out, "model.safetensors"),
  checkpoint: join(out, "checkpoint"),
  report: join(out, "report.html"),
});

/** Makes the folder of a run if it is not there, and removes what a killed process left half written in it. */
export function prepareFolder(out: string): void {
  try {
    makeFolder(resolve(out));
    const names = Object.values(runFiles("")).map((name) => `.${name}.`);
    for (const file of readdirSync(out)) {
      if (file.endsWith(".tmp") && names.some((name) => file.startsWith(name))) rmSync(join(out, file));
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ThalwegError("ERR_WRITE", `--out ${out} cannot be used as a folder: ${reason}`, {
      cause: error,
    });
  }
}

/** Removes the results of an earlier run in the folder: they do not belong to the one that begins. */
export function removeResults(out: string): void {
  const { metrics, model, report } = runFiles(out);
  for (const path of [metrics, model, report]) rmSync(path, { force: true });
}

/** As `mkdir -p`; Node's own recursion never ends where a file system answers ENOENT for a folder it refuses. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** Writes one line for each finished epoch. Whole each time: after a resume, no line is there twice. */
export function writeMetrics(path: string, history: readonly EpochMetrics[]): void {
  writeFileAtomicSync(path, history.map((metrics) => `${JSON.stringify(metrics)}\n`).join(""));
}
