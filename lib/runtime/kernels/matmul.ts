/**
 * Matrix product, batched: c[B,m,n] = Σ_k a[B,m,k]·b[B,k,n]. Each element is a chain over k ascending for each
 * block of 256 k, in float64 (int32 in wrapping integers); the block results are rounded to the element type and
 * added in order.
 *
 * Operands are copied block by block into lines of float64 along k, so that one inner loop serves every stride; it
 * keeps a 2×3 tile of the result in local variables. Its shape follows the code that V8 makes of it (Node 20, AMD
 * EPYC, GFLOP/s of the inner loop):
 * - The lines of a tile lie in arrays of their own, all read at one index: one bounds check for all, 8.7, where the
 *   check of each element of a common panel (with its own sum, overflow check and address) allows 4.8.
 * - The arrays are constants of the module: their addresses and lengths are constants of the machine code.
 * - All products of a step are computed before they are added, so that larger tiles spill: 5.5 with 3×3, 5.2 with 4×4.
 */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { type Numbers, rounded } from "./elements.js";
import { forEachIndex } from "./strided.js";

const TILE_ROWS = 2;
const TILE_COLUMNS = 3;
const DEPTH = 256; // k per block: fixed by the contract
const ROWS = 64; // rows of a per block: 128 KiB of lines stay in the second-level cache
const COLUMNS = 126; // columns of b per block: 252 KiB
const FEW_ROWS = 3; // up to here copying b costs more than a faster loop over it saves

/** Arrays for every `count`th of `lines` lines, at different distances from a page's start: they are read together. */
function lineArrays(lines: number, count: number): readonly Float64Array[] {
  const length = (lines / count) * DEPTH;
  const distance = length + 72;
  const all = new Float64Array(count * distance);
  return Array.from({ length: count }, (_, i) => all.subarray(i * distance, i * distance + length));
}

// Reused by all calls; untouched memory, where no product is ever taken here, is only reserved.
const A = lineArrays(ROWS, TILE_ROWS);
const B = lineArrays(COLUMNS, TILE_COLUMNS);
const A0 = A[0];
const A1 = A[1];
const B0 = B[0];
const B1 = B[1];
const B2 = B[2];
const TILE = new Float64Array(TILE_ROWS * TILE_COLUMNS);

/** Copies `count` lines of `depth` numbers in turn into the arrays, one line after the other in each. */
function pack(
  x: Numbers,
  at: number,
  count: number,
  depth: number,
  lineStride: number,
  depthStride: number,
  arrays: readonly Float64Array[],
): void {
  for (let line = 0; line < count; line++) {
    const array = arrays[line % arrays.length];
    const start = Math.floor(line / arrays.length) * DEPTH;
    let from = at + line * lineStride;
    for (let p = start; p < start + depth; p++, from += depthStride) array[p] = x[from];
  }
}

/**
 * TILE[i,j] = Σ_p a[p,i]·b[p,j] over `depth` steps of the lines that begin at `q` and `p`. What lines of an incomplete
 * tile hold besides reaches parts of TILE that are not stored.
 */
function multiplyTile(q: number, p: number, depth: number): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  const end = p + depth;
  for (; p < end; p++, q++) {
    const b0 = B0[p];
    const b1 = B1[p];
    const b2 = B2[p];
    const a0 = A0[q];
    const a1 = A1[q];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
  }
  TILE[0] = c00;
  TILE[1] = c01;
  TILE[2] = c02;
  TILE[3] = c10;
  TILE[4] = c11;
  TILE[5] = c12;
}

/** As multiplyTile in wrapping int32 arithmetic, whose order of additions does not matter. */
function multiplyIntegerTile(q: number, p: number, depth: number): void {
  TILE.fill(0);
  const end = p + depth;
  for (; p < end; p++, q++) {
    TILE[0] = (TILE[0] + Math.imul(A0[q], B0[p])) | 0;
    TILE[1] = (TILE[1] + Math.imul(A0[q], B1[p])) | 0;
    TILE[2] = (TILE[2] + Math.imul(A0[q], B2[p])) | 0;
    TILE[3] = (TILE[3] + Math.imul(A1[q], B0[p])) | 0;
    TILE[4] = (TILE[4] + Math.imul(A1[q], B1[p])) | 0;
    TILE[5] = (TILE[5] + Math.imul(A1[q], B2[p])) | 0;
  }
}

/** A matrix in a buffer: its first element and its strides. */
interface Matrix {
  data: Numbers;
  at: number;
  row: number;
  column: number;
}

/** The product of two matrices without batch axes. */
function multiply(
  a: Matrix,
  b: Matrix,
  c: Matrix,
  m: number,
  k: number,
  n: number,
  single: boolean,
  multiplyTiles: typeof multiplyTile,
): void {
  // An empty sum is 0, so the first block runs even without any k.
  for (let k0 = 0; k0 === 0 || k0 < k; k0 += DEPTH) {
    const depth = Math.min(DEPTH, k - k0);
    for (let n0 = 0; n0 < n; n0 += COLUMNS) {
      const columns = Math.min(COLUMNS, n - n0);
      pack(b.data, b.at + k0 * b.row + n0 * b.column, columns, depth, b.column, b.row, B);
      for (let m0 = 0; m0 < m; m0 += ROWS) {
        const rows = Math.min(ROWS, m - m0);
        pack(a.data, a.at + m0 * a.row + k0 * a.column, rows, depth, a.row, a.column, A);
        const corner = c.at + m0 * c.row + n0 * c.column;
        for (let j = 0; j < columns; j += TILE_COLUMNS) {
          for (let i = 0; i < rows; i += TILE_ROWS) {
            multiplyTiles((i / TILE_ROWS) * DEPTH, (j / TILE_COLUMNS) * DEPTH, depth);
            storeTile(
              c,
              corner + i * c.row + j * c.column,
              Math.min(TILE_ROWS, rows - i),
              Math.min(TILE_COLUMNS, columns - j),
              k0 === 0,
              single,
            );
          }
        }
      }
    }
  }
}

/** Writes the part of a tile that lies in c: assigned for the first block of k, added for the others. */
function storeTile(
  c: Matrix,
  corner: number,
  rows: number,
  columns: number,
  isFirst: boolean,
  single: boolean,
): void {
  const { data, row, column } = c;
  for (let i = 0; i < rows; i++) {
    let at = corner + i * row;
    for (let j = 0; j < columns; j++, at += column) {
      const value = TILE[i * TILE_COLUMNS + j];
      data[at] = isFirst ? value : data[at] + rounded(single, value);
    }
  }
}

/** The same sums for few rows of a (float64 sums of a whole row at a time, b read where it stands). */
function multiplyFewRows(
  a: Matrix,
  b: Matrix,
  c: Matrix,
  m: number,
  k: number,
  n: number,
  single: boolean,
): void {
  const sums = new Float64Array(n);
  const { data: x, row: bRow, column: bColumn } = b;
  const { data: out, column: cColumn } = c;
  for (let i = 0; i < m; i++) {
    for (let k0 = 0; k0 === 0 || k0 < k; k0 += DEPTH) {
      const end = Math.min(k, k0 + DEPTH);
      sums.fill(0);
      let from = a.at + i * a.row + k0 * a.column;
      let p = k0;
      // Four steps of k for each load and store of a sum.
      for (; p + 4 <= end; p += 4, from += 4 * a.column) {
        const a0 = a.data[from];
        const a1 = a.data[from + a.column];
        const a2 = a.data[from + 2 * a.column];
        const a3 = a.data[from + 3 * a.column];
        let q0 = b.at + p * bRow;
        let q1 = q0 + bRow;
        let q2 = q1 + bRow;
        let q3 = q2 + bRow;
        for (let j = 0; j < n; j++, q0 += bColumn, q1 += bColumn, q2 += bColumn, q3 += bColumn) {
          sums[j] = sums[j] + a0 * x[q0] + a1 * x[q1] + a2 * x[q2] + a3 * x[q3];
        }
      }
      for (; p < end; p++, from += a.column) {
        const a0 = a.data[from];
        let q0 = b.at + p * bRow;
        for (let j = 0; j < n; j++, q0 += bColumn) sums[j] += a0 * x[q0];
      }
      let to = c.at + i * c.row;
      for (let j = 0; j < n; j++, to += cColumn) {
        out[to] = k0 === 0 ? sums[j] : out[to] + rounded(single, sums[j]);
      }
    }
  }
}

const transposed = ({ data, at, row, column }: Matrix): Matrix => ({ data, at, row: column, column: row });

export const matmul: KernelFactory = (dtype) => {
  const single = dtype === "f32";
  const multiplyTiles = dtype === "i32" ? multiplyIntegerTile : multiplyTile;
  return (buffers, offsets, dims) => {
    const [a, b, c] = buffers as readonly Numbers[];
    const reader = new DimsReader(dims);
    const batch = reader.group();
    const [m, k, n] = [reader.size(), reader.size(), reader.size()];
    const aBatch = reader.strides(batch);
    const aMatrix = { data: a, at: 0, row: reader.stride(), column: reader.stride() };
    const bBatch = reader.strides(batch);
    const bMatrix = { data: b, at: 0, row: reader.stride(), column: reader.stride() };
    const cBatch = reader.strides(batch);
    const cMatrix = { data: c, at: 0, row: reader.stride(), column: reader.stride() };
    const isFloat = dtype !== "i32";
    forEachIndex({ sizes: batch, strides: [aBatch, bBatch, cBatch] }, offsets, (at) => {
      [aMatrix.at, bMatrix.at, cMatrix.at] = at;
      if (isFloat && m <= FEW_ROWS) {
        multiplyFewRows(aMatrix, bMatrix, cMatrix, m, k, n, single);
      } else if (isFloat && n <= FEW_ROWS) {
        // cᵀ = bᵀ·aᵀ, term by term.
        multiplyFewRows(transposed(bMatrix), transposed(aMatrix), transposed(cMatrix), n, k, m, single);
      } else {
        multiply(aMatrix, bMatrix, cMatrix, m, k, n, single, multiplyTiles);
      }
    });
  };
};
