/** Eager mode: one kernel, now, on the executor in use. */
import { executor } from "./executor.js";
import { type KernelName, kernelId } from "./table.js";
import type { TypedArray } from "./types.js";

const NO_SCALARS: readonly number[] = [];

/**
 * Runs one kernel. `buffers[i]` and `offsets[i]` (in elements) belong to operand i of its signature; `dims` and
 * `scalars` are laid out as docs/kernels.md says; `counts` says how many operands there are of each variadic one.
 * Throws IndexError for an index read from a buffer.
 */
export function execute(
  kernel: KernelName,
  buffers: readonly TypedArray[],
  offsets: readonly number[],
  dims: readonly number[],
  scalars: readonly number[] = NO_SCALARS,
  counts?: readonly number[],
): void {
  executor().runKernel(kernelId(kernel), buffers, offsets, dims, scalars, counts);
}
