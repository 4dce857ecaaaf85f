/** The files of a run: where they are, and writing them whole. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
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

/** Makes the folder, and removes results of an earlier run in it: they do not belong to the one that begins. */
export function prepareFolder(out: string): void {
  const { metrics, model, report } = runFiles(out);
  try {
    mkdirSync(out, { recursive: true });
    for (const path of [metrics, model, report]) rmSync(path, { force: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ThalwegError("ERR_WRITE", `--out ${out} cannot be used as a folder: ${reason}`, {
      cause: error,
    });
  }
}

/** Writes one line for each finished epoch. Whole each time: after a resume, no line is there twice. */
export function writeMetrics(path: string, history: readonly EpochMetrics[]): void {
  writeFileAtomicSync(path, history.map((metrics) => `${JSON.stringify(metrics)}\n`).join(""));
}
