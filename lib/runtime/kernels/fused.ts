/**
 * Chains of elementwise operations and folds in one pass (docs/kernels.md, "Chains"). Each step is one loop over a
 * tile, and the loop is that of the kernel of its name. A tile is at most a block of the fixed order of sums, so that
 * a fold of a tile is the kernel's fold of a block.
 */
import { DimsReader } from "../signature.js";
import type { KernelFactory, StorageType, TypedArray } from "../types.js";
import { type Numbers, scratch } from "./elements.js";
import { type ChainOperands, decodeChain, type KernelLookup, REGISTERS, type Step } from "./fused_code.js";
import { BLOCK, type FoldType } from "./lanes.js";
import { collapse, collapseFreely, countOf, forEachIndex, forEachRow, type Layout } from "./strided.js";

/** The kernel; `kernelOf` knows the kernels that its code may name. */
export const fused =
  (kernelOf: KernelLookup): KernelFactory =>
  (dtype) =>
  (buffers, offsets, dims, scalars, counts = []) => {
    const [bytes, inputs, outputs, folds] = counts;
    const operands = { bytes, inputs, outputs, folds };
    const steps = decodeChain(scalars, operands, dtype, kernelOf);
    if (outputs + folds === 0) return;
    const reader = new DimsReader(dims);
    const o = reader.group();
    const r = reader.group();
    const full = bytes + inputs + outputs;
    const overO = offsets.map((_) => [] as readonly number[]);
    const overR: (readonly number[])[] = [];
    for (let i = 0; i < offsets.length; i++) {
      overO[i] = reader.strides(o);
      if (i < full) overR.push(reader.strides(r));
    }
    const machine = new ChainMachine(dtype, steps, operands, buffers, offsets);
    if (folds === 0) {
      const strides = overR.map((strides, i) => [...overO[i], ...strides]);
      const layout = collapseFreely({ sizes: [...o, ...r], strides });
      forEachRow(layout, offsets, (length, at, step) => machine.runRow(length, at, step));
    } else {
      runFolds(machine, dtype, { sizes: o, strides: overO }, { sizes: r, strides: overR }, offsets, full);
    }
  };

/** Folds over R for every element of O: block by block, and the results of the blocks once more. */
function runFolds(
  machine: ChainMachine,
  dtype: StorageType,
  outer: Layout,
  inner: Layout,
  offsets: readonly number[],
  full: number,
): void {
  const reduced = collapse(inner);
  const n = countOf(reduced.sizes);
  const blocks = Math.max(1, Math.ceil(n / BLOCK));
  const isRow = reduced.sizes.length <= 1;
  const step = reduced.strides.map((strides) => (isRow ? (strides[0] ?? 0) : 1));
  const first = new Array<number>(full);
  const results = offsets.slice(full).map(() => scratch(dtype, blocks));
  forEachIndex(outer, offsets, (at) => {
    for (let block = 0; block < blocks; block++) {
      const from = block * BLOCK;
      const length = Math.min(BLOCK, n - from);
      machine.results = results;
      machine.block = block;
      if (isRow) {
        for (let i = 0; i < full; i++) first[i] = at[i] + from * step[i];
        machine.run(length, first, step);
      } else {
        machine.runScattered(length, at, reduced, from);
      }
    }
    machine.finish(blocks, at.slice(full));
  });
}

/** Runs the steps over one tile after another. */
export class ChainMachine {
  /** Takes the results of folds, one array for each, at position `block`. */
  results: readonly Numbers[] = [];
  block = 0;
  private readonly type: FoldType;
  private readonly steps: readonly Step[];
  private readonly operands: ChainOperands;
  private readonly buffers: readonly Numbers[];
  private readonly registers: (Numbers | null)[] = new Array(REGISTERS).fill(null);
  /** Each register's numbers: where they stand, the first, and how far apart. */
  private readonly value: Numbers[] = new Array(REGISTERS);
  private readonly at: number[] = new Array(REGISTERS).fill(0);
  private readonly step: number[] = new Array(REGISTERS).fill(1);
  /** By step: whether a load must copy, since a store may change the operand before the register is read. */
  private readonly copies: readonly boolean[];
  private scattered: { layout: Layout; first: number } | null = null;

  constructor(
    dtype: StorageType,
    steps: readonly Step[],
    operands: ChainOperands,
    buffers: readonly TypedArray[],
    offsets: readonly number[],
  ) {
    this.type = dtype as FoldType;
    this.steps = steps;
    this.operands = operands;
    this.buffers = buffers as readonly Numbers[];
    const firstOutput = operands.bytes + operands.inputs;
    const place = (i: number): number => buffers[i].byteOffset + offsets[i] * buffers[i].BYTES_PER_ELEMENT;
    const isShared = (input: number): boolean =>
      buffers.some(
        ({ buffer }, i) => i >= firstOutput && buffer === buffers[input].buffer && place(i) === place(input),
      );
    this.copies = steps.map(
      (step, i) => step.kind === "load" && isReadAfterStore(steps, i) && isShared(step.operand),
    );
  }

  /** Runs over n elements in a row, any number of them: operand i from at[i] in steps of step[i]. */
  runRow(n: number, at: readonly number[], step: readonly number[]): void {
    if (n <= BLOCK) {
      this.run(n, at, step);
      return;
    }
    const first = at.slice();
    for (let from = 0; from < n; from += BLOCK) {
      for (let i = 0; i < first.length; i++) first[i] = at[i] + from * step[i];
      this.run(Math.min(BLOCK, n - from), first, step);
    }
  }

  /** As `run`, over the elements from position `first` of a layout of several axes on. */
  runScattered(n: number, at: readonly number[], layout: Layout, first: number): void {
    this.scattered = { layout, first };
    this.run(n, at, []);
    this.scattered = null;
  }

  /** Runs over one tile. */
  run(n: number, at: readonly number[], step: readonly number[]): void {
    for (let i = 0; i < this.steps.length; i++) {
      const current = this.steps[i];
      switch (current.kind) {
        case "load":
          this.load(n, current.to, current.operand, at, step, this.copies[i]);
          break;
        case "apply":
          this.apply(n, current);
          break;
        case "store":
          this.store(n, current.from[0], current.operand, at, step);
          break;
        default: {
          const { from, operand, fold } = current;
          const results = this.results[operand - this.firstFold];
          const x = from[0];
          results[this.block] = fold(this.type, this.value[x], this.at[x], n, this.step[x]);
        }
      }
    }
  }

  /** Folds the results of all blocks into the outputs at `at`. */
  finish(blocks: number, at: readonly number[]): void {
    for (const step of this.steps) {
      if (step.kind !== "fold") continue;
      const fold = step.operand - this.firstFold;
      const results = this.results[fold];
      const total = blocks === 1 ? results[0] : step.fold(this.type, results, 0, blocks, 1);
      this.buffers[step.operand][at[fold]] = total;
    }
  }

  private get firstFold(): number {
    const { bytes, inputs, outputs } = this.operands;
    return bytes + inputs + outputs;
  }

  private register(number: number): Numbers {
    const known = this.registers[number] ?? scratch(this.type, BLOCK);
    this.registers[number] = known;
    this.set(number, known, 0, 1);
    return known;
  }

  private set(number: number, value: Numbers, at: number, step: number): void {
    this.value[number] = value;
    this.at[number] = at;
    this.step[number] = step;
  }

  /** An operand is read where it stands if that is possible. */
  private load(
    n: number,
    to: number,
    operand: number,
    at: readonly number[],
    step: readonly number[],
    copies: boolean,
  ): void {
    const x = this.buffers[operand];
    if (this.scattered !== null) {
      const y = this.register(to);
      this.eachPosition(n, operand, at[operand], (k, i) => {
        y[k] = x[i];
      });
    } else if (copies) {
      const y = this.register(to);
      for (let k = 0, i = at[operand]; k < n; k++, i += step[operand]) y[k] = x[i];
    } else {
      this.set(to, x, at[operand], step[operand]);
    }
  }

  private apply(n: number, { to, from, map, scalars }: Step & { kind: "apply" }): void {
    const { value, at, step } = this;
    const [a, b, c] = from;
    // Where the operands are, before the result's register is.
    const x = value[a];
    const i = at[a];
    const si = step[a];
    switch (map.inputs) {
      case 0:
        map.loop(n, this.register(to), 0, 1, scalars[0]);
        break;
      case 1:
        map.loop(n, x, i, si, this.register(to), 0, 1, scalars[0], scalars[1]);
        break;
      case 2: {
        const y = value[b];
        const j = at[b];
        const sj = step[b];
        map.loop(n, x, i, si, y, j, sj, this.register(to), 0, 1, scalars[0]);
        break;
      }
      default: {
        const y = value[b];
        const j = at[b];
        const sj = step[b];
        const z = value[c];
        const k = at[c];
        const sk = step[c];
        map.loop(n, x, i, si, y, j, sj, z, k, sk, this.register(to), 0, 1);
      }
    }
  }

  private store(
    n: number,
    from: number,
    operand: number,
    at: readonly number[],
    step: readonly number[],
  ): void {
    const x = this.value[from];
    const y = this.buffers[operand];
    let i = this.at[from];
    const si = this.step[from];
    if (this.scattered !== null) {
      this.eachPosition(n, operand, at[operand], (k, j) => {
        y[j] = x[i + k * si];
      });
      return;
    }
    for (let k = 0, j = at[operand]; k < n; k++, i += si, j += step[operand]) y[j] = x[i];
  }

  /** Calls visit(place in the tile, place in the operand's buffer) for each element of a scattered tile. */
  private eachPosition(
    n: number,
    operand: number,
    offset: number,
    visit: (k: number, i: number) => void,
  ): void {
    if (this.scattered === null) return;
    const { layout, first } = this.scattered;
    const { sizes } = layout;
    const strides = layout.strides[operand];
    const last = sizes.length - 1;
    for (let k = 0; k < n; ) {
      let index = Math.floor((first + k) / sizes[last]);
      const start = (first + k) % sizes[last];
      let i = offset + start * strides[last];
      for (let axis = last - 1; axis >= 0; axis--) {
        i += (index % sizes[axis]) * strides[axis];
        index = Math.floor(index / sizes[axis]);
      }
      const end = Math.min(n, k + sizes[last] - start);
      for (; k < end; k++, i += strides[last]) visit(k, i);
    }
  }
}

/** Whether the register that step i loads is read after a store. */
function isReadAfterStore(steps: readonly Step[], i: number): boolean {
  const load = steps[i];
  if (load.kind !== "load") return false;
  let isStored = false;
  for (const step of steps.slice(i + 1)) {
    if ("from" in step && isStored && step.from.includes(load.to)) return true;
    if (step.kind === "store") isStored = true;
    if ("to" in step && step.to === load.to) return false;
  }
  return false;
}
