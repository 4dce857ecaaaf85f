/** The public types, as downstream authors see them: checked by the compiler, not at run time. */
import { describe, expectTypeOf, test } from "vitest";
import * as t from "../lib/index.js";

describe("public types", () => {
  test("tensors and operations", () => {
    const x = t.tensor([[1, 2]], { requiresGrad: true });
    expectTypeOf(x).toEqualTypeOf<t.Tensor>();
    expectTypeOf(x.shape).toEqualTypeOf<readonly number[]>();
    expectTypeOf(x.dtype).toEqualTypeOf<t.DType>();
    expectTypeOf(x.grad).toEqualTypeOf<t.Tensor | null>();
    expectTypeOf(x.item).returns.toEqualTypeOf<number>();
    expectTypeOf(x.matmul).parameters.toEqualTypeOf<[b: t.Tensor]>();
    expectTypeOf(x.add).parameter(0).toEqualTypeOf<t.Tensor | number>();
    expectTypeOf(x.sum).returns.toEqualTypeOf<t.Tensor>();
    expectTypeOf(x.split).returns.toEqualTypeOf<t.Tensor[]>();
    expectTypeOf(x.backward).returns.toEqualTypeOf<void>();
    expectTypeOf(t.matmul).returns.toEqualTypeOf<t.Tensor>();
  });

  test("nothing is any", () => {
    expectTypeOf(t.tensor).returns.not.toBeAny();
    expectTypeOf(t.tensor([1]).data).not.toBeAny();
    expectTypeOf(t.tensor([1]).toArray()).not.toBeAny();
    expectTypeOf(t.grad).returns.toEqualTypeOf<t.Tensor[]>();
    expectTypeOf(t.backendInfo).returns.toEqualTypeOf<t.BackendInfo>();
    expectTypeOf(t.noGrad(() => 3)).toEqualTypeOf<number>();
  });

  test("layers, optimizers and data", () => {
    const model = new t.nn.Sequential(new t.nn.Linear(2, 3), new t.nn.ReLU());
    expectTypeOf(model.forward(t.zeros([1, 2]))).toEqualTypeOf<t.Tensor>();
    expectTypeOf(model.parameters()).toEqualTypeOf<t.nn.Parameter[]>();
    expectTypeOf(t.optim.Adam).toBeConstructibleWith(model.parameters(), { lr: 1e-3, betas: [0.9, 0.999] });
    // @ts-expect-error: an unknown option is a type error.
    const misspelt = (): t.optim.Adam => new t.optim.Adam(model.parameters(), { learningRate: 1 });
    expectTypeOf(misspelt).toBeFunction();
    // @ts-expect-error: shapes are arrays of numbers.
    expectTypeOf(t.zeros).toBeCallableWith("2,3");
    // @ts-expect-error: float16 is no dtype.
    expectTypeOf(t.zeros).toBeCallableWith([2], { dtype: "float16" });
  });
});
