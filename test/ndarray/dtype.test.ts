import { expect, test } from "vitest";
import { DTypeError } from "../../lib/errors.js";
import {
  bytesOf,
  checkDType,
  DTYPES,
  type DType,
  dtypeOfTypedArray,
  isFloat,
  promote,
  zeroedStorage,
} from "../../lib/ndarray/dtype.js";
import { thrown } from "./thrown.js";

test("bytesOf is what the storage takes, and the storage tells its dtype", () => {
  for (const dtype of DTYPES) {
    const storage = zeroedStorage(dtype, 3);
    expect(storage.byteLength).toBe(3 * bytesOf(dtype));
    expect(dtypeOfTypedArray(storage)).toBe(dtype === "bool" ? "uint8" : dtype);
  }
  expect(dtypeOfTypedArray(new Uint16Array(1))).toBeUndefined();
});

test("promotion takes the stronger of two", () => {
  const order: DType[] = ["bool", "uint8", "int32", "int64", "float32", "float64"];
  for (const [i, a] of order.entries()) {
    for (const [j, b] of order.entries()) expect(promote(a, b)).toBe(order[Math.max(i, j)]);
  }
});

test("only float32 and float64 are floats", () => {
  expect(DTYPES.filter(isFloat)).toEqual(["float32", "float64"]);
});

test("an unknown dtype is an error that lists the known ones", () => {
  expect(checkDType("zeros", "int32")).toBe("int32");
  const error = thrown(() => checkDType("zeros", "float16"));
  expect(error).toBeInstanceOf(DTypeError);
  expect(error.message).toBe(
    "zeros: unknown dtype float16; use one of float32, float64, int32, uint8, bool, int64",
  );
});
