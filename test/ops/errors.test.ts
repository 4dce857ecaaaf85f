/** What operations say of bad input, and how they treat special values and dtypes. */
import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../../lib/errors.js";
import * as ops from "../../lib/ops/index.js";
import { arange, full, linspace, type Tensor, tensor, zeros } from "../../lib/tensor.js";

const int = (values: number[]): Tensor => tensor(values, { dtype: "int32" });

describe("errors name the operation, what came and what was needed", () => {
  const a = zeros([2, 3]);
  const b = zeros([4, 5]);
  const cases: [string, () => unknown, new (message: string) => Error, RegExp][] = [
    [
      "matmul inner sizes",
      () => ops.matmul(a, b),
      ShapeError,
      /matmul: inner dimensions differ: a is \[2,3\], b is \[4,5\]/,
    ],
    ["matmul 0-d", () => ops.matmul(a, tensor(1)), ShapeError, /both need at least one axis/],
    ["matmul batch", () => ops.matmul(zeros([2, 1, 3]), zeros([3, 3, 1])), ShapeError, /matmul/],
    ["add shapes", () => ops.add(a, b), ShapeError, /add: shapes \[2,3\] and \[4,5\] do not broadcast/],
    [
      "add string",
      () => ops.add(a, "1" as unknown as number),
      ArgumentError,
      /add: needs tensors and numbers, got string/,
    ],
    ["exp null", () => ops.exp(null as unknown as Tensor), ArgumentError, /exp.*null/],
    ["exp int64", () => ops.exp(tensor([1n])), DTypeError, /exp: int64 is for storage/],
    ["sum axis", () => ops.sum(a, 2), IndexError, /sum: axis 2 is outside \[-2, 2\)/],
    ["sum twice", () => ops.sum(a, [0, -2]), ArgumentError, /axis 0 occurs twice/],
    ["max empty", () => ops.max(zeros([0, 3]), 0), ShapeError, /max: shape \[0,3\] has no elements/],
    ["argmax empty", () => ops.argmax(zeros([0])), ShapeError, /argmax/],
    ["take index", () => ops.take(a, [3], 1), IndexError, /take: index 3 at position 0/],
    ["take float", () => ops.take(a, [0.5]), IndexError, /0.5/],
    ["indexAdd shape", () => ops.indexAdd(a, 0, [0], zeros([2, 3])), ShapeError, /must be \[1,3\]/],
    ["clip bounds", () => ops.clip(a, 2, 1), ArgumentError, /low ≤ high/],
    [
      "where condition",
      () => ops.where(1 as unknown as Tensor, 1, 2),
      ArgumentError,
      /where: the condition must be a Tensor/,
    ],
    ["softmax axis", () => ops.softmax(a, 5), IndexError, /softmax: axis 5/],
    ["reshape", () => a.reshape([4, 2]), ShapeError, /6 elements/],
    ["concat none", () => ops.concat([]), ArgumentError, /at least one tensor/],
    ["concat shapes", () => ops.concat([a, b]), ShapeError, /concat/],
    ["stack shapes", () => ops.stack([a, b]), ShapeError, /\[2,3\] and \[4,5\] differ/],
    ["astype", () => a.astype("float16" as "float32"), DTypeError, /float16/],
    ["mask shape", () => ops.maskedSelect(a, zeros([3]).eq(0)), ShapeError, /leading part/],
    ["ragged", () => tensor([[1, 2], [3]]), ShapeError, /ragged/],
    ["requiresGrad", () => tensor([1n], { requiresGrad: true }), DTypeError, /int64/],
  ];
  test.each(cases)("%s", (_name, run, type, message) => {
    expect(run).toThrow(type);
    expect(run).toThrow(message);
  });
});

describe("dtypes", () => {
  test("numbers take the dtype of the tensor they meet", () => {
    expect(int([1, 2]).add(1).dtype).toBe("int32");
    expect(int([1, 2]).add(0.5).dtype).toBe("float32");
    expect(tensor([1], { dtype: "float64" }).mul(2).dtype).toBe("float64");
    expect(int([3]).div(2).toArray()).toEqual([1.5]);
  });

  test("tensors are promoted as NumPy and PyTorch promote kinds", () => {
    expect(int([1]).add(tensor([0.5])).dtype).toBe("float32");
    expect(tensor([1]).add(tensor([1], { dtype: "float64" })).dtype).toBe("float64");
    expect(tensor([true, true]).sum().item()).toBe(2);
    expect(tensor([true]).add(tensor([true])).dtype).toBe("int32");
    expect(int([4]).sqrt().dtype).toBe("float32");
    expect(int([1, 2]).mean().item()).toBe(1.5);
  });

  test("int32 arithmetic wraps", () => {
    const big = int([2 ** 31 - 1]);
    expect(big.add(1).toArray()).toEqual([-(2 ** 31)]);
    expect(big.mul(big).toArray()).toEqual([1]);
    expect(
      int([-(2 ** 31)])
        .neg()
        .toArray(),
    ).toEqual([-(2 ** 31)]);
  });

  test("conversions truncate, saturate and wrap", () => {
    const x = tensor([1.9, -1.9, Number.NaN, 1e10, Number.NEGATIVE_INFINITY, 300]);
    expect(x.astype("int32").toArray()).toEqual([1, -1, 0, 2 ** 31 - 1, -(2 ** 31), 300]);
    expect(x.astype("uint8").toArray()).toEqual([1, 0, 0, 255, 0, 255]);
    expect(x.astype("bool").toArray()).toEqual([true, true, true, true, true, true]);
    expect(int([300, -1]).astype("uint8").toArray()).toEqual([44, 255]);
    expect(int([7]).astype("int64").toArray()).toEqual([7n]);
  });
});

describe("numbers beside integers", () => {
  const largest = int([2 ** 31 - 1]);
  test("that int32 cannot hold are compared and added exactly", () => {
    expect(largest.lt(3e9).item()).toBe(1);
    expect(largest.eq(3e9).item()).toBe(0);
    expect(
      int([1])
        .add(2 ** 40)
        .item(),
    ).toBe(2 ** 40 + 1);
  });

  test("that are fractions make floats, as bounds too", () => {
    expect(int([0, 1, 2, 3]).clip(0.5, 1.5).toArray()).toEqual([0.5, 1, 1.5, 1.5]);
    expect(int([0, 5]).clip(1, Number.POSITIVE_INFINITY).toArray()).toEqual([1, 5]);
    expect(int([0, 5]).clip(1, Number.POSITIVE_INFINITY).dtype).toBe("int32");
  });
});

describe("variance at its limits", () => {
  test("no degrees of freedom give ∞ or NaN, never a negative number", () => {
    expect(tensor([1, 2]).var(null, { correction: 3 }).item()).toBe(Number.POSITIVE_INFINITY);
    expect(zeros([0]).var().item()).toBeNaN();
    expect(tensor([5]).var().item()).toBeNaN();
  });

  test("the derivative of the deviation of equal numbers is 0", () => {
    const x = tensor([2, 2, 2], { requiresGrad: true });
    x.std().backward();
    expect(x.grad?.toArray()).toEqual([0, 0, 0]);
  });
});

describe("creation", () => {
  test("arange takes stop, start and step, and says so", () => {
    expect(arange(5).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(arange(5, { dtype: "int32" }).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(arange(2, 5).toArray()).toEqual([2, 3, 4]);
    expect(arange(5, 2, -1, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(() => arange("1" as unknown as number, 3)).toThrow(/got string "1", number 3/);
    expect(() => linspace("a" as unknown as number, 2)).toThrow(ArgumentError);
  });

  test("unknown options are errors that list the known ones", () => {
    const bad = <T>(value: unknown): T => value as T;
    expect(() => zeros([2], bad({ dType: "int32" }))).toThrow(/zeros: unknown option dType; it takes dtype/);
    expect(() => tensor([1], bad({ requires_grad: true }))).toThrow(/unknown option requires_grad/);
    expect(() => tensor([1], bad({ requiresGrad: "yes" }))).toThrow(ArgumentError);
    expect(() => tensor([1], bad(null))).toThrow(ArgumentError);
    expect(() => tensor([1]).sum(0, bad({ keepdims: true }))).toThrow(/unknown option keepdims/);
    expect(() => tensor([1]).sum(0, bad(true))).toThrow(ArgumentError);
    expect(() => tensor([1]).sum(0, bad({ keepDims: "false" }))).toThrow(/keepDims must be true or false/);
    expect(() => tensor([1]).sum(bad("x"))).toThrow(/axis must be an integer/);
  });

  test("item refuses an int64 that a number cannot hold", () => {
    expect(() => tensor([2n ** 60n + 1n]).item()).toThrow(DTypeError);
    expect(tensor([7n]).item()).toBe(7);
  });
});

describe("special values", () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const special = tensor([0, -0, inf, -inf, nan, 1e-40]);
  const values = (x: Tensor): unknown[] => x.toArray() as unknown[];
  const tiny = Math.fround(1e-40);
  const cases: [string, Tensor, number[]][] = [
    ["exp", special.exp(), [1, 1, inf, 0, nan, 1]],
    ["expm1", special.expm1(), [0, -0, inf, -1, nan, tiny]],
    ["log1p", special.log1p(), [0, -0, inf, nan, nan, tiny]],
    ["sqrt", special.sqrt(), [0, -0, inf, nan, nan, Math.fround(Math.sqrt(tiny))]],
    ["tanh", special.tanh(), [0, -0, 1, -1, nan, tiny]],
    ["erf", special.erf(), [0, -0, 1, -1, nan, Math.fround((tiny * 2) / Math.sqrt(Math.PI))]],
    ["sin", special.sin(), [0, -0, nan, nan, nan, tiny]],
    ["cos", special.cos(), [1, 1, nan, nan, nan, 1]],
    ["sigmoid", special.sigmoid(), [0.5, 0.5, 1, 0, nan, 0.5]],
    [
      "softplus",
      special.softplus(),
      [Math.fround(Math.LN2), Math.fround(Math.LN2), inf, 0, nan, Math.fround(Math.LN2)],
    ],
    ["relu", special.relu(), [0, 0, inf, 0, nan, tiny]],
    ["clip", special.clip(-1, 1), [0, -0, 1, -1, nan, tiny]],
    ["abs", special.abs(), [0, 0, inf, inf, nan, tiny]],
    ["maximum", special.maximum(0.5), [0.5, 0.5, inf, 0.5, nan, 0.5]],
    ["reciprocal", special.slice([0, 5]).reciprocal(), [inf, -inf, 0, -0, nan]],
  ];
  test.each(cases)("%s", (_name, actual, expected) => {
    values(actual).forEach((value, i) => {
      expect(value === 0 && expected[i] === 0 ? 0 : value).toBe(expected[i] === 0 ? 0 : expected[i]);
    });
  });

  test("log of zero and below", () => {
    expect(values(tensor([0, -1, inf, 1]).log())).toEqual([-inf, nan, inf, 0]);
  });

  test("reductions hand NaN on, and argmax finds the first", () => {
    const x = tensor([1, nan, 3, nan]);
    expect([x.max().item(), x.min().item(), x.sum().item()]).toEqual([nan, nan, nan]);
    expect(x.argmax().item()).toBe(1);
    expect(tensor([2, 5, 5]).argmax().item()).toBe(1);
  });

  test("log-sum-exp and softmax do not overflow", () => {
    expect(full([2], 1000).logsumexp().item()).toBeCloseTo(1000 + Math.LN2, 3);
    expect(values(tensor([1000, 1000]).softmax())).toEqual([0.5, 0.5]);
    expect(full([2], -inf).logsumexp().item()).toBe(-inf);
  });

  test("predicates", () => {
    expect(values(special.isNaN())).toEqual([false, false, false, false, true, false]);
    expect(values(special.isFinite())).toEqual([true, true, false, false, false, true]);
  });

  test("any, all and norm", () => {
    expect(tensor([0, 2]).any().item()).toBe(1);
    expect(tensor([0, 2]).all().item()).toBe(0);
    expect(zeros([0]).all().item()).toBe(1);
    expect(zeros([0]).any().item()).toBe(0);
    expect(tensor([3, 4]).norm().item()).toBe(5);
  });
});
