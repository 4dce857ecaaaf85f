import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../../lib/errors.js";
import { arange, array, zeros } from "../../lib/ndarray/creation.js";
import { DTYPES } from "../../lib/ndarray/dtype.js";
import { thrown } from "./thrown.js";

const x = arange(12).reshape([3, 4]);

describe("take", () => {
  test.each(DTYPES)("keeps dtype %s", (dtype) => {
    const source = array([0, 1, 2], { dtype });
    const all = source.toArray() as unknown[];
    const y = source.take([2, 0]);
    expect(y.dtype).toBe(dtype);
    expect(y.toArray()).toEqual([all[2], all[0]]);
  });

  test("the indices' shape stands in place of the axis", () => {
    expect(x.take(1).toArray()).toEqual([4, 5, 6, 7]);
    expect(x.take(-1, 1).toArray()).toEqual([3, 7, 11]);
    expect(x.take([[0, 2]]).shape).toEqual([1, 2, 4]);
    expect(x.take([[0], [-1]], -1).toArray()).toEqual([
      [[0], [3]],
      [[4], [7]],
      [[8], [11]],
    ]);
    expect(x.take([]).shape).toEqual([0, 4]);
    expect(x.take(array([0, 2], { dtype: "uint8" })).toArray()).toEqual([
      [0, 1, 2, 3],
      [8, 9, 10, 11],
    ]);
  });

  test("a middle axis, with either outer axis the longer", () => {
    const index = [1, 0, 1];
    for (const shape of [
      [2, 2, 5],
      [5, 2, 2],
    ]) {
      const y = arange(20).reshape(shape);
      const expected = (y.toArray() as number[][][]).map((row) => index.map((i) => row[i]));
      expect(y.take(index, 1).toArray()).toEqual(expected);
    }
  });

  test("an index outside the axis is named as given", () => {
    const y = zeros([10]);
    const error = thrown(() => y.take([0, 1, 2, 12]));
    expect(error).toBeInstanceOf(IndexError);
    expect(error.message).toBe("take: index 12 at position 3 is outside [-10, 10) on axis 0");
    expect(thrown(() => x.take(4, -1)).message).toBe("take: index 4 is outside [-4, 4) on axis 1");
    expect(
      thrown(() =>
        y.take([
          [0, 1],
          [2, -11],
        ]),
      ).message,
    ).toBe("take: index -11 at position [1,1] is outside [-10, 10) on axis 0");
    expect(thrown(() => y.take(array([2n ** 40n]))).message).toContain("index 1099511627776 at position 0");
    expect(() => zeros([0]).take(0)).toThrow(IndexError);
  });

  test("indices must be whole numbers", () => {
    expect(thrown(() => x.take([0, 0.5])).message).toBe("take: index 0.5 at position 1 is not an integer");
    expect(() => x.take(Number.NaN)).toThrow(ArgumentError);
    expect(thrown(() => x.take(arange(2))).message).toContain("must be int32, uint8 or int64, got float32");
    expect(thrown(() => x.take(array([true]))).message).toContain("use mask");
    expect(() => x.take([true] as never)).toThrow(DTypeError);
    expect(thrown(() => x.take(null as never)).message).toContain("take: the value is null");
    expect(thrown(() => x.take(Int32Array.of(1) as never)).message).toContain("is an object (Int32Array)");
    expect(() => x.take([[0], [0, 1]])).toThrow(ShapeError);
    expect(() => x.take(0, 2)).toThrow(IndexError);
    expect(() => array(1).take(0)).toThrow(IndexError);
  });

  test("the result has at most 16 axes", () => {
    expect(() => zeros(new Array(16).fill(1)).take([[0]])).toThrow(ShapeError);
  });
});

describe("mask", () => {
  test("over all axes gives a list, over leading ones rows", () => {
    expect(x.mask(array([true, false, true])).toArray()).toEqual([
      [0, 1, 2, 3],
      [8, 9, 10, 11],
    ]);
    const odd = array((x.toArray() as number[][]).map((row) => row.map((value) => value % 2 === 1)));
    expect(x.mask(odd).toArray()).toEqual([1, 3, 5, 7, 9, 11]);
    expect(x.transpose().mask(odd.transpose()).toArray()).toEqual([1, 5, 9, 3, 7, 11]);
  });

  test("0-d masks select all or nothing", () => {
    expect(x.mask(array(true)).shape).toEqual([1, 3, 4]);
    expect(x.mask(array(false)).shape).toEqual([0, 3, 4]);
    expect(array(5).mask(array(true)).toArray()).toEqual([5]);
  });

  test("must be bool and fit the leading axes", () => {
    expect(thrown(() => x.mask(arange(3)))).toBeInstanceOf(DTypeError);
    expect(thrown(() => x.mask(array([true, false]))).message).toContain(
      "mask shape [2] is not a leading part of shape [3,4]",
    );
    expect(() => arange(3).mask(array([[true], [true], [true]]))).toThrow(ShapeError);
  });
});
