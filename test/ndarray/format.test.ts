import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { arange, array, fromFunction, zeros } from "../../lib/ndarray/creation.js";

const lines = (...text: string[]) => text.join("\n");
const float64 = { dtype: "float64" } as const;

describe("printing", () => {
  test("aligns columns and shows dtype and shape", () => {
    expect(
      String(
        array([
          [1, -20],
          [3.5, 4],
        ]),
      ),
    ).toBe(lines("NDArray(float32)[2, 2]", "[[  1.0, -20.0],", " [  3.5,   4.0]]"));
    expect(String(arange(3))).toBe("NDArray(float32)[3] [0, 1, 2]");
    expect(inspect(arange(3))).toBe("NDArray(float32)[3] [0, 1, 2]");
  });

  test("separates matrices by an empty line", () => {
    expect(String(arange(8, { dtype: "int32" }).reshape([2, 2, 2]))).toBe(
      lines("NDArray(int32)[2, 2, 2]", "[[[0, 1],", "  [2, 3]],", "", " [[4, 5],", "  [6, 7]]]"),
    );
  });

  test("0-d and empty arrays", () => {
    expect(String(array(2.5))).toBe("NDArray(float32)[] 2.5");
    expect(String(zeros([0]))).toBe("NDArray(float32)[0] []");
    expect(String(zeros([2, 0, 3]))).toBe("NDArray(float32)[2, 0, 3] []");
  });

  test("one row stays on the header's line", () => {
    expect(String(array([[1, 2]]))).toBe("NDArray(float32)[1, 2] [[1, 2]]");
  });

  test("booleans and bigints", () => {
    expect(String(array([true, false]))).toBe("NDArray(bool)[2] [ true, false]");
    expect(String(array([1n, -20n]))).toBe("NDArray(int64)[2] [  1, -20]");
  });

  test("nan, inf and negative zero", () => {
    expect(String(array([Number.NaN, Infinity, -Infinity, -0, 1.25]))).toBe(
      "NDArray(float32)[5] [  nan,   inf,  -inf, -0.00,  1.25]",
    );
    expect(String(array([Number.NaN]))).toBe("NDArray(float32)[1] [nan]");
  });

  test("float32 shows the shortest digits that tell values apart", () => {
    expect(String(array([0.1, 0.25]))).toBe("NDArray(float32)[2] [0.10, 0.25]");
    expect(String(array([1 / 3]))).toBe("NDArray(float32)[1] [0.33333334]");
    expect(String(array([1 / 3], float64))).toBe("NDArray(float64)[1] [0.33333333]");
  });

  test("very large, very small and very different values have exponents", () => {
    expect(String(array([1e-10, 2.5], float64))).toBe("NDArray(float64)[2] [1.0e-10,  2.5e+0]");
    expect(String(array([2.5e-5, 1e-5]))).toBe("NDArray(float32)[2] [2.5e-5, 1.0e-5]");
    expect(String(array([3e8]))).toBe("NDArray(float32)[1] [3e+8]");
    expect(String(array([0.5, 4096]))).toBe("NDArray(float32)[2] [5.000e-1, 4.096e+3]");
    expect(String(array([1, 4096]))).toBe("NDArray(float32)[2] [   1, 4096]");
  });

  test("long rows continue on the next line under the first element", () => {
    expect(String(arange(30, { dtype: "int32" }))).toBe(
      lines(
        "NDArray(int32)[30]",
        "[ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,",
        " 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]",
      ),
    );
  });

  test("more than 1000 elements are cut to three at each end", () => {
    expect(String(arange(1000, { dtype: "int32" }))).not.toContain("...");
    expect(String(arange(1001, { dtype: "int32" }))).toBe(
      "NDArray(int32)[1001] [   0,    1,    2, ...,  998,  999, 1000]",
    );
    expect(String(fromFunction([200, 7], (i, j) => i * 7 + j, { dtype: "int32" }))).toBe(
      lines(
        "NDArray(int32)[200, 7]",
        "[[   0,    1,    2, ...,    4,    5,    6],",
        " [   7,    8,    9, ...,   11,   12,   13],",
        " [  14,   15,   16, ...,   18,   19,   20],",
        " ...,",
        " [1379, 1380, 1381, ..., 1383, 1384, 1385],",
        " [1386, 1387, 1388, ..., 1390, 1391, 1392],",
        " [1393, 1394, 1395, ..., 1397, 1398, 1399]]",
      ),
    );
    expect(String(zeros([300, 4]))).toBe(
      lines(
        "NDArray(float32)[300, 4]",
        "[[0, 0, 0, 0],",
        " [0, 0, 0, 0],",
        " [0, 0, 0, 0],",
        " ...,",
        " [0, 0, 0, 0],",
        " [0, 0, 0, 0],",
        " [0, 0, 0, 0]]",
      ),
    );
    expect(String(zeros([1]).broadcastTo([2 ** 40]))).toBe(
      "NDArray(float32)[1099511627776] [0, 0, 0, ..., 0, 0, 0]",
    );
  });
});
