import { describe, expect, test } from "vitest";
import { ArgumentError, IndexError, ShapeError } from "../../lib/errors.js";
import { arange, array, ones, zeros } from "../../lib/ndarray/creation.js";
import { concat, split, stack } from "../../lib/ndarray/joining.js";
import { thrown } from "./thrown.js";

describe("concat", () => {
  test("joins along any axis", () => {
    const a = array([[1, 2]]);
    expect(concat([a, array([[3, 4]])]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(concat([a, array([[3]])], -1).toArray()).toEqual([[1, 2, 3]]);
    expect(concat([zeros([0, 2]), a, zeros([0, 2])]).toArray()).toEqual([[1, 2]]);
  });

  test("the strongest dtype wins", () => {
    const joined = concat([array([true]), array([7], { dtype: "int32" }), array([0.5])]);
    expect(joined.dtype).toBe("float32");
    expect(joined.toArray()).toEqual([1, 7, 0.5]);
    expect(concat([array([true]), array([false])]).toArray()).toEqual([true, false]);
    expect(concat([array([true]), array([7], { dtype: "uint8" })]).toArray()).toEqual([1, 7]);
  });

  test("never shares memory, even for one array", () => {
    const a = arange(2);
    expect(concat([a]).storage).not.toBe(a.storage);
  });

  test("names the array whose shape does not fit", () => {
    const error = thrown(() => concat([zeros([2, 3]), zeros([1, 3]), zeros([2, 4])]));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe(
      "concat: array 2 has shape [2,4], array 0 has [2,3]; shapes may differ on axis 0 only",
    );
    expect(() => concat([zeros([2]), zeros([2, 1])])).toThrow(ShapeError);
    expect(() => concat([])).toThrow(ArgumentError);
    expect(() => concat([array(1), array(2)])).toThrow(IndexError);
    expect(() => concat([zeros([2])], 1)).toThrow(IndexError);
  });
});

describe("stack", () => {
  test("adds an axis", () => {
    expect(stack([array(1), array(2)]).toArray()).toEqual([1, 2]);
    expect(stack([zeros([2]), ones([2])], -1).toArray()).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test("needs equal shapes", () => {
    expect(thrown(() => stack([zeros([2]), zeros([1])])).message).toBe(
      "stack: array 1 has shape [1], array 0 has [2]; all shapes must be the same",
    );
    expect(() => stack([])).toThrow(ArgumentError);
    expect(() => stack([zeros([2])], 2)).toThrow(IndexError);
    expect(() => stack([zeros(new Array(16).fill(1))])).toThrow(ShapeError);
  });
});

describe("split", () => {
  test("into equal parts or given sizes, as views", () => {
    const x = arange(6);
    expect(split(x, 3).map((part) => part.toArray())).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(split(x, [1, 0, 5]).map((part) => part.shape)).toEqual([[1], [0], [5]]);
    expect(split(x.reshape([2, 3]), 3, 1)[2].toArray()).toEqual([[2], [5]]);
    expect(split(x, 2)[1].storage).toBe(x.storage);
  });

  test("refuses parts that do not make up the axis", () => {
    const x = arange(6);
    expect(thrown(() => split(x, 4)).message).toContain(
      "axis 0 has size 6 and cannot be cut into 4 equal parts",
    );
    expect(thrown(() => split(x, [2, 3])).message).toContain(
      "sizes [2,3] must be non-negative integers that add up to 6",
    );
    expect(() => split(x, [7, -1])).toThrow(ShapeError);
    expect(() => split(x, 0)).toThrow(ArgumentError);
    expect(() => split(x, 2, 1)).toThrow(IndexError);
  });
});
