import { describe, expect, test } from "vitest";
import { ArgumentError, IndexError, ShapeError } from "../../lib/errors.js";
import { arange, array, zeros } from "../../lib/ndarray/creation.js";
import { type Bounds, newAxis, type SliceRange } from "../../lib/ndarray/slicing.js";
import { thrown } from "./thrown.js";

describe("bounds", () => {
  // Values by CPython's list(range(*slice(...).indices(5))).
  test.each<[Bounds, number[]]>([
    [[], [0, 1, 2, 3, 4]],
    [
      [null, null, -1],
      [4, 3, 2, 1, 0],
    ],
    [
      [null, null, 2],
      [0, 2, 4],
    ],
    [
      [-100, null, 3],
      [0, 3],
    ],
    [
      [100, null, -2],
      [4, 2, 0],
    ],
    [
      [null, -100, -1],
      [4, 3, 2, 1, 0],
    ],
    [
      [3, 0, -2],
      [3, 1],
    ],
    [
      [-1, 0, -3],
      [4, 1],
    ],
    [
      [1, -1],
      [1, 2, 3],
    ],
    [[4, 1], []],
    [
      [undefined, 1, -1],
      [4, 3, 2],
    ],
    [[0, null, -1], [0]],
    [
      [-2, -9, -1],
      [3, 2, 1, 0],
    ],
    [[2, 2], []],
    [[null, null, -7], [4]],
  ])("%j of five elements selects %j", (bounds, expected) => {
    expect(arange(5).slice(bounds).toArray()).toEqual(expected);
  });

  test("are refused unless integers with a step that is not 0", () => {
    const x = arange(5);
    expect(thrown(() => x.slice([0, 5, 0]))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => x.slice([0.5])).message).toContain("integers or null, got 0.5");
    expect(() => x.slice([0, Number.POSITIVE_INFINITY])).toThrow(ArgumentError);
    expect(() => x.slice([0, 1, 1, 1] as never)).toThrow(ArgumentError);
  });
});

describe("ranges", () => {
  const x = arange(24).reshape([2, 3, 4]);

  test.each<[string, SliceRange[], number[], number[]]>([
    ["integers drop axes", [1, -1], [4], [20, 21, 22, 23]],
    ["null keeps an axis", [null, 0, 0], [2], [0, 12]],
    ["ellipsis fills the middle", [0, "...", 1], [3], [1, 5, 9]],
    ["ellipsis may stand for no axis", [0, 1, "...", 2], [], [6]],
    ["newAxis adds one", [newAxis, 0, 0, newAxis, [0, 2]], [1, 1, 2], [0, 1]],
    ["newAxis after the last axis", ["...", 0, 0, newAxis], [2, 1], [0, 12]],
    ["bounds on each axis", [[1], [null, null, -2], [1, 3]], [1, 2, 2], [21, 22, 13, 14]],
  ])("%s", (_, ranges, shape, expected) => {
    const y = x.slice(...ranges);
    expect(y.shape).toEqual(shape);
    expect([...y.data]).toEqual(expected);
    expect(y.storage).toBe(x.storage);
  });

  test("of nothing is the array itself, as a view", () => {
    expect(x.slice().toArray()).toEqual(x.toArray());
    expect(array(7).slice("...").item()).toBe(7);
  });

  test("an empty part has no elements, whatever its neighbours", () => {
    const y = zeros([0, 3]).slice(null, 2);
    expect(y.shape).toEqual([0]);
    expect([...y.data]).toEqual([]);
    expect(x.slice([5, 9], 2).toArray()).toEqual([]);
    expect(x.slice([9], [9], [9]).offset).toBe(0);
  });

  test("errors name the index, the axis and the range", () => {
    const error = thrown(() => x.slice(0, 3));
    expect(error).toBeInstanceOf(IndexError);
    expect(error.message).toBe("slice: index 3 is outside [-3, 3) on axis 1");
    expect(() => x.slice(-3)).toThrow(IndexError);
    expect(thrown(() => x.slice(0, 0, 0, 0)).message).toBe(
      "slice: 4 ranges for shape [2,3,4]; at most 3 fit",
    );
    expect(thrown(() => x.slice("...", "..."))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => x.slice("...", "...")).message).toBe('slice: "..." may occur only once');
    expect(thrown(() => x.slice(1.5)).message).toContain("range 0 is 1.5");
    expect(() => x.slice("1:2" as never)).toThrow(ArgumentError);
    expect(() => x.slice(...new Array(14).fill(newAxis))).toThrow(ShapeError);
  });
});
