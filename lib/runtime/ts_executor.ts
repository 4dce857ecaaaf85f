/** The TypeScript executor: runs programs with the kernels of lib/runtime/kernels. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { ProgramError } from "../errors.js";
import {
  type LoadedProgram,
  PROGRESS,
  type ProgramPlan,
  type RunOutcome,
  type Segment,
  STOP,
} from "./loaded.js";
import { checkProgram, type Instruction } from "./program.js";
import { storageTypeOf } from "./storage.js";
import type { TypedArray } from "./types.js";

/**
 * Checks all of the program, then runs instruction after instruction. Throws ProgramError before anything has run,
 * or IndexError for an index read from a buffer, after the instructions before that one have run.
 */
export function runProgram(words: Float64Array, count: number, buffers: readonly TypedArray[]): void {
  runInstructions(checkProgram(words, count, buffers), buffers);
}

function runInstructions(program: readonly Instruction[], buffers: readonly TypedArray[]): void {
  for (const { kernel, counts, slots, offsets, dims, scalars } of program) {
    kernel.run(
      slots.map((slot) => buffers[slot]),
      offsets,
      dims,
      scalars,
      counts,
    );
  }
}

/** A program that was checked once, with other scalars and buffers at every run. */
export class TypeScriptProgram implements LoadedProgram {
  private readonly plan: ProgramPlan;
  private readonly instructions: readonly Instruction[];
  /** For each patched word the scalars it belongs to, and its position there. */
  private readonly patches: readonly { scalars: number[]; at: number }[];

  constructor(plan: ProgramPlan) {
    const { words, buffers, patched } = plan;
    this.plan = plan;
    this.instructions = checkProgram(words, words.length, buffers);
    const owners = new Map<number, { scalars: number[]; at: number }>();
    let end = 0;
    for (const { scalars } of this.instructions) {
      end += words[end + 1];
      const list = scalars as number[];
      list.forEach((_, at) => {
        owners.set(end - list.length + at, { scalars: list, at });
      });
    }
    this.patches = Array.from(patched, (word) => {
      const owner = owners.get(word);
      if (owner === undefined) throw new ProgramError(`program: word ${word} is no scalar of an instruction`);
      return owner;
    });
  }

  execute(scalars: Float64Array, buffers: readonly TypedArray[]): void {
    this.step(scalars, 0, buffers);
  }

  /** One step, whose scalars begin at `from`. */
  step(values: Float64Array, from: number, buffers: readonly TypedArray[]): void {
    const { buffers: bound, rebound } = this.plan;
    this.patches.forEach(({ scalars, at }, i) => {
      scalars[at] = values[from + i];
    });
    const all = [...bound];
    rebound.forEach((slot, i) => {
      const buffer = buffers[i];
      if (storageTypeOf(buffer) !== storageTypeOf(bound[slot]) || buffer.length < bound[slot].length) {
        throw new ProgramError(
          `program: buffer ${slot} has ${buffer.length} elements; it needs ${bound[slot].length} of ` +
            `${storageTypeOf(bound[slot])}`,
        );
      }
      all[slot] = buffer;
    });
    runInstructions(this.instructions, all);
  }

  get scalarsPerStep(): number {
    return this.patches.length;
  }
}

// Between steps other events get their turn once this time has passed, so that a server goes on answering.
const TURN_MS = 4;

/** Runs segments between other events. */
export async function runSegments(segments: readonly Segment[], control: Int32Array): Promise<RunOutcome> {
  let completed = 0;
  let turnEnds = 0;
  try {
    for (const { program, steps, scalars, buffers, strides } of segments) {
      const loaded = program as TypeScriptProgram;
      for (let i = 0; i < steps; i++) {
        if (performance.now() >= turnEnds) {
          await nextTurn();
          turnEnds = performance.now() + TURN_MS;
        }
        if (Atomics.load(control, STOP) !== 0) return { completed, error: undefined };
        const at = buffers.map((buffer, k) => (strides[k] === 0 ? buffer : buffer.subarray(i * strides[k])));
        loaded.step(scalars, i * loaded.scalarsPerStep, at);
        Atomics.store(control, PROGRESS, ++completed);
      }
    }
    return { completed, error: undefined };
  } catch (error) {
    return { completed, error: error as Error };
  }
}
