/**
 * The fixed order of every sum, product, maximum and minimum: 16 lanes, then a fixed tree, in blocks of 4096 whose
 * results are folded in the same way (docs/kernels.md, "Numbers"). The lanes are arrays of the element type, so
 * each operation is rounded to float32 or wrapped to int32 by being stored.
 */
import type { StorageType } from "../types.js";
import { I32_MAX, I32_MIN, larger, type Numbers, scratch, smaller } from "./elements.js";

const LANES = 16;
/** Numbers that are folded in one go. */
export const BLOCK = 4096;

/** Element types that can be folded. */
export type FoldType = Exclude<StorageType, "i64">;

const LANES_OF: Record<FoldType, Numbers> = {
  f32: new Float32Array(LANES),
  f64: new Float64Array(LANES),
  i32: new Int32Array(LANES),
  u8: new Uint8Array(LANES),
};

/** Folds at most BLOCK numbers into lanes that hold the identity already, and the lanes into the first. */
type BlockFold = (lanes: Numbers, x: Numbers, at: number, n: number, step: number) => number;

const sumBlock: BlockFold = (lanes, x, at, n, step) => {
  for (let k = 0; k < n; k++, at += step) lanes[k & 15] += x[at];
  for (let width = LANES / 2; width > 0; width >>= 1) {
    for (let j = 0; j < width; j++) lanes[j] += lanes[j + width];
  }
  return lanes[0];
};

/**
 * sumBlock for float32 numbers side by side, with half of the lanes at a time in local variables: a sum that goes
 * through memory waits for its store.
 */
const sumCompactSingles: BlockFold = (lanes, x, at, n) => {
  const whole = at + n - (n % LANES);
  for (let half = 0; half < LANES; half += LANES / 2) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    let s5 = 0;
    let s6 = 0;
    let s7 = 0;
    for (let i = at + half; i < whole; i += LANES) {
      s0 = Math.fround(s0 + x[i]);
      s1 = Math.fround(s1 + x[i + 1]);
      s2 = Math.fround(s2 + x[i + 2]);
      s3 = Math.fround(s3 + x[i + 3]);
      s4 = Math.fround(s4 + x[i + 4]);
      s5 = Math.fround(s5 + x[i + 5]);
      s6 = Math.fround(s6 + x[i + 6]);
      s7 = Math.fround(s7 + x[i + 7]);
    }
    lanes[half] = s0;
    lanes[half + 1] = s1;
    lanes[half + 2] = s2;
    lanes[half + 3] = s3;
    lanes[half + 4] = s4;
    lanes[half + 5] = s5;
    lanes[half + 6] = s6;
    lanes[half + 7] = s7;
  }
  // The rest continues the lanes where the whole rounds left them.
  return sumBlock(lanes, x, whole, n % LANES, 1);
};

const multiplyBlock: BlockFold = (lanes, x, at, n, step) => {
  for (let k = 0; k < n; k++, at += step) lanes[k & 15] *= x[at];
  for (let width = LANES / 2; width > 0; width >>= 1) {
    for (let j = 0; j < width; j++) lanes[j] *= lanes[j + width];
  }
  return lanes[0];
};

const multiplyIntegers: BlockFold = (lanes, x, at, n, step) => {
  for (let k = 0; k < n; k++, at += step) lanes[k & 15] = Math.imul(lanes[k & 15], x[at]);
  for (let width = LANES / 2; width > 0; width >>= 1) {
    for (let j = 0; j < width; j++) lanes[j] = Math.imul(lanes[j], lanes[j + width]);
  }
  return lanes[0];
};

const maxBlock: BlockFold = (lanes, x, at, n, step) => {
  for (let k = 0; k < n; k++, at += step) lanes[k & 15] = larger(lanes[k & 15], x[at]);
  for (let width = LANES / 2; width > 0; width >>= 1) {
    for (let j = 0; j < width; j++) lanes[j] = larger(lanes[j], lanes[j + width]);
  }
  return lanes[0];
};

const minBlock: BlockFold = (lanes, x, at, n, step) => {
  for (let k = 0; k < n; k++, at += step) lanes[k & 15] = smaller(lanes[k & 15], x[at]);
  for (let width = LANES / 2; width > 0; width >>= 1) {
    for (let j = 0; j < width; j++) lanes[j] = smaller(lanes[j], lanes[j + width]);
  }
  return lanes[0];
};

function fold(
  foldBlock: BlockFold,
  identity: number,
  type: FoldType,
  x: Numbers,
  at: number,
  n: number,
  step: number,
): number {
  const lanes = LANES_OF[type];
  if (n <= BLOCK) {
    lanes.fill(identity);
    return foldBlock(lanes, x, at, n, step);
  }
  const results = scratch(type, Math.ceil(n / BLOCK));
  for (let b = 0; b < results.length; b++) {
    const from = b * BLOCK;
    lanes.fill(identity);
    results[b] = foldBlock(lanes, x, at + from * step, Math.min(BLOCK, n - from), step);
  }
  return fold(foldBlock, identity, type, results, 0, results.length, 1);
}

/** Folds n numbers of an element type, from position `at` of x in steps of `step`. */
export type LineFold = (type: FoldType, x: Numbers, at: number, n: number, step: number) => number;

export const sumLine: LineFold = (type, x, at, n, step) =>
  fold(type === "f32" && step === 1 ? sumCompactSingles : sumBlock, 0, type, x, at, n, step);

export const productLine: LineFold = (type, x, at, n, step) =>
  fold(type === "i32" ? multiplyIntegers : multiplyBlock, 1, type, x, at, n, step);

// What the maximum and minimum of nothing are: the ends of the element type's range.
const LOWEST: Record<FoldType, number> = { f32: -Infinity, f64: -Infinity, i32: I32_MIN, u8: 0 };
const HIGHEST: Record<FoldType, number> = { f32: Infinity, f64: Infinity, i32: I32_MAX, u8: 255 };

export const maxLine: LineFold = (type, x, at, n, step) => fold(maxBlock, LOWEST[type], type, x, at, n, step);

export const minLine: LineFold = (type, x, at, n, step) =>
  fold(minBlock, HIGHEST[type], type, x, at, n, step);

/**
 * The sums of many columns at once, row by row as they lie in memory; each column's sum is `sumLine`'s. Add rows
 * with `add`, then read `finish()` once.
 */
export class ColumnSums {
  private readonly type: FoldType;
  private readonly columns: number;
  private readonly lanes: Numbers;
  private rows = 0;
  // Takes the sums of whole blocks; there is none before a second block begins.
  private blocks: ColumnSums | null = null;

  constructor(type: FoldType, columns: number) {
    this.type = type;
    this.columns = columns;
    this.lanes = scratch(type, LANES * columns);
  }

  /** Adds one row: `columns` numbers of x from `at` in steps of `step`. */
  add(x: Numbers, at: number, step: number): void {
    if (this.rows === BLOCK) this.closeBlock();
    const { lanes, columns } = this;
    const lane = (this.rows & 15) * columns;
    for (let c = 0; c < columns; c++, at += step) lanes[lane + c] += x[at];
    this.rows++;
  }

  /** The sums, in an array of the element type that belongs to this object. */
  finish(): Numbers {
    if (this.blocks === null) return this.fold();
    this.closeBlock();
    return this.blocks.finish();
  }

  private closeBlock(): void {
    this.blocks ??= new ColumnSums(this.type, this.columns);
    this.blocks.add(this.fold(), 0, 1);
    this.lanes.fill(0);
    this.rows = 0;
  }

  private fold(): Numbers {
    const { lanes, columns } = this;
    for (let lane = LANES / 2; lane > 0; lane >>= 1) {
      const width = lane * columns;
      for (let c = 0; c < width; c++) lanes[c] += lanes[c + width];
    }
    return lanes;
  }
}
