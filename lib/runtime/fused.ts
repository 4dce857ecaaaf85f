/**
 * Builds the code of chains (docs/kernels.md, "Chains") from a readable list of instructions over named values:
 *
 *     chainCode("f32", [
 *       ["load", "x", 0],
 *       ["fill", "two", 2],
 *       ["mul", "y", "x", "two"],
 *       ["store", 1, "y"],
 *       ["sum", 2, "y"],
 *     ])
 *
 * For `matmul_fused` the value that a chain starts with, the product, has a name as well:
 *
 *     chainCode("f32", [["load", "b", 0], ["add", "y", "ab", "b"], ["store", 1, "y"]], "ab")
 */
import { ArgumentError } from "../errors.js";
import type { MapFactory } from "./kernels/elementwise.js";
import { LOAD, REGISTERS, STORE } from "./kernels/fused_code.js";
import { KERNELS, type KernelName, type KernelStem, kernelId, type ROWS } from "./table.js";

/** Element types of chains. */
export type ChainType = "f32" | "f64";

/** The folds that a chain can end in. */
export type FoldName = "sum" | "prod" | "max" | "min";

/** The functions that a chain can apply, by the name of their row: the rows MAP(…) of kernels.def. */
export type MapName = {
  [Stem in KernelStem]: (typeof ROWS)[Stem] extends { dtypes: `F${string}`; factory: MapFactory }
    ? Stem
    : never;
}[KernelStem];

/** One instruction; operands are numbers, values are names. A value may be defined again. */
export type ChainInstruction =
  /** value ← operand */
  | readonly ["load", string, number]
  /** operand ← value */
  | readonly ["store", number, string]
  /** operand ← the fold of value */
  | readonly [FoldName, number, string]
  /** value ← function of values, then of scalars */
  | readonly [MapName, string, ...(string | number)[]];

/** The registers of named values: a register is free again once its value has been read for the last time. */
class Registers {
  private readonly lastRead = new Map<string, number>();
  private readonly register = new Map<string, number>();
  private readonly isTaken = new Array<boolean>(REGISTERS).fill(false);

  constructor(chain: readonly ChainInstruction[], product?: string) {
    chain.forEach((instruction, i) => {
      for (const name of valuesRead(instruction)) this.lastRead.set(name, i);
    });
    if (product !== undefined) this.write(product, -1);
  }

  read(name: string): number {
    const register = this.register.get(name);
    if (register === undefined) throw new ArgumentError(`chainCode: there is no value "${name}" yet`);
    return register;
  }

  /** To be called after an instruction has read its values, and before it writes one. */
  release(names: readonly string[], i: number): void {
    for (const name of names) {
      if (this.lastRead.get(name) !== i) continue;
      const register = this.register.get(name);
      if (register !== undefined) this.isTaken[register] = false;
      this.register.delete(name);
    }
  }

  write(name: string, i: number): number {
    const register = this.register.get(name) ?? this.isTaken.indexOf(false);
    if (register < 0) {
      throw new ArgumentError(`chainCode: more than ${REGISTERS} values are in use at instruction ${i}`);
    }
    this.register.set(name, register);
    // What nobody reads does not keep its register.
    this.isTaken[register] = (this.lastRead.get(name) ?? -1) > i;
    return register;
  }
}

function valuesRead(instruction: ChainInstruction): string[] {
  if (instruction[0] === "load") return [];
  const from = typeof instruction[1] === "number" ? 1 : 2;
  return instruction.slice(from).filter((word): word is string => typeof word === "string");
}

/**
 * The words of a chain, which for `matmul_fused` names the product. Throws ArgumentError for an unknown value, and
 * where too many are in use at once.
 */
export function chainCode(type: ChainType, chain: readonly ChainInstruction[], product?: string): number[] {
  const registers = new Registers(chain, product);
  return chain.flatMap((instruction, i) => {
    const [name, first, ...rest] = instruction;
    const values = valuesRead(instruction);
    const from = values.map((value) => registers.read(value));
    registers.release(values, i);
    if (name === "load") return [LOAD, registers.write(first as string, i), rest[0] as number];
    if (name === "store") return [STORE, first as number, ...from];
    const kernel = kernelId(`${name}_${type}` as KernelName);
    if (typeof first === "number") return [kernel, first, ...from];
    const scalars = rest.filter((word): word is number => typeof word === "number");
    const { scalars: names, map } = KERNELS[kernel];
    if (map === null || from.length !== map.inputs || scalars.length !== names.length) {
      throw new ArgumentError(
        `chainCode: ${name} at instruction ${i} has ${from.length} values and ${scalars.length} scalars; ` +
          `it takes ${map?.inputs} and ${names.length}`,
      );
    }
    return [kernel, registers.write(first, i), ...from, ...scalars];
  });
}
