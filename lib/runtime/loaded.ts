/** Programs that are loaded once and run many times: what an executor takes, and what it gives back. */
import type { TypedArray } from "./types.js";

/** A program and the memory it is bound to. */
export interface ProgramPlan {
  readonly words: Float64Array;
  /** One for each slot; in place of those that are rebound, any of their type and size. */
  readonly buffers: readonly TypedArray[];
  /** Slots whose buffers each run gives. */
  readonly rebound: Int32Array;
  /** Words, scalars of instructions, whose values each step gives. */
  readonly patched: Int32Array;
}

/** A loaded program. */
export interface LoadedProgram {
  /** Runs one step, now. Throws IndexError for an index read from a buffer, ProgramError for a bad buffer. */
  execute(scalars: Float64Array, buffers: readonly TypedArray[]): void;
}

/** Several steps of a program. */
export interface Segment {
  readonly program: LoadedProgram;
  readonly steps: number;
  /** The values of all patched words, step after step. */
  readonly scalars: Float64Array;
  /** In place of the rebound slots, at the first step. */
  readonly buffers: readonly TypedArray[];
  /** By how many elements each of them moves on from step to step. */
  readonly strides: Float64Array;
}

/** How a run in the background ended. */
export interface RunOutcome {
  /** Steps that were done, all segments together. */
  readonly completed: number;
  readonly error: Error | undefined;
}

/** Words of the Int32Array by which a run in the background is watched and stopped. */
export const PROGRESS = 0;
export const STOP = 1;
