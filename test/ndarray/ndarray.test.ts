import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../../lib/errors.js";
import { arange, array, fromTypedArray, full, zeros } from "../../lib/ndarray/creation.js";
import type { DType } from "../../lib/ndarray/dtype.js";
import { NDArray } from "../../lib/ndarray/ndarray.js";
import { Storage } from "../../lib/ndarray/storage.js";
import { thrown } from "./thrown.js";

const x = arange(6).reshape([2, 3]);

describe("the window", () => {
  test("size, rank and contiguity", () => {
    expect([x.size, x.ndim, x.isContiguous]).toEqual([6, 2, true]);
    expect([x.transpose().size, x.transpose().isContiguous]).toEqual([6, false]);
    expect([array(1).size, array(1).ndim, array(1).isContiguous]).toEqual([1, 0, true]);
    expect([zeros([0, 4]).size, zeros([0, 4]).ndim]).toEqual([0, 2]);
  });

  test("the constructor's strides and offset default to a compact array", () => {
    const storage = new Storage(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(storage.version).toBe(0);
    expect(new NDArray(storage, "float32", [3, 2]).toArray()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(new NDArray(storage, "float32", [2], [-2], 5).toArray()).toEqual([5, 3]);
  });

  test("data shares memory with a contiguous view and copies any other", () => {
    const y = arange(6);
    expect(y.data).toBe(y.storage.data);
    const part = y.slice([2, 4]);
    part.data[0] = 9;
    expect(y.toArray()).toEqual([0, 1, 9, 3, 4, 5]);
    const reversed = y.slice([null, null, -1]);
    reversed.data[0] = 7;
    expect(reversed.toArray()).toEqual([5, 4, 3, 9, 1, 0]);
  });
});

describe("views", () => {
  test("share their storage and see its writes", () => {
    const y = arange(6).reshape([2, 3]);
    const seen = [y.transpose(), y.permute([1, 0]), y.slice(null, [1]), y.expandDims(0), y.flatten()];
    for (const view of seen) expect(view.storage).toBe(y.storage);
    y.storage.data[5] = 50;
    expect(seen[0].toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 50],
    ]);
  });

  test("reshape copies only where it must", () => {
    const columns = x.transpose();
    expect(columns.reshape([3, 1, 2]).storage).toBe(x.storage);
    const copy = columns.reshape([-1]);
    expect(copy.storage).not.toBe(x.storage);
    expect(copy.toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(() => x.reshape([4])).toThrow(ShapeError);
  });

  test("a shape handed in may change afterwards", () => {
    const shape = [3, 2];
    const views = [x.reshape(shape), array([[1], [2], [3]]).broadcastTo(shape), zeros(shape), full(shape, 1)];
    shape[0] = 99;
    for (const view of views) expect(view.shape).toEqual([3, 2]);
  });

  test("transpose swaps the last two axes, or those named", () => {
    const y = zeros([2, 3, 4]);
    expect(y.transpose().shape).toEqual([2, 4, 3]);
    expect(y.transpose(0, -1).shape).toEqual([4, 3, 2]);
    expect(y.transpose(1, 1).shape).toEqual([2, 3, 4]);
    expect(() => zeros([3]).transpose()).toThrow(IndexError);
  });

  test("permute takes each axis once", () => {
    expect(zeros([2, 3, 4]).permute([-1, 0, 1]).shape).toEqual([4, 2, 3]);
    expect(() => x.permute([0])).toThrow(ShapeError);
    expect(() => x.permute([0, 0])).toThrow(ArgumentError);
    expect(() => x.permute([0, 2])).toThrow(IndexError);
  });

  test("expandDims and squeeze undo each other", () => {
    expect(x.expandDims(0).shape).toEqual([1, 2, 3]);
    expect(x.expandDims(-1).shape).toEqual([2, 3, 1]);
    expect(x.expandDims(1).squeeze(1).toArray()).toEqual(x.toArray());
    expect(zeros([1, 2, 1]).squeeze().shape).toEqual([2]);
    expect(zeros([1, 2, 1]).squeeze(-1).shape).toEqual([1, 2]);
    expect(zeros([1, 2, 1]).squeeze([0, 2]).shape).toEqual([2]);
    expect(thrown(() => x.squeeze(0)).message).toContain("axis 0 of shape [2,3] has size 2");
    expect(() => x.expandDims(3)).toThrow(IndexError);
    expect(() => zeros(new Array(16).fill(1)).expandDims(0)).toThrow(ShapeError);
  });

  test("broadcastTo repeats without copying", () => {
    const y = arange(3).broadcastTo([2, 3]);
    expect(y.strides).toEqual([0, 1]);
    expect(y.toArray()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(thrown(() => x.broadcastTo([3, 3])).message).toContain("shape [2,3] cannot become [3,3]");
  });

  test("flatten merges a run of axes; 0-d becomes 1-d", () => {
    expect(zeros([2, 3, 4]).flatten(1).shape).toEqual([2, 12]);
    expect(zeros([2, 3, 4]).flatten(0, 1).shape).toEqual([6, 4]);
    expect(array(5).flatten().toArray()).toEqual([5]);
    expect(() => zeros([2, 3]).flatten(1, 0)).toThrow(ShapeError);
  });
});

describe("astype", () => {
  test("between floats and integers truncates, saturates and makes NaN 0", () => {
    const y = array([1.9, -1.9, 1e10, Number.NaN, -3], { dtype: "float64" });
    expect(y.astype("int32").toArray()).toEqual([1, -1, 2147483647, 0, -3]);
    expect(y.astype("uint8").toArray()).toEqual([1, 0, 255, 0, 0]);
    expect(y.astype("int64").toArray()).toEqual([1n, -1n, 10000000000n, 0n, -3n]);
    expect(y.astype("bool").toArray()).toEqual([true, true, true, true, true]);
  });

  test("to bool is x ≠ 0 from every type", () => {
    for (const dtype of ["float32", "float64", "int32", "uint8", "int64"] as const) {
      const y = array([0, 2, 1], { dtype }).astype("bool");
      expect(y.dtype).toBe("bool");
      expect([...y.data]).toEqual([0, 1, 1]);
    }
  });

  test("from bool gives 0 and 1", () => {
    for (const dtype of ["float32", "float64", "int32", "uint8"] as const) {
      expect(array([true, false]).astype(dtype).toArray()).toEqual([1, 0]);
    }
    expect(array([true, false]).astype("int64").toArray()).toEqual([1n, 0n]);
  });

  test("copies even to the same dtype, and refuses a name it does not know", () => {
    expect(x.astype("float32").storage).not.toBe(x.storage);
    expect(thrown(() => x.astype("float16" as DType))).toBeInstanceOf(DTypeError);
  });
});

describe("values out", () => {
  test("item gives the only element in its kind", () => {
    expect(arange(5).slice(3).item()).toBe(3);
    expect(array([[true]]).item()).toBe(true);
    expect(array(5n).item()).toBe(5n);
    expect(thrown(() => x.item()).message).toBe("item: shape [2,3] has 6 elements; needs exactly 1");
    expect(() => zeros([0]).item()).toThrow(ShapeError);
  });

  test("toArray gives nested lists in the element's kind", () => {
    expect(array(2).toArray()).toBe(2);
    expect(zeros([2, 0]).toArray()).toEqual([[], []]);
    expect(array([[true], [false]]).toArray()).toEqual([[true], [false]]);
    expect(fromTypedArray(BigInt64Array.of(-1n), [1]).toArray()).toEqual([-1n]);
  });
});
