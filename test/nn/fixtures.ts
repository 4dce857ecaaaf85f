/** PyTorch's values (test/fixtures, made by scripts/make_fixtures.py), and comparison with them. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { DType } from "../../lib/ndarray/dtype.js";
import { type Tensor, tensor } from "../../lib/tensor.js";

/** A tensor in a fixture; float64 unless it says otherwise. */
export interface Dump {
  shape: number[];
  data: number[];
  dtype?: DType;
}

export function readFixture<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8")) as Content;
}

export const fromDump = ({ shape, data, dtype = "float64" }: Dump, requiresGrad = false): Tensor =>
  tensor(data, { shape, dtype, requiresGrad });

/** Both are float64 and differ in the order of operations only: a few roundings of the largest element. */
const ROUNDINGS = 1e-13;

/** Checks shape and elements against a fixture. */
export function expectClose(
  actual: Tensor | null,
  expected: Dump,
  what: string,
  tolerance = ROUNDINGS,
): void {
  expect(actual?.shape, `shape of ${what}`).toEqual(expected.shape);
  const scale = Math.max(...expected.data.map(Math.abs), 1);
  Array.from(actual?.data ?? [], Number).forEach((value, i) => {
    const message = `element ${i} of ${what}: ${value}, PyTorch has ${expected.data[i]}`;
    expect(Math.abs(value - expected.data[i]) <= tolerance * scale, message).toBe(true);
  });
}
