/** The files of a run: where they are, and writing them whole. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomicSync } from "../../io/atomic.js";
import { prepareFolder as prepareOut } from "../folder.js";
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
export const prepareFolder = (out: string): void => prepareOut(out, Object.values(runFiles("")));

/** Removes the results of an earlier run in the folder: they do not belong to the one that begins. */
export function removeResults(out: string): void {
  const { metrics, model, report } = runFiles(out);
  for (const path of [metrics, model, report]) rmSync(path, { force: true });
}

/** Writes one line for each finished epoch. Whole each time: after a resume, no line is there twice. */
export function writeMetrics(path: string, history: readonly EpochMetrics[]): void {
  writeFileAtomicSync(path, history.map((metrics) => `${JSON.stringify(metrics)}\n`).join(""));
}
