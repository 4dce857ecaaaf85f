/** Where a NaN came from: the last steps before it are taken again, operation by operation. */
import { detectAnomaly } from "../autograd/mode.js";
import type { DataLoader } from "../data/data_loader.js";
import { AnomalyError, type AnomalyPlace } from "../errors.js";
import { isFloat } from "../ndarray/dtype.js";
import type { Module } from "../nn/index.js";
import type { Tensor } from "../tensor.js";

/** The finding: a place, and a sentence about it. */
export interface Finding {
  readonly place: AnomalyPlace;
  readonly text: string;
  /** How many steps before the bad loss it was: 0 or 1. */
  readonly stepsBefore: number;
}

/**
 * Takes the step before the first bad loss and that step, one operation at a time. The model must be as before them, and
 * the loader stand there.
 */
export function findSource(
  model: Module,
  loader: DataLoader<[Tensor, Tensor]>,
  step: (x: Tensor, target: Tensor) => unknown,
  steps: number,
): Finding | null {
  for (let left = steps; left > 0; left--) {
    const positions = loader.take(1).slice();
    try {
      const batch = loader.dataset.batch(positions);
      const found = inBatch(batch, positions) ?? inStep(batch, step) ?? inParameters(model);
      if (found !== null) return { ...found, stepsBefore: left - 1 };
    } finally {
      loader.give(1);
    }
  }
  return null;
}

type Found = Omit<Finding, "stepsBefore">;

function inBatch(batch: readonly Tensor[], positions: Int32Array): Found | null {
  for (const [part, tensor] of batch.entries()) {
    if (!isFloat(tensor.dtype)) continue;
    const at = (tensor.data as Float32Array).findIndex(Number.isNaN);
    if (at < 0) continue;
    const sample = positions[Math.floor(at / (tensor.size / positions.length))];
    return {
      place: { phase: "data" },
      text: `sample ${sample} of the dataset holds a NaN in its ${part === 0 ? "input" : "target"}`,
    };
  }
  return null;
}

function inStep([x, target]: readonly Tensor[], step: (x: Tensor, target: Tensor) => unknown): Found | null {
  try {
    detectAnomaly(() => {
      step(x, target);
    });
    return null;
  } catch (error) {
    if (!(error instanceof AnomalyError)) throw error;
    return { place: error.place, text: error.message };
  }
}

function inParameters(model: Module): Found | null {
  for (const [name, parameter] of model.namedParameters()) {
    if (isAllFinite(parameter)) continue;
    return {
      place: { phase: "update", layer: name },
      text: `${name} is no longer finite after the optimizer's update; try a smaller learning rate, or clipNorm`,
    };
  }
  return null;
}

/** Whether all elements are finite. */
export function isAllFinite({ data, dtype }: Tensor): boolean {
  return !isFloat(dtype) || (data as Float32Array).every(Number.isFinite);
}
