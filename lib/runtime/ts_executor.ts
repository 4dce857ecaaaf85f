/** The TypeScript executor: runs programs with the kernels of lib/runtime/kernels. */
import { checkProgram } from "./program.js";
import type { TypedArray } from "./types.js";

/**
 * Checks all of the program, then runs instruction after instruction. Throws ProgramError before anything has run,
 * or IndexError for an index read from a buffer, after the instructions before that one have run.
 */
export function runProgram(words: Float64Array, count: number, buffers: readonly TypedArray[]): void {
  for (const { kernel, counts, slots, offsets, dims, scalars } of checkProgram(words, count, buffers)) {
    kernel.run(
      slots.map((slot) => buffers[slot]),
      offsets,
      dims,
      scalars,
      counts,
    );
  }
}
