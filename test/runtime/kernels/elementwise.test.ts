import { describe, expect, test } from "vitest";
import type { KernelName } from "../../../lib/runtime/table.js";
import type { TypedArray } from "../../../lib/runtime/types.js";
import { call, numbers, relativeError } from "./call.js";

const { fround } = Math;
const SPECIAL = [0, -0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 1, -1, 3.7, -3.7, Infinity, -Infinity, Number.NaN];

/** A unary kernel over contiguous arrays. */
function map<Y extends TypedArray>(name: KernelName, x: TypedArray, y: Y, scalars: number[] = []): Y {
  call(name, [[x.length]], [x, y], scalars);
  return y;
}

function map2<Z extends TypedArray>(
  name: KernelName,
  x: TypedArray,
  y: TypedArray,
  z: Z,
  scalars: number[] = [],
): Z {
  call(name, [[x.length]], [x, y, z], scalars);
  return z;
}

const doubles = (name: KernelName, x: readonly number[], scalars?: number[]): number[] => [
  ...map(name, Float64Array.from(x), new Float64Array(x.length), scalars),
];

describe("unary kernels equal their formulas on float32", () => {
  const cases: [string, (x: number) => number, number[]?][] = [
    ["neg", (x) => -x],
    ["abs", Math.abs],
    ["sign", Math.sign],
    ["square", (x) => x * x],
    ["sqrt", Math.sqrt],
    ["rsqrt", (x) => 1 / fround(Math.sqrt(x))],
    ["reciprocal", (x) => 1 / x],
    ["floor", Math.floor],
    ["ceil", Math.ceil],
    ["trunc", Math.trunc],
    ["exp", Math.exp],
    ["expm1", Math.expm1],
    ["log", Math.log],
    ["log1p", Math.log1p],
    ["sin", Math.sin],
    ["cos", Math.cos],
    ["tan", Math.tan],
    ["tanh", Math.tanh],
    ["relu", (x) => (x < 0 ? 0 : x)],
    ["leaky_relu", (x) => (x < 0 ? fround(0.1) * x : x), [0.1]],
    ["clip", (x) => (x < fround(-0.7) ? fround(-0.7) : x > 1 ? 1 : x), [-0.7, 1]],
  ];
  test.each(cases)("%s", (name, f, scalars) => {
    const x = Float32Array.from([...SPECIAL, ...numbers(50)]);
    const y = map(`${name}_f32` as KernelName, x, new Float32Array(x.length), scalars);
    expect([...y]).toEqual([...x].map((value) => fround(f(value))));
    const z = doubles(`${name}_f64` as KernelName, [0.1, -0.2, 1 / 3], scalars);
    const exact: Record<string, (x: number) => number> = {
      rsqrt: (value) => 1 / Math.sqrt(value),
      leaky_relu: (value) => (value < 0 ? 0.1 * value : value),
    };
    expect(z).toEqual([0.1, -0.2, 1 / 3].map(exact[name] ?? f));
  });

  test("round goes to the even neighbour and keeps the sign of zero", () => {
    const x = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.3, -0.3, 0, -0, 2 ** 52 + 1, -(2 ** 52) - 1, 2 ** 51 + 0.5];
    const expected = [0, 2, 2, -0, -2, -2, 0, -0, 0, -0, 2 ** 52 + 1, -(2 ** 52) - 1, 2 ** 51];
    expect(doubles("round_f64", x)).toEqual(expected);
    expect(doubles("round_f64", [Infinity, -Infinity, Number.NaN])).toEqual([
      Infinity,
      -Infinity,
      Number.NaN,
    ]);
    const singles = Float32Array.from([2 ** 22 + 0.5, 2 ** 22 + 1.5, -7.5]);
    expect([...map("round_f32", singles, new Float32Array(3))]).toEqual([2 ** 22, 2 ** 22 + 2, -8]);
  });

  test("is_nan, is_finite and logical_not give 1 or 0", () => {
    const x = Float32Array.from([0, -0, 1, Infinity, -Infinity, Number.NaN, 3e38]);
    expect([...map("is_nan_f32", x, new Uint8Array(7))]).toEqual([0, 0, 0, 0, 0, 1, 0]);
    expect([...map("is_finite_f32", x, new Uint8Array(7))]).toEqual([1, 1, 1, 0, 0, 0, 1]);
    expect([...map("logical_not_u8", Uint8Array.of(0, 1, 2, 255), new Uint8Array(4))]).toEqual([1, 0, 0, 0]);
  });

  test("int32 wraps", () => {
    const x = Int32Array.of(5, -5, -(2 ** 31), 2 ** 31 - 1, 65536, 46341);
    const y = (name: KernelName, scalars?: number[]): number[] => [
      ...map(name, x, new Int32Array(6), scalars),
    ];
    expect(y("neg_i32")).toEqual([-5, 5, -(2 ** 31), -(2 ** 31) + 1, -65536, -46341]);
    expect(y("abs_i32")).toEqual([5, 5, -(2 ** 31), 2 ** 31 - 1, 65536, 46341]);
    expect(y("sign_i32")).toEqual([1, -1, -1, 1, 1, 1]);
    expect(y("square_i32")).toEqual([25, 25, 0, 1, 0, 46341 ** 2 - 2 ** 32]);
    expect(y("clip_i32", [-3.9, Infinity])).toEqual([5, -3, -3, 2 ** 31 - 1, 65536, 46341]);
  });
});

// Columns: x and the function, correct to the last digit shown (computed with 60 digits).
const ERF = [
  [1e-300, 1.1283791670955126e-300],
  [1e-8, 1.1283791670955126e-8],
  [0.3, 0.3286267594591274],
  [0.75, 0.7111556336535151],
  [0.7500001, 0.7111556979466171],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2.5, 0.999593047982555],
  [4, 0.9999999845827421],
  [5.9, 0.9999999999999999],
  [7, 1],
];
const GELU = [
  [1e-300, 5e-301],
  [-1e-9, -4.999999996010577e-10],
  [0.5, 0.34573123063700656],
  [-0.5, -0.15426876936299344],
  [1, 0.8413447460685429],
  [-1, -0.15865525393145705],
  [-1.1, -0.14923266704102092],
  [2, 1.9544997361036416],
  [-2, -0.04550026389635842],
  [-3.3, -0.0015952996698664658],
  [-5.7, -3.414511698606211e-8],
  [-8, -4.976768459417427e-15],
  [-12.34567, -3.173115880232233e-34],
  [-20.5, -2.206758018052147e-92],
  [-30.1, -7.292228326137134e-198],
  [-36.9, -8.525835335408878e-297],
  [-37.5, -1.7270073785932332e-306],
  [7, 6.999999999991041],
  [40, 40],
];
// Columns: x, sigmoid, softplus, silu.
const LOGISTIC = [
  [-1000, 0, 0, -0],
  [-720.5, 1.2326102893e-313, 1.2326102893e-313, -8.880957134282e-311],
  [-700.25, 7.678723813110872e-305, 7.678723813110872e-305, -5.377026350130888e-302],
  [-690, 2.171738281389827e-300, 2.171738281389827e-300, -1.4984994141589807e-297],
  [-40.1, 3.8440698952601175e-18, 3.8440698952601175e-18, -1.5414720279993072e-16],
  [-1.5, 0.18242552380635635, 0.2014132779827524, -0.2736382857095345],
  [-1e-9, 0.49999999975, 0.6931471800599454, -4.9999999975e-10],
  [0.3, 0.574442516811659, 0.8543552444685271, 0.17233275504349768],
  [2, 0.8807970779778824, 2.1269280110429727, 1.7615941559557649],
  [20.2, 0.9999999983124701, 20.200000001687528, 20.199999965911896],
  [800, 1, 800, 800],
];

describe("functions that Math lacks are accurate to float64's last digits, tails included", () => {
  const column = (table: number[][], i: number): number[] => table.map((row) => row[i]);
  // 1e-15 is 4.5 units in the last place: the libraries' exp and the last multiplications have about one each.
  test.each([
    ["erf_f64", ERF, 1, 1e-15],
    ["gelu_f64", GELU, 1, 1e-15],
    ["sigmoid_f64", LOGISTIC, 1, 1e-15],
    ["softplus_f64", LOGISTIC, 2, 1e-15],
    // −720.5·sigmoid is subnormal, with 13 digits: see the test below.
    ["silu_f64", LOGISTIC.filter(([x]) => x !== -720.5), 3, 1e-15],
  ] as [KernelName, number[][], number, number][])("%s", (name, table, i, bound) => {
    expect(relativeError(doubles(name, column(table, 0)), column(table, i))).toBeLessThan(bound);
  });

  test("silu keeps what digits a subnormal result has", () => {
    const [y] = doubles("silu_f64", [-720.5]);
    expect(Math.abs(y - -8.880957134282e-311) / Number.MIN_VALUE).toBeLessThanOrEqual(1);
  });

  test("erf is odd, and its float32 is float64's rounded", () => {
    const x = column(ERF, 0);
    expect(
      doubles(
        "erf_f64",
        x.map((value) => -value),
      ),
    ).toEqual(doubles("erf_f64", x).map((y) => -y));
    const singles = numbers(40);
    const expected = doubles("gelu_f64", [...singles]).map(fround);
    expect([...map("gelu_f32", singles, new Float32Array(40))]).toEqual(expected);
  });

  test("limits and NaN", () => {
    const x = [Infinity, -Infinity, Number.NaN];
    expect(doubles("erf_f64", x)).toEqual([1, -1, Number.NaN]);
    expect(doubles("gelu_f64", x)).toEqual([Infinity, -0, Number.NaN]);
    expect(doubles("silu_f64", x)).toEqual([Infinity, -0, Number.NaN]);
    expect(doubles("sigmoid_f64", x)).toEqual([1, 0, Number.NaN]);
    expect(doubles("softplus_f64", x)).toEqual([Infinity, 0, Number.NaN]);
  });
});

describe("binary kernels equal their formulas on float32", () => {
  const a = Float32Array.from(SPECIAL.flatMap((x) => SPECIAL.map(() => x)));
  const b = Float32Array.from(SPECIAL.flatMap(() => SPECIAL));
  const cases: [string, (x: number, y: number) => number, number[]?][] = [
    ["add", (x, y) => x + y],
    ["sub", (x, y) => x - y],
    ["mul", (x, y) => x * y],
    ["div", (x, y) => x / y],
    ["pow", (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y)],
    ["maximum", (x, y) => (x > y || Number.isNaN(x) ? x : y)],
    ["minimum", (x, y) => (x < y || Number.isNaN(x) ? x : y)],
    ["relu_grad", (x, g) => (x > 0 ? g : 0)],
    ["leaky_relu_grad", (x, g) => (x > 0 ? g : fround(0.1) * g), [0.1]],
  ];
  test.each(cases)("%s", (name, f, scalars) => {
    const z = map2(`${name}_f32` as KernelName, a, b, new Float32Array(a.length), scalars);
    expect([...z]).toEqual([...a].map((x, i) => fround(f(x, b[i]))));
    const x = numbers(30, 2);
    const y = numbers(30, 3);
    const w = map2(`${name}_f32` as KernelName, x, y, new Float32Array(30), scalars);
    expect([...w]).toEqual([...x].map((value, i) => fround(f(value, y[i]))));
  });

  test.each([
    ["eq", (x: number, y: number) => x === y],
    ["ne", (x: number, y: number) => x !== y],
    ["lt", (x: number, y: number) => x < y],
    ["le", (x: number, y: number) => x <= y],
    ["gt", (x: number, y: number) => x > y],
    ["ge", (x: number, y: number) => x >= y],
  ] as const)("%s", (name, f) => {
    const z = map2(`${name}_f32`, a, b, new Uint8Array(a.length));
    expect([...z]).toEqual([...a].map((x, i) => Number(f(x, b[i]))));
    const bytes = Uint8Array.of(0, 3, 255);
    expect([...map2(`${name}_u8`, bytes, Uint8Array.of(0, 255, 3), new Uint8Array(3))]).toEqual(
      [...bytes].map((x, i) => Number(f(x, [0, 255, 3][i]))),
    );
  });

  test("pow is C99's", () => {
    const x = Float64Array.of(1, 1, -1, -1, Number.NaN, 0, -8);
    const y = Float64Array.of(Number.NaN, Infinity, Infinity, -Infinity, 0, 0, 1 / 3);
    expect([...map2("pow_f64", x, y, new Float64Array(7))]).toEqual([1, 1, 1, 1, 1, 1, Number.NaN]);
  });

  test("int32 wraps", () => {
    const x = Int32Array.of(2 ** 31 - 1, -(2 ** 31), 123456789);
    const y = Int32Array.of(1, 1, 987654321);
    const z = (name: KernelName): number[] => [...map2(name, x, y, new Int32Array(3))];
    expect(z("add_i32")).toEqual([-(2 ** 31), -(2 ** 31) + 1, 1111111110]);
    expect(z("sub_i32")).toEqual([2 ** 31 - 2, 2 ** 31 - 1, -864197532]);
    expect(z("mul_i32")).toEqual([
      2 ** 31 - 1,
      -(2 ** 31),
      Number(BigInt.asIntN(32, 123456789n * 987654321n)),
    ]);
    expect(z("maximum_i32")).toEqual([2 ** 31 - 1, 1, 987654321]);
    expect(z("minimum_i32")).toEqual([1, -(2 ** 31), 123456789]);
  });

  test("logic takes any number but 0 as true", () => {
    const x = Uint8Array.of(0, 0, 1, 2);
    const y = Uint8Array.of(0, 4, 0, 1);
    const z = (name: KernelName): number[] => [...map2(name, x, y, new Uint8Array(4))];
    expect(z("logical_and_u8")).toEqual([0, 0, 0, 1]);
    expect(z("logical_or_u8")).toEqual([0, 1, 1, 1]);
    expect(z("logical_xor_u8")).toEqual([0, 1, 1, 0]);
  });

  test("where chooses elements of any type", () => {
    const condition = Uint8Array.of(0, 1, 2);
    const z = new Float32Array(3);
    call("where_f32", [[3]], [condition, Float32Array.of(1, 2, 3), Float32Array.of(-1, -2, -3), z]);
    expect([...z]).toEqual([-1, 2, 3]);
    const big = new BigInt64Array(3);
    call(
      "where_i64",
      [[3]],
      [condition, BigInt64Array.of(1n, 2n, 3n), BigInt64Array.of(-1n, -2n, -(2n ** 63n)), big],
    );
    expect([...big]).toEqual([-1n, 2n, 3n]);
  });
});

describe("casts", () => {
  const cast = <Y extends TypedArray>(name: KernelName, x: TypedArray, y: Y): Y => map(name, x, y);
  const floats = [0.9, -0.9, 1.5, -1.5, 300, -300, 3e9, -3e9, 1e19, -1e19, Infinity, -Infinity, Number.NaN];

  test("float to integer truncates and saturates, NaN gives 0", () => {
    const x = Float64Array.from(floats);
    const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
    expect([...cast("cast_from_f64_i32", x, new Int32Array(13))]).toEqual([
      0,
      0,
      1,
      -1,
      300,
      -300,
      high,
      low,
      high,
      low,
      high,
      low,
      0,
    ]);
    expect([...cast("cast_from_f64_u8", x, new Uint8Array(13))]).toEqual([
      0, 0, 1, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0,
    ]);
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    expect([...cast("cast_from_f64_i64", x, new BigInt64Array(13))]).toEqual([
      0n,
      0n,
      1n,
      -1n,
      300n,
      -300n,
      3000000000n,
      -3000000000n,
      most,
      least,
      most,
      least,
      0n,
    ]);
    expect([
      ...cast("cast_from_f32_i32", Float32Array.of(2 ** 31, -(2 ** 31), 2.7), new Int32Array(3)),
    ]).toEqual([high, low, 2]);
  });

  test("float to float rounds once", () => {
    expect([...cast("cast_from_f64_f32", Float64Array.of(0.1, 1e300), new Float32Array(2))]).toEqual([
      fround(0.1),
      Infinity,
    ]);
    expect([...cast("cast_from_f32_f64", Float32Array.of(0.1), new Float64Array(1))]).toEqual([fround(0.1)]);
  });

  test("integer to narrower integer wraps", () => {
    const x = Int32Array.of(-1, 256, 257, 2 ** 31 - 1);
    expect([...cast("cast_from_i32_u8", x, new Uint8Array(4))]).toEqual([255, 0, 1, 255]);
    const big = BigInt64Array.of(-1n, 2n ** 32n + 5n, 2n ** 31n, -(2n ** 63n));
    expect([...cast("cast_from_i64_i32", big, new Int32Array(4))]).toEqual([-1, 5, -(2 ** 31), 0]);
    expect([...cast("cast_from_i64_u8", big, new Uint8Array(4))]).toEqual([255, 5, 0, 0]);
  });

  test("integer to int64 and back to float", () => {
    expect([...cast("cast_from_i32_i64", Int32Array.of(-7, 7), new BigInt64Array(2))]).toEqual([-7n, 7n]);
    expect([...cast("cast_from_u8_i64", Uint8Array.of(255), new BigInt64Array(1))]).toEqual([255n]);
    expect([...cast("cast_from_i64_i64", BigInt64Array.of(-(2n ** 63n)), new BigInt64Array(1))]).toEqual([
      -(2n ** 63n),
    ]);
    expect([...cast("cast_from_i32_f32", Int32Array.of(16777217, 16777219), new Float32Array(2))]).toEqual([
      16777216, 16777220,
    ]);
  });

  test("int64 to float32 is rounded once, not twice", () => {
    // Just above halfway between two float32 numbers; the excess is below float64's last place.
    const x = BigInt64Array.of(
      2n ** 62n + 2n ** 38n + 1n,
      -(2n ** 62n + 2n ** 38n + 1n),
      2n ** 62n + 2n ** 38n,
      5n,
    );
    expect([...cast("cast_from_i64_f32", x, new Float32Array(4))]).toEqual([
      2 ** 62 + 2 ** 39,
      -(2 ** 62 + 2 ** 39),
      2 ** 62,
      5,
    ]);
    expect([...cast("cast_from_i64_f64", x, new Float64Array(4))]).toEqual([...x].map(Number));
  });

  test("to_bool", () => {
    expect([...cast("to_bool_f32", Float32Array.of(0, -0, 0.1, Number.NaN), new Uint8Array(4))]).toEqual([
      0, 0, 1, 1,
    ]);
    expect([...cast("to_bool_i64", BigInt64Array.of(0n, -1n), new Uint8Array(2))]).toEqual([0, 1]);
  });

  test("fill converts its value like an element", () => {
    const filled = (name: KernelName, y: TypedArray, value: number): unknown => {
      call(name, [[y.length]], [y], [value]);
      return y[0];
    };
    expect(filled("fill_f32", new Float32Array(2), 0.1)).toBe(fround(0.1));
    expect(filled("fill_f64", new Float64Array(2), 0.1)).toBe(0.1);
    expect(filled("fill_i32", new Int32Array(2), 3e9)).toBe(2 ** 31 - 1);
    expect(filled("fill_u8", new Uint8Array(2), -3.5)).toBe(0);
    expect(filled("fill_i64", new BigInt64Array(2), 1e19)).toBe(2n ** 63n - 1n);
  });
});

describe("views", () => {
  test("broadcast, transposed, reversed and empty operands", () => {
    const z = new Float32Array(6);
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    call(
      "add_f32",
      [[2, 3]],
      [{ data: x, strides: [[1, 2]] }, { data: Float32Array.of(10, 20), strides: [[1, 0]] }, z],
    );
    expect([...z]).toEqual([11, 13, 15, 22, 24, 26]);
    call("neg_f32", [[6]], [{ data: x, offset: 5, strides: [[-1]] }, z]);
    expect([...z]).toEqual([-6, -5, -4, -3, -2, -1]);
    call("neg_f32", [[0, 4]], [x, z]);
    expect(z[0]).toBe(-6);
    call("add_f32", [[]], [x, x, z]);
    expect(z[0]).toBe(2);
    call("fill_f32", [[2, 2]], [{ data: z, offset: 1, strides: [[1, 3]] }], [9]);
    expect([...z]).toEqual([2, 9, 9, -3, 9, 9]);
  });

  test("an output that is the very same view as an input", () => {
    const x = numbers(33);
    const expected = [...x].map((value) => fround(value * value));
    call("mul_f32", [[33]], [x, x, x]);
    expect([...x]).toEqual(expected);
  });

  test("many short rows of a view that does not collapse", () => {
    const x = numbers(600);
    const z = new Float32Array(400);
    call("neg_f32", [[200, 2]], [{ data: x, strides: [[3, 1]] }, z]);
    expect([...z]).toEqual(Array.from({ length: 400 }, (_, i) => -x[3 * Math.floor(i / 2) + (i % 2)]));
  });
});
