/**
 * The code of a chain of elementwise operations (docs/kernels.md, "Chains"), decoded and checked: a short program over
 * registers, each of which holds one number for each element of a tile. native/fused_code.cc makes the same checks.
 */
import { ProgramError } from "../../errors.js";
import type { StorageType } from "../types.js";
import { scalarAs } from "./elements.js";
import type { MapLoop } from "./elementwise.js";
import { type LineFold, maxLine, minLine, productLine, sumLine } from "./lanes.js";

export const LOAD = -1;
export const STORE = -2;
export const REGISTERS = 16;
const MAX_STEPS = 256;

const FOLDS = new Map<string, LineFold>([
  ["sum", sumLine],
  ["prod", productLine],
  ["max", maxLine],
  ["min", minLine],
]);

/** What a chain must know of the kernels that its code names. */
export interface ChainKernel {
  readonly stem: string;
  readonly dtype: StorageType;
  readonly scalars: readonly string[];
  readonly map: MapLoop | null;
}

/** The kernel of a number, if there is one. */
export type KernelLookup = (number: number) => ChainKernel | undefined;

/** How many operands there are of each kind, in the order of their numbers. */
export interface ChainOperands {
  readonly bytes: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly folds: number;
}

export type Step =
  | { readonly kind: "load"; readonly to: number; readonly operand: number }
  | {
      readonly kind: "apply";
      readonly to: number;
      readonly from: readonly number[];
      readonly map: MapLoop;
      readonly scalars: readonly number[];
    }
  | { readonly kind: "store"; readonly operand: number; readonly from: readonly number[] }
  | {
      readonly kind: "fold";
      readonly operand: number;
      readonly from: readonly number[];
      readonly fold: LineFold;
    };

/**
 * Decodes the code of a chain over elements of `dtype`; throws ProgramError, which names the instruction. Where
 * `hasProduct`, it is that of `matmul_fused`: register 0 is written beforehand, and nothing may be folded.
 */
export function decodeChain(
  code: readonly number[],
  { bytes, inputs, outputs, folds }: ChainOperands,
  dtype: StorageType,
  kernelOf: KernelLookup,
  hasProduct = false,
): Step[] {
  const firstOutput = bytes + inputs;
  const firstFold = firstOutput + outputs;
  const end = firstFold + folds;
  const steps: Step[] = [];
  const isWritten = new Array<boolean>(REGISTERS).fill(false);
  isWritten[0] = hasProduct;
  const hasValue = new Set<number>();
  let next = 0;

  const fail = (what: string, value: number, needed: string): never => {
    throw new ProgramError(
      `${hasProduct ? "matmul_fused" : "fused"}_${dtype}: instruction ${steps.length} of its code: ` +
        `${what} is ${value}; it must be ${needed}`,
    );
  };
  const word = (what: string, bound: number, needed: string): number => {
    if (next >= code.length) fail("number of words after it", 0, "enough");
    const value = code[next++];
    if (!Number.isInteger(value) || value < 0 || value >= bound) fail(what, value, needed);
    return value;
  };
  const register = (): number => word("register", REGISTERS, "an integer in [0, 15]");
  const read = (): number => {
    const number = register();
    if (!isWritten[number]) fail("register", number, "one that has been written");
    return number;
  };
  const output = (first: number, past: number, axes: string): number => {
    const needed = `an output ${axes}that nothing is stored to yet`;
    const operand = word("stored operand", past, needed);
    if (operand < first || hasValue.has(operand)) fail("stored operand", operand, needed);
    hasValue.add(operand);
    return operand;
  };

  const step = (): Step => {
    const operation = code[next++];
    if (operation === LOAD) {
      const to = register();
      isWritten[to] = true;
      return { kind: "load", to, operand: word("loaded operand", firstOutput, "an input") };
    }
    if (operation === STORE) {
      return {
        kind: "store",
        operand: output(firstOutput, firstFold, hasProduct ? "" : "over O and R "),
        from: [read()],
      };
    }
    const kernel = kernelOf(operation);
    const fold = hasProduct ? undefined : FOLDS.get(kernel?.stem ?? "");
    const map = kernel?.map ?? null;
    if (kernel === undefined || kernel.dtype !== dtype || (map === null && fold === undefined)) {
      return fail(
        "operation",
        operation,
        `-1, -2, or the number of an elementwise kernel${hasProduct ? "" : " or a fold"} of this type`,
      );
    }
    if (map === null) {
      return {
        kind: "fold",
        operand: output(firstFold, end, "over O "),
        from: [read()],
        fold: fold as LineFold,
      };
    }
    // The result may go into a register that is read, so that one counts as written only afterwards.
    const to = register();
    const from: number[] = [];
    while (from.length < map.inputs) from.push(read());
    isWritten[to] = true;
    const scalars = code.slice(next, next + kernel.scalars.length).map((scalar) => scalarAs(dtype, scalar));
    if (scalars.length < kernel.scalars.length) fail("number of words after it", scalars.length, "enough");
    next += scalars.length;
    return { kind: "apply", to, from, map, scalars };
  };

  while (next < code.length) {
    if (steps.length === MAX_STEPS) fail("number of instructions", steps.length + 1, `at most ${MAX_STEPS}`);
    steps.push(step());
  }
  for (let operand = firstOutput; operand < end; operand++) {
    if (!hasValue.has(operand)) fail("operand that nothing is stored to", operand, "none");
  }
  return steps;
}
