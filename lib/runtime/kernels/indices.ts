/** The one check that kernels make themselves: of the indices they read from an operand. */
import { IndexError } from "../../errors.js";

/** Throws IndexError unless all `count` indices are in [0, bound) or equal to `ignored`. */
export function checkIndices(
  kernel: string,
  indices: Int32Array,
  at: number,
  count: number,
  step: number,
  bound: number,
  ignored?: number,
): void {
  for (let i = 0; i < count; i++, at += step) {
    const index = indices[at];
    if ((index < 0 || index >= bound) && index !== ignored) {
      throw new IndexError(`${kernel}: index ${index} at position ${i} is outside [0, ${bound})`);
    }
  }
}
