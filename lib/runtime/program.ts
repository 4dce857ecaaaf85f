/**
 * Programs as float64 words: how an instruction is encoded, and the check that makes any program safe to run.
 * docs/kernels.md has the layout; native/program.cc makes the same checks.
 */
import { ProgramError } from "../errors.js";
import { MAX_OPERANDS, MAX_RANK, type Operand } from "./signature.js";
import { storageTypeOf } from "./storage.js";
import { KERNELS, type KernelEntry, type KernelName, kernelId } from "./table.js";
import type { StorageType, TypedArray } from "./types.js";

/** An instruction that was decoded and checked; counts by variadic operand, slots and offsets by operand. */
export interface Instruction {
  readonly kernel: KernelEntry;
  readonly counts: readonly number[];
  readonly slots: readonly number[];
  readonly offsets: readonly number[];
  readonly dims: readonly number[];
  readonly scalars: readonly number[];
}

const HEADER_WORDS = 2;
// Kernels of the native executor count elements in int64.
const MAX_COUNT = 2 ** 62;

/**
 * The words of one instruction: kernel, number of words, how many operands there are of each variadic one, slot and
 * offset of each operand, dims, scalars.
 */
export function encodeInstruction(
  name: KernelName,
  slots: readonly number[],
  offsets: readonly number[],
  dims: readonly number[],
  scalars: readonly number[] = [],
  counts: readonly number[] = [],
): number[] {
  const length = HEADER_WORDS + counts.length + 2 * slots.length + dims.length + scalars.length;
  const operands = slots.flatMap((slot, i) => [slot, offsets[i]]);
  return [kernelId(name), length, ...counts, ...operands, ...dims, ...scalars];
}

/**
 * Decodes the first `count` words and checks them against the buffers, so that no instruction can reach outside
 * them whatever the words are. Throws ProgramError, which names instruction, kernel and operand.
 */
export function checkProgram(
  words: Float64Array,
  count: number,
  buffers: readonly TypedArray[],
): readonly Instruction[] {
  if (!Number.isInteger(count) || count < 0 || count > words.length) {
    throw new ProgramError(`program: the number of words is ${count}; it must be in [0, ${words.length}]`);
  }
  const program: Instruction[] = [];
  let at = 0;
  while (at < count) {
    const decoder = new Decoder(words, at, count, buffers, program.length);
    program.push(decoder.decode());
    at = decoder.end;
  }
  return program;
}

/** Reads one instruction word by word. */
class Decoder {
  /** One past the instruction's last word, once that is known. */
  end: number;
  private readonly words: Float64Array;
  private readonly buffers: readonly TypedArray[];
  private readonly start: number;
  private next: number;
  private title: string;

  constructor(
    words: Float64Array,
    start: number,
    end: number,
    buffers: readonly TypedArray[],
    position: number,
  ) {
    this.words = words;
    this.buffers = buffers;
    this.start = start;
    this.next = start;
    this.end = end;
    this.title = `program: instruction ${position}`;
  }

  decode(): Instruction {
    const kernel = KERNELS[this.integer("kernel", 0, KERNELS.length - 1)];
    this.title += ` (${kernel.name})`;
    this.end = this.start + this.integer("number of words", HEADER_WORDS, this.end - this.start);
    const counts: number[] = [];
    const operands = this.operands(kernel, counts);
    const slots: number[] = [];
    const offsets: number[] = [];
    operands.forEach((operand, i) => {
      slots.push(this.slot(i, operand.type));
      offsets.push(this.integer("offset"));
    });
    const dims: number[] = [];
    const sizes = this.sizes(kernel, dims);
    operands.forEach((operand, i) => {
      const shape = operand.axes.flatMap((axis) => sizes[axis]);
      this.strides(i, operand.role !== "in", shape, offsets[i], this.buffers[slots[i]].length, dims);
    });
    const scalars = kernel.scalars.map((name) => this.word(name));
    while (kernel.hasVariadicScalars && this.next < this.end) scalars.push(this.words[this.next++]);
    if (this.next !== this.end) {
      this.fail(`has ${this.end - this.start} words, needs ${this.next - this.start}`);
    }
    return { kernel, counts, slots, offsets, dims, scalars };
  }

  private fail(reason: string): never {
    throw new ProgramError(`${this.title}: ${reason}`);
  }

  private word(what: string): number {
    if (this.next === this.end) {
      this.fail(`has ${this.end - this.start} words, needs more: there is no word for ${what}`);
    }
    return this.words[this.next++];
  }

  /** The next word, which must be an integer in [low, high]. */
  private integer(what: string, low = Number.MIN_SAFE_INTEGER, high = Number.MAX_SAFE_INTEGER): number {
    const value = this.word(what);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    this.fail(`${what} is ${value}; it must be an integer in [${low}, ${high}]`);
  }

  /** The operands, variadic ones as often as the instruction says; how often goes to `counts`. */
  private operands(kernel: KernelEntry, counts: number[]): Operand[] {
    const operands: Operand[] = [];
    for (const operand of kernel.signature.operands) {
      const count = operand.isVariadic ? this.integer("number of operands", 0, MAX_OPERANDS) : 1;
      if (operand.isVariadic) counts.push(count);
      if (operands.length + count > MAX_OPERANDS) {
        this.fail(`has ${operands.length + count} operands or more; it may have at most ${MAX_OPERANDS}`);
      }
      for (let i = 0; i < count; i++) operands.push(operand);
    }
    return operands;
  }

  private slot(operand: number, type: StorageType | "T"): number {
    const slot = this.integer("slot", 0, this.buffers.length - 1);
    const has = storageTypeOf(this.buffers[slot]) ?? this.buffers[slot][Symbol.toStringTag];
    if (has !== type) this.fail(`operand ${operand} is buffer ${slot} of ${has}; it must be of ${type}`);
    return slot;
  }

  /** The sizes of each letter's axes; ranks and sizes go to `dims`. */
  private sizes(kernel: KernelEntry, dims: number[]): number[][] {
    let count = 1;
    const sizes = kernel.signature.axes.map(({ isGroup }) => {
      const rank = isGroup ? this.integer("rank", 0, MAX_RANK) : 1;
      if (isGroup) dims.push(rank);
      const axes: number[] = [];
      for (let i = 0; i < rank; i++) axes.push(this.integer("size", 0));
      for (const size of axes) count *= Math.max(size, 1);
      dims.push(...axes);
      return axes;
    });
    if (count > MAX_COUNT) this.fail(`the product of all sizes is ${count}; it must be at most 2^62`);
    return sizes;
  }

  /**
   * Reads the strides of an operand along the axes of `shape` and checks the first and the last element that it
   * touches. `low` only falls and `high` only rises from the offset: a sum that float64 has to round, beyond 2⁵³,
   * is beyond every buffer, rounded or not.
   */
  private strides(
    operand: number,
    isWritten: boolean,
    shape: readonly number[],
    offset: number,
    length: number,
    dims: number[],
  ): void {
    const touches = !shape.includes(0);
    let low = offset;
    let high = offset;
    for (const size of shape) {
      const stride = this.integer("stride");
      dims.push(stride);
      if (size < 2) continue;
      if (stride === 0 && isWritten && touches) {
        this.fail(`operand ${operand} is written; its stride over size ${size} must not be 0`);
      }
      if (stride < 0) low += (size - 1) * stride;
      else high += (size - 1) * stride;
    }
    if (!touches) return;
    if (low < 0) this.fail(`operand ${operand} reaches element ${low} of a buffer with ${length}`);
    if (high >= length) this.fail(`operand ${operand} reaches element ${high} of a buffer with ${length}`);
  }
}
