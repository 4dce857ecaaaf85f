/** Epochs over datasets that only JavaScript can ask: one run for each step. */
import type { Tensor } from "../../autograd/tensor.js";
import type { DataLoader } from "../../data/data_loader.js";
import { batchOf } from "../../data/dataset.js";
import { ArgumentError } from "../../errors.js";
import { concat, expandDims } from "../../ops/index.js";
import { type EpochFunction, type EpochResult, type Options, PROGRESS_MS } from "./options.js";

/** Makes each batch and runs the step on it. */
export async function runOutside(
  { step }: EpochFunction,
  loader: DataLoader,
  { signal, onProgress, partial, maxSteps }: Options,
): Promise<EpochResult<unknown>> {
  const { dataset, batchSize } = loader;
  const order = loader.take(maxSteps);
  const steps = Math.ceil(order.length / batchSize);
  const begin = performance.now();
  const results: unknown[] = [];
  let samples = 0;
  let reported = begin;
  try {
    while (results.length < steps) {
      if (partial && results.length > 0 && signal?.aborted) break;
      signal?.throwIfAborted();
      const from = results.length * batchSize;
      const batch = batchOf("epoch", dataset, order.subarray(from, from + batchSize));
      results.push(await step(...batch));
      samples = Math.min(results.length * batchSize, order.length);
      const now = performance.now();
      if (onProgress === undefined || (now - reported < PROGRESS_MS && results.length < steps)) continue;
      reported = now;
      const value = firstScalar(results[results.length - 1]);
      await onProgress({ step: results.length, steps, samples, elapsed: now - begin, value });
    }
  } finally {
    loader.give(results.length);
  }
  if (results.length === 0) throw new ArgumentError("epoch: the dataset has no batch");
  return { steps: results.length, samples, results: joinResults(results) };
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "array" in value && "requiresGrad" in value;

function firstScalar(result: unknown): number {
  if (isTensor(result)) return result.ndim === 0 ? result.item() : Number.NaN;
  if (typeof result !== "object" || result === null) return Number.NaN;
  return (
    Object.values(result)
      .map(firstScalar)
      .find((value) => !Number.isNaN(value)) ?? Number.NaN
  );
}

/** Results of several steps, or of several runs of steps, joined in the form of one. */
export function joinResults(results: readonly unknown[]): unknown {
  const [first] = results;
  if (isTensor(first)) {
    const tensors = results as Tensor[];
    return concat(tensors.map((tensor) => (tensor.ndim === 0 ? expandDims(tensor, 0) : tensor)));
  }
  if (Array.isArray(first))
    return first.map((_, i) => joinResults(results.map((each) => (each as unknown[])[i])));
  if (typeof first !== "object" || first === null) return first;
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      joinResults(results.map((each) => (each as Record<string, unknown>)[name])),
    ]),
  );
}
