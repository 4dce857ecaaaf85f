import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../lib/errors.js";
import {
  broadcastStrides,
  coalesce,
  contiguousStrides,
  isContiguous,
  reshapeStrides,
} from "../../lib/ndarray/strides.js";
import { build, flat } from "./model.js";

/** Memory positions of the elements in row-major order. */
const positions = (shape: readonly number[], strides: readonly number[]) =>
  flat(build(shape, (index) => index.reduce((at, i, axis) => at + i * strides[axis], 0)));

const layouts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -12, max: 12 })), { maxLength: 4 })
  .map((axes) => ({ shape: axes.map(([size]) => size), strides: axes.map(([, stride]) => stride) }));

describe("contiguity", () => {
  test("contiguousStrides are row-major", () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
  });

  test("isContiguous ignores axes of size 1 and empty arrays", () => {
    expect(isContiguous([2, 3], [3, 1])).toBe(true);
    expect(isContiguous([2, 3], [1, 2])).toBe(false);
    expect(isContiguous([1, 3], [99, 1])).toBe(true);
    expect(isContiguous([3], [-1])).toBe(false);
    expect(isContiguous([0, 3], [7, 7])).toBe(true);
    expect(isContiguous([3, 0], [7, 7])).toBe(true);
    expect(isContiguous([], [])).toBe(true);
  });
});

describe("coalesce", () => {
  test("merges what every operand steps through as one axis", () => {
    expect(coalesce([2, 3, 4], [12, 4, 1])).toEqual({ shape: [24], strides: [[1]] });
    expect(coalesce([2, 3, 4], [12, 4, 1], [4, 8, 1])).toEqual({
      shape: [2, 3, 4],
      strides: [
        [12, 4, 1],
        [4, 8, 1],
      ],
    });
    expect(coalesce([2, 3, 4], [12, 4, 1], [0, 0, 0])).toEqual({
      shape: [24],
      strides: [[1], [0]],
    });
    expect(coalesce([2, 3, 4], [12, 4, 1], [1, 0, 0])).toEqual({
      shape: [2, 12],
      strides: [
        [12, 1],
        [1, 0],
      ],
    });
    expect(coalesce([1, 5, 1], [9, 2, 9])).toEqual({ shape: [5], strides: [[2]] });
    expect(coalesce([1, 1], [9, 2])).toEqual({ shape: [], strides: [[]] });
  });

  test("keeps every position and its order, and leaves nothing to merge", () => {
    const property = fc.property(
      layouts,
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 4, maxLength: 4 }),
      (a, other) => {
        const second = other.slice(0, a.shape.length);
        const merged = coalesce(a.shape, a.strides, second);
        expect(positions(merged.shape, merged.strides[0])).toEqual(positions(a.shape, a.strides));
        expect(positions(merged.shape, merged.strides[1])).toEqual(positions(a.shape, second));
        expect(merged.shape).not.toContain(1);
        for (let axis = 1; axis < merged.shape.length; axis++) {
          expect(merged.strides.every((s) => s[axis - 1] === s[axis] * merged.shape[axis])).toBe(false);
        }
      },
    );
    fc.assert(property);
  });

  test("an empty shape stays empty", () => {
    expect(coalesce([3, 0, 2], [0, 2, 1]).shape.includes(0)).toBe(true);
  });
});

describe("reshapeStrides", () => {
  test.each([
    [
      [4, 6],
      [6, 1],
      [2, 2, 3, 2],
      [12, 6, 2, 1],
    ],
    [[4, 3], [6, 2], [12], [2]],
    [
      [4, 3],
      [6, 1],
      [2, 2, 3],
      [12, 6, 1],
    ],
    [
      [4, 3],
      [0, 1],
      [2, 2, 3],
      [0, 0, 1],
    ],
    [[4], [-1], [2, 2], [-2, -1]],
    [[2, 1, 3], [3, 77, 1], [6], [1]],
  ])("%j over %j is seen as %j", (from, strides, to, expected) => {
    expect(reshapeStrides(from, strides, to)).toEqual(expected);
  });

  test.each([
    [[3, 2], [1, 3], [6]],
    [[4, 3], [6, 1], [12]],
    [
      [4, 3],
      [6, 1],
      [6, 2],
    ],
    [[2, 3], [0, 1], [6]],
  ])("%j over %j needs a copy to become %j", (from, strides, to) => {
    expect(reshapeStrides(from, strides, to)).toBeUndefined();
  });

  test("gives the same positions, or undefined exactly when no strides can", () => {
    const property = fc.property(layouts, fc.nat(), ({ shape, strides }, choice) => {
      const size = shape.reduce((p, s) => p * s, 1);
      const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((d) => size % d === 0);
      const outer = divisors[choice % divisors.length];
      const to = [outer, size / outer];
      const wanted = positions(shape, strides) as number[];
      const found = reshapeStrides(shape, strides, to);
      // The only candidate: the steps to the neighbours of the first element.
      const candidate = [outer > 1 ? wanted[to[1]] : 0, to[1] > 1 ? wanted[1] : 0];
      const possible = positions(to, candidate).every((at, i) => at === wanted[i]);
      expect(found !== undefined).toBe(possible);
      if (found) expect(positions(to, found)).toEqual(wanted);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe("broadcastStrides", () => {
  test("puts 0 on repeated axes", () => {
    expect(broadcastStrides("broadcastTo", [3, 1], [1, 1], [2, 3, 4])).toEqual([0, 1, 0]);
    expect(broadcastStrides("broadcastTo", [1], [5], [1])).toEqual([5]);
  });

  test.each([
    [[3], [4]],
    [[2, 3], [3]],
    [[3], [1]],
    [[2], [0]],
  ])("refuses %j as %j", (from, to) => {
    expect(() => broadcastStrides("broadcastTo", from, contiguousStrides(from), to)).toThrow(ShapeError);
  });
});
