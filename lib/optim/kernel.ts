/** Calls of the optimizer kernels: one gradient, and the arrays that are updated in place. */
import type { NDArray } from "../ndarray/ndarray.js";
import { execute } from "../runtime/execute.js";
import type { KernelName } from "../runtime/table.js";

/** Runs a kernel of signature `T[n] -> &T[n], …` over contiguous arrays of one size. */
export function updateInPlace(
  kernel: KernelName,
  grad: NDArray,
  updated: readonly NDArray[],
  scalars: readonly number[],
): void {
  const operands = [grad, ...updated];
  execute(
    kernel,
    operands.map((array) => array.storage.data),
    operands.map((array) => array.offset),
    [grad.size, ...operands.map(() => 1)],
    scalars,
  );
  for (const array of updated) array.storage.version++;
}
