/** One kernel: now, on the executor in use (eager mode), or written down while a function is traced. */
import { executor } from "./executor.js";
import { recorder } from "./recorder.js";
import type { Storage } from "./storage.js";
import { type KernelName, kernelId } from "./table.js";
import type { TypedArray } from "./types.js";

const NONE: readonly number[] = [];

/**
 * Runs one kernel. `storages[i]` and `offsets[i]` (in elements) belong to operand i of its signature; `dims` and
 * `scalars` are laid out as docs/kernels.md says; `counts` says how many operands there are of each variadic one.
 * Throws IndexError for an index read from a buffer.
 */
export function execute(
  kernel: KernelName,
  storages: readonly Storage[],
  offsets: readonly number[],
  dims: readonly number[],
  scalars: readonly number[] = NONE,
  counts: readonly number[] = NONE,
): void {
  const trace = recorder();
  if (trace !== null) {
    trace.record(kernel, storages, offsets, dims, scalars, counts);
    return;
  }
  const buffers: TypedArray[] = [];
  for (let i = 0; i < storages.length; i++) buffers.push(storages[i].data);
  executor().runKernel(kernelId(kernel), buffers, offsets, dims, scalars, counts);
}
