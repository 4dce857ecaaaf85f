/**
 * Kernel signatures (`T[Bmk], T[Bkn] -> &T[Bmn]`): the parsed form, and the reader of the dims that a signature
 * lays out. docs/kernels.md says what they mean. Knows no kernel and no buffer.
 */
import { ArgumentError } from "../errors.js";
import type { StorageType } from "./types.js";

/** A letter of a signature: one axis, or (upper case) a group of any number of axes. */
export interface Axis {
  readonly letter: string;
  readonly isGroup: boolean;
}

/**
 * One operand: its element type (`T` where the row leaves it open), its axes, and what a kernel does with it. A
 * variadic operand stands for any number of operands (also none), which an instruction says.
 */
export interface Operand {
  readonly type: StorageType | "T";
  /** Positions in `Signature.axes`. */
  readonly axes: readonly number[];
  readonly role: "in" | "out" | "inout";
  readonly isVariadic: boolean;
}

/** A parsed signature; `axes` in order of first appearance, operands in order, inputs first. */
export interface Signature {
  readonly axes: readonly Axis[];
  readonly operands: readonly Operand[];
  readonly inputs: number;
}

/** A group has at most this many axes. */
export const MAX_RANK = 16;

/** An instruction has at most this many operands. */
export const MAX_OPERANDS = 32;

const OPERAND = /^(&?)(T|f32|f64|i32|u8|i64)\[([A-Za-z]*)\](\*?)$/;

/** Parses a signature. Throws ArgumentError for a text that is none. */
export function parseSignature(text: string): Signature {
  const [before, after, ...rest] = text.split("->").map((side) => side.trim());
  if (after === undefined || after === "" || rest.length > 0) {
    throw new ArgumentError(`signature: "${text}" needs one arrow with an output after it`);
  }
  const axes: Axis[] = [];
  const parse = (operand: string, isInput: boolean): Operand => {
    const match = OPERAND.exec(operand);
    if (match === null || (isInput && match[1] === "&")) {
      throw new ArgumentError(`signature: "${operand}" in "${text}" is no operand; it must look like T[mk]`);
    }
    const role = isInput ? "in" : match[1] === "&" ? "inout" : "out";
    const isVariadic = match[4] === "*";
    return { type: match[2] as Operand["type"], axes: [...match[3]].map(axisOf), role, isVariadic };
  };
  const axisOf = (letter: string): number => {
    const known = axes.findIndex((axis) => axis.letter === letter);
    return known >= 0 ? known : axes.push({ letter, isGroup: letter < "a" }) - 1;
  };
  const inputs = before === "" ? [] : before.split(/\s*,\s*/).map((operand) => parse(operand, true));
  const outputs = after.split(/\s*,\s*/).map((operand) => parse(operand, false));
  return { axes, operands: [...inputs, ...outputs], inputs: inputs.length };
}

/** The signature of one kernel of a row: every T replaced by the storage type. Letters in brackets are no T. */
export function substituteType(text: string, type: StorageType): string {
  return text.replace(/T(?=\[)/g, type);
}

/**
 * Reads an instruction's `dims` front to back, in the order that its signature lays them out: sizes letter by
 * letter, then strides operand by operand. A group's sizes and strides come as arrays.
 */
export class DimsReader {
  private readonly dims: readonly number[];
  private next = 0;

  constructor(dims: readonly number[]) {
    this.dims = dims;
  }

  /** The size of a single axis. */
  size(): number {
    return this.dims[this.next++];
  }

  /** The sizes of a group of axes. */
  group(): readonly number[] {
    return this.take(this.dims[this.next++]);
  }

  /** The stride of an operand along a single axis, in elements. */
  stride(): number {
    return this.dims[this.next++];
  }

  /** The strides of an operand along the axes of a group, in elements. */
  strides(group: readonly number[]): readonly number[] {
    return this.take(group.length);
  }

  private take(count: number): readonly number[] {
    const from = this.next;
    this.next += count;
    return this.dims.slice(from, this.next);
  }
}
