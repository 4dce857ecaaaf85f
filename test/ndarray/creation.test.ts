import { afterEach, describe, expect, test, vi } from "vitest";
import { ArgumentError, DTypeError, ShapeError } from "../../lib/errors.js";
import {
  arange,
  array,
  empty,
  eye,
  fromFunction,
  fromTypedArray,
  full,
  linspace,
  ones,
  zeros,
} from "../../lib/ndarray/creation.js";
import { DTYPES, type DType } from "../../lib/ndarray/dtype.js";
import { uninitializedStorage } from "../../lib/ndarray/storage.js";
import { backendInfo, executor } from "../../lib/runtime/executor.js";
import { thrown } from "./thrown.js";

afterEach(() => vi.unstubAllGlobals());

describe("array", () => {
  test("takes the dtype from the kind of the values", () => {
    expect(array([[1, 2.5]])).toMatchObject({ dtype: "float32", shape: [1, 2] });
    expect(array([true, false])).toMatchObject({ dtype: "bool", shape: [2] });
    expect(array(3n)).toMatchObject({ dtype: "int64", shape: [] });
    expect(array([])).toMatchObject({ dtype: "float32", shape: [0] });
    expect(array([[], []])).toMatchObject({ dtype: "float32", shape: [2, 0] });
    expect(array([0.1]).toArray()).toEqual([Math.fround(0.1)]);
  });

  test.each<[DType, unknown]>([
    ["float32", [Math.fround(1.7), -2]],
    ["float64", [1.7, -2]],
    ["int32", [1, -2]],
    ["uint8", [1, 0]],
    ["bool", [true, true]],
    ["int64", [1n, -2n]],
  ])("converts numbers to %s as astype does", (dtype, expected) => {
    expect(array([1.7, -2], { dtype }).toArray()).toEqual(expected);
  });

  test("converts booleans and bigints", () => {
    expect(array([true, false], { dtype: "float32" }).toArray()).toEqual([1, 0]);
    expect(array([2n ** 40n], { dtype: "float64" }).toArray()).toEqual([2 ** 40]);
    expect(array([-(2n ** 63n)]).toArray()).toEqual([-(2n ** 63n)]);
    expect(() => array([2n ** 63n])).toThrow(DTypeError);
  });

  test("copies typed arrays, keeping their dtype", () => {
    const source = Int32Array.of(1, 2, 3, 4);
    const x = array(source, { shape: [2, 2] });
    source[0] = 9;
    expect(x.dtype).toBe("int32");
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(array(Uint8ClampedArray.of(7))).toMatchObject({ dtype: "uint8" });
    expect(array(Float64Array.of(1.5), { dtype: "int32" }).toArray()).toEqual([1]);
    expect(() => array(source, { shape: [3] })).toThrow(ShapeError);
  });

  test("copies arrays", () => {
    const x = arange(4);
    const y = array(x.slice([null, null, -1]), { dtype: "int32" });
    expect(y.toArray()).toEqual([3, 2, 1, 0]);
    expect(array(x).storage).not.toBe(x.storage);
  });

  test("gives nested values another shape of the same size", () => {
    expect(array([1, 2, 3, 4], { shape: [2, 2] }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(thrown(() => array([1, 2], { shape: [3] })).message).toContain("needs 3 values, but there are 2");
  });

  test.each<[unknown, string]>([
    [
      [
        [1, 2, 3],
        [1, 2],
      ],
      "[1] has length 2, [0] has length 3",
    ],
    [
      [
        [[1], [2]],
        [[1], [2, 3]],
      ],
      "[1][1] has length 2, [0][0] has length 1",
    ],
    [[[1], 2], "[1] is a number, [0] is an array"],
    [[1, [2]], "[1] is an array, [0] is a number"],
    [[[], [1]], "[1] has length 1, [0] has length 0"],
  ])("refuses ragged %j", (value, message) => {
    const error = thrown(() => array(value as number[]));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe(`array: ragged nested array: ${message}`);
  });

  test.each<[string, unknown, string]>([
    [
      "mixed kinds",
      [1, true],
      "array: mixed kinds: [1] is a boolean, [0] is a number; all elements must be of one kind",
    ],
    ["number and bigint", [[1n], [2]], "array: mixed kinds: [1][0] is a number, [0][0] is a bigint"],
    [
      "strings",
      [[1], ["2"]],
      'array: [1][0] is the string "2"; elements must be numbers, booleans or bigints',
    ],
    ["null", [null], "array: [0] is null"],
    ["holes", [1, undefined], "array: [1] is undefined"],
    ["undefined alone", undefined, "array: the value is undefined"],
    ["objects", [{}], "array: [0] is an object (Object)"],
    ["null beside arrays", [[1], null], "array: [1] is null"],
    ["typed arrays in arrays", [Float32Array.of(1)], "array: [0] is an object (Float32Array)"],
  ])("refuses %s", (_, value, message) => {
    const error = thrown(() => array(value as number[]));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toContain(message);
  });

  test("refuses nesting deeper than 16 and cycles", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(thrown(() => array(cycle as number[]))).toBeInstanceOf(ShapeError);
    const nested = (depth: number): number[] => (depth === 0 ? (1 as never) : [nested(depth - 1) as never]);
    expect(array(nested(16)).ndim).toBe(16);
    expect(thrown(() => array(nested(17))).message).toBe("array: arrays are nested more than 16 deep");
  });

  test.each([
    [Int8Array.of(1), "Int32Array.from(data)"],
    [Uint16Array.of(1), "Int32Array.from(data)"],
    [Uint32Array.of(1), "Float64Array.from(data)"],
    [BigUint64Array.of(1n), "BigInt64Array.from(data)"],
    [new DataView(new ArrayBuffer(4)), "new Uint8Array(view.buffer)"],
  ])("refuses %o and says what to convert to", (value, advice) => {
    for (const make of [() => array(value as never), () => fromTypedArray(value as never, [1])]) {
      const error = thrown(make);
      expect(error).toBeInstanceOf(DTypeError);
      expect(error.message).toContain(advice);
    }
  });

  test("refuses an unknown dtype", () => {
    expect(() => array([1], { dtype: "float16" as DType })).toThrow(DTypeError);
  });
});

describe("fromTypedArray", () => {
  test("shares memory", () => {
    const data = Float32Array.of(1, 2, 3, 4);
    const x = fromTypedArray(data, [2, 2]);
    expect(x.storage.data).toBe(data);
    data[3] = 8;
    expect(x.slice(1, 1).item()).toBe(8);
    const clamped = Uint8ClampedArray.of(1, 2);
    const y = fromTypedArray(clamped, [2]);
    clamped[0] = 200;
    expect(y.toArray()).toEqual([200, 2]);
  });

  test("sees a Buffer as plain bytes", () => {
    const x = fromTypedArray(Buffer.from([1, 2, 3]), [3]);
    expect(x.storage.data.constructor).toBe(Uint8Array);
    expect(x.toArray()).toEqual([1, 2, 3]);
  });

  test("bytes may be bool; nothing else changes its type", () => {
    expect(fromTypedArray(Uint8Array.of(0, 1), [2], "bool").toArray()).toEqual([false, true]);
    expect(thrown(() => fromTypedArray(Int32Array.of(1), [1], "float32")).message).toContain(
      "Int32Array data holds int32, not float32",
    );
  });

  test("checks the length", () => {
    const error = thrown(() => fromTypedArray(new Float32Array(5), [2, 3]));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe("fromTypedArray: shape [2,3] needs 6 elements, but the data has 5");
  });
});

describe("rules", () => {
  test.each(DTYPES)("zeros, ones, full, eye and empty of %s", (dtype) => {
    const kind = (value: number) =>
      dtype === "bool" ? value !== 0 : dtype === "int64" ? BigInt(value) : value;
    expect(zeros([2], { dtype }).toArray()).toEqual([0, 0].map(kind));
    expect(ones([2], { dtype }).toArray()).toEqual([1, 1].map(kind));
    expect(full([2], 3, { dtype }).toArray()).toEqual([3, 3].map(kind));
    expect(eye(2, 3, { dtype }).toArray()).toEqual([[1, 0, 0].map(kind), [0, 1, 0].map(kind)]);
    expect(empty([2, 2], { dtype })).toMatchObject({ dtype, shape: [2, 2] });
    expect(empty([2, 2], { dtype }).toArray()).toHaveLength(2);
  });

  test("0-d and empty shapes", () => {
    expect(zeros([]).item()).toBe(0);
    expect(ones([]).item()).toBe(1);
    expect(ones([0, 2]).toArray()).toEqual([]);
    expect(eye(0).shape).toEqual([0, 0]);
  });

  test("full takes its dtype from the value", () => {
    expect(full([1], true)).toMatchObject({ dtype: "bool" });
    expect(full([1], 2.5).toArray()).toEqual([2.5]);
    expect(full([1], 2n ** 62n + 1n).toArray()).toEqual([2n ** 62n + 1n]);
    expect(full([1], 0.5, { dtype: "bool" }).toArray()).toEqual([true]);
    expect(full([1], Number.NaN, { dtype: "bool" }).toArray()).toEqual([true]);
    expect(full([1], 3n, { dtype: "float32" }).toArray()).toEqual([3]);
    expect(() => full([1], 2n ** 63n)).toThrow(DTypeError);
    expect(() => full([1], [1] as never)).toThrow(DTypeError);
  });

  test("arange", () => {
    expect(arange(3).toArray()).toEqual([0, 1, 2]);
    expect(arange(1, 3).toArray()).toEqual([1, 2]);
    expect(arange(5, 0, -2).toArray()).toEqual([5, 3, 1]);
    expect(arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(arange(3, 1).toArray()).toEqual([]);
    expect(arange(2, { dtype: "int64" }).toArray()).toEqual([0n, 1n]);
    expect(arange(1, 3, { dtype: "int32" })).toMatchObject({ dtype: "int32", shape: [2] });
    expect(() => arange(0, 1, 0)).toThrow(ArgumentError);
    expect(() => arange(Number.POSITIVE_INFINITY)).toThrow(ArgumentError);
  });

  test("linspace includes both ends exactly", () => {
    expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(3, 9, 1).toArray()).toEqual([3]);
    expect(linspace(3, 9, 0).toArray()).toEqual([]);
    expect(linspace(0, 1)).toMatchObject({ shape: [50] });
    for (const count of [2, 38, 50]) {
      expect(linspace(0.1, 0.7, count, { dtype: "float64" }).slice(-1).item()).toBe(0.7);
    }
    expect(() => linspace(0, 1, -1)).toThrow(ShapeError);
  });

  test("eye is square unless told otherwise", () => {
    expect(eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(eye(3, 1).toArray()).toEqual([[1], [0], [0]]);
  });

  test("fromFunction is called with every index in order", () => {
    expect(fromFunction([2, 3], (i, j) => 10 * i + j, { dtype: "int32" }).toArray()).toEqual([
      [0, 1, 2],
      [10, 11, 12],
    ]);
    expect(fromFunction([], () => 4).item()).toBe(4);
    expect(fromFunction([2, 0], () => 1).toArray()).toEqual([[], []]);
    expect(thrown(() => fromFunction([2, 2], (i, j) => (i && !j ? ("x" as never) : 1))).message).toContain(
      "gave x (string) at [1,0]",
    );
  });
});

describe("memory", () => {
  test.each(["zeros", "ones", "empty"])("%s too large to allocate is a ShapeError", (name) => {
    const make = { zeros, ones, empty }[name]!;
    const error = thrown(() => make([2 ** 25, 2 ** 20], { dtype: "float64" }));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toContain(`${name}: 35184372088832 elements of float64 need 281474976710656 bytes`);
    expect(() => make([-1])).toThrow(ShapeError);
  });

  test("a broadcast view may be larger than memory, a copy of it may not", () => {
    const x = zeros([1]).broadcastTo([2 ** 50]);
    expect(x.size).toBe(2 ** 50);
    expect(() => x.contiguous()).toThrow(ShapeError);
  });

  test.each(DTYPES)(
    "uninitialized storage of %s has the length asked for, with and without Buffer",
    (dtype) => {
      const lengths = [0, 1, 7, 5000];
      const make = () => lengths.map((length) => uninitializedStorage(dtype, length));
      const withBuffer = make();
      vi.stubGlobal("Buffer", undefined);
      const without = make();
      for (const [i, length] of lengths.entries()) {
        expect(withBuffer[i]).toHaveLength(length);
        expect(without[i]).toHaveLength(length);
        expect(withBuffer[i].constructor).toBe(without[i].constructor);
      }
      // A large one has a buffer of its own, with room to begin on a cache line.
      const { buffer, byteLength } = withBuffer[3];
      expect(buffer.byteLength - byteLength).toBe(64);
    },
  );

  test("the largest begin at different places of their pages", () => {
    for (const make of [empty, zeros]) {
      const places = Array.from({ length: 8 }, () => make([2 ** 16]).data.byteOffset % 4096);
      expect(new Set(places).size).toBe(8);
    }
  });

  test("arrays may have 4 GiB and more", () => {
    // Memory that nothing touches costs nothing. Beyond 2³² bytes there are other ways of asking for it than before.
    for (const bytes of [2 ** 32 - 4096, 2 ** 32, 2 ** 32 + 4096]) {
      expect(empty([bytes / 8], { dtype: "float64" }).data.byteLength).toBe(bytes);
    }
  });

  test.runIf(backendInfo().backend === "native")("large arrays begin on a cache line", () => {
    const arrays = [zeros([2000]), zeros([3000], { dtype: "uint8" }), zeros([999], { dtype: "float64" })];
    const made = uninitializedStorage("float32", 5000);
    for (const data of [made, ...arrays.map((x) => x.storage.data)]) {
      if (data.byteLength > 4096) expect(executor().lineOffset(data)).toBe(0);
    }
  });

  test("small arrays that share a buffer do not overlap, and nobody can move it from under them", () => {
    const lengths = Array.from({ length: 600 }, (_, i) => (i * 7) % 130);
    const arrays = lengths.map((length, i) => {
      const made = uninitializedStorage(i % 2 === 0 ? "float64" : "uint8", length) as Float64Array;
      expect(made).toHaveLength(length);
      return made.fill(i % 256);
    });
    const { port1 } = new MessageChannel();
    for (const [i, made] of arrays.entries()) {
      expect(made.every((value) => value === i % 256)).toBe(true);
      try {
        port1.postMessage(null, [made.buffer as ArrayBuffer]);
      } catch (error) {
        // Later versions of Node say no where Node 20 copies.
        expect(String(error)).toMatch(/DataCloneError/);
      }
      expect(made).toHaveLength(lengths[i]);
    }
    port1.close();
  });
});
