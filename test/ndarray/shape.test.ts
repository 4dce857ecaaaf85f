import { describe, expect, test } from "vitest";
import { ArgumentError, IndexError, ShapeError } from "../../lib/errors.js";
import {
  broadcastShapes,
  checkShape,
  inferShape,
  normalizeAxes,
  normalizeAxis,
} from "../../lib/ndarray/shape.js";
import { thrown } from "./thrown.js";

describe("broadcastShapes", () => {
  test.each([
    [
      [[2, 3], [3]],
      [2, 3],
    ],
    [
      [
        [2, 1],
        [1, 3],
      ],
      [2, 3],
    ],
    [[[], [4]], [4]],
    [[[1], [0]], [0]],
    [
      [[5, 1, 2], [3, 1], [1]],
      [5, 3, 2],
    ],
    [[[]], []],
    [[], []],
  ])("%j meet in %j", (shapes, expected) => {
    expect(broadcastShapes("add", shapes)).toEqual(expected);
  });

  test("names the operation, the shapes and the axis that differ", () => {
    const error = thrown(() =>
      broadcastShapes("add", [
        [2, 3],
        [4, 2, 4],
      ]),
    );
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe(
      "add: shapes [2,3] and [4,2,4] do not broadcast: axis -1 is 3 and 4; sizes must be equal or 1",
    );
    expect(thrown(() => broadcastShapes("where", [[2], [1], [3]])).message).toContain(
      "where: shapes [2], [1] and [3] do not broadcast",
    );
    expect(() => broadcastShapes("add", [[0], [2]])).toThrow(ShapeError);
  });
});

describe("axes", () => {
  test("count from the front or from the end", () => {
    expect(normalizeAxis("sum", 0, 3)).toBe(0);
    expect(normalizeAxis("sum", -1, 3)).toBe(2);
    expect(normalizeAxis("sum", -3, 3)).toBe(0);
    expect(normalizeAxes("sum", [-1, 0], 3)).toEqual([2, 0]);
  });

  test("outside the rank are IndexErrors with the range", () => {
    const error = thrown(() => normalizeAxis("sum", 3, 3));
    expect(error).toBeInstanceOf(IndexError);
    expect(error.message).toBe("sum: axis 3 is outside [-3, 3)");
    expect(thrown(() => normalizeAxis("sum", -4, 3)).message).toBe("sum: axis -4 is outside [-3, 3)");
    expect(thrown(() => normalizeAxis("sum", 0, 0)).message).toContain("a 0-d array has no axes");
  });

  test("must be integers and distinct", () => {
    expect(() => normalizeAxis("sum", 0.5, 3)).toThrow(ArgumentError);
    expect(thrown(() => normalizeAxes("sum", [1, -2], 3)).message).toBe("sum: axis 1 occurs twice in [1,-2]");
  });
});

describe("checkShape", () => {
  test.each([
    [[2, -1], "shape [2,-1] has -1 on axis 1"],
    [[1.5], "has 1.5 on axis 0"],
    [[Number.NaN], "has NaN on axis 0"],
    [new Array(17).fill(1), "17 axes; at most 16"],
    [[2 ** 30, 2 ** 30], "more than 2^53 - 1 elements"],
    [3 as unknown as number[], "must be an array of integers, got 3"],
  ])("refuses %j", (shape, message) => {
    const error = thrown(() => checkShape("zeros", shape));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toContain("zeros: ");
    expect(error.message).toContain(message);
  });

  test("takes 0-d, empty and 16 axes", () => {
    for (const shape of [[], [0], [3, 0, 2], new Array(16).fill(1)]) checkShape("zeros", shape);
  });
});

describe("inferShape", () => {
  test("fills in the -1", () => {
    expect(inferShape("reshape", [-1], [2, 3])).toEqual([6]);
    expect(inferShape("reshape", [3, -1], [2, 3])).toEqual([3, 2]);
    expect(inferShape("reshape", [-1, 2], [0])).toEqual([0, 2]);
    expect(inferShape("reshape", [1, -1, 1], [])).toEqual([1, 1, 1]);
  });

  test.each([
    [[4], [2, 3], "shape [2,3] has 6 elements and cannot become [4]"],
    [[4, -1], [2, 3], "shape [2,3] has 6 elements and cannot become [4,-1]"],
    [[-1, -1], [2, 3], "[-1,-1] has more than one -1"],
    [[0, -1], [0], "the -1 in [0,-1] is ambiguous beside a size of 0"],
    [[-2, 3], [2, 3], "has -2 on axis 0"],
  ])("refuses %j for %j", (requested, from, message) => {
    const error = thrown(() => inferShape("reshape", requested, from));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toContain(message);
  });
});
