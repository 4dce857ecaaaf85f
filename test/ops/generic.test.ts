/** Every operation through every check: see samples.ts. */
import { describe, expect, test } from "vitest";
import { jvp, vjp } from "../../lib/autograd/functional.js";
import { gradcheck } from "../../lib/autograd/gradcheck.js";
import type { DType } from "../../lib/ndarray/dtype.js";
import { operations } from "../../lib/ops/define.js";
import { Generator } from "../../lib/random/generator.js";
import { backendInfo, withBackend } from "../../lib/runtime/executor.js";
import { Tensor } from "../../lib/tensor.js";
import { build, type Plain, plainOf, tensorOf } from "./plain.js";
import type { Case, Domain, Input } from "./sample_families.js";
import { SAMPLES } from "./samples.js";

const generator = new Generator(7);

function draw([shape, domain = "real"]: Input): Plain {
  const data = Array.from(generator.uniform(shape, { dtype: "float64" }).data as Float64Array);
  const place: Record<Domain, (u: number) => number> = {
    real: (u) => 4 * u - 2,
    positive: (u) => 0.25 + 3 * u,
    unit: (u) => 2 * u - 1,
    // Distinct, and a quarter away from any kink or jump.
    spread: (u) => u,
    bool: (u) => Math.round(u),
  };
  if (domain !== "spread") return { shape: [...shape], data: data.map(place[domain]) };
  const order = generator.permutation(data.length);
  return { shape: [...shape], data: data.map((u, i) => order[i] - (data.length >> 1) + 0.3 + 0.1 * u) };
}

const inputsOf = (sample: Case, dtype: DType, requiresGrad = false): Tensor[] =>
  sample.inputs.map((input) => tensorOf(draw(input), dtype, requiresGrad));

/** The same values in other memory: transposed, reversed with a gap, at an offset. */
function layouts(x: Tensor): Tensor[] {
  const { shape, array } = x;
  const last = shape.length - 1;
  if (last < 0) return [];
  const reversed = shape.map((): [null, null, number] => [null, null, -1]);
  const flipped = array.slice(...reversed).clone();
  const doubled = tensorOf(
    build([...shape.slice(0, -1), 2 * shape[last] + 1], (index) =>
      index[last] % 2 === 1
        ? Number(array.slice(...index.slice(0, -1), (index[last] - 1) / 2).item())
        : Number.NaN,
    ),
    x.dtype,
  );
  return [
    new Tensor(array.transpose(0, last).clone().transpose(0, last)),
    new Tensor(flipped.slice(...reversed)),
    new Tensor(doubled.array.slice("...", [1, null, 2])),
  ];
}

const bitsOf = (x: Tensor): ArrayLike<unknown> => x.data.slice();

function expectClose(actual: Plain, expected: Plain, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  actual.data.forEach((value, i) => {
    const want = expected.data[i];
    if (Number.isNaN(want)) expect(value).toBeNaN();
    else if (!Number.isFinite(want)) expect(value).toBe(want);
    else expect(Math.abs(value - want)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(want)));
  });
}

const native = backendInfo().backend === "native";
const levels = native ? backendInfo().levels : [];

test("every operation has samples, and every sample an operation", () => {
  expect(Object.keys(SAMPLES).sort()).toEqual([...operations.keys()].sort());
});

describe.each(Object.entries(SAMPLES))("%s", (_name, { cases, tolerance = 0 }) => {
  const differentiable = cases.filter((sample) => sample.differentiable !== false);

  test("agrees with the plain reference in float64", () => {
    for (const sample of cases) {
      const inputs = inputsOf(sample, "float64");
      expectClose(plainOf(sample.call(...inputs)), sample.reference(...inputs.map(plainOf)), 1e-12);
    }
  });

  test("gives the same bits for every memory layout", () => {
    for (const sample of cases) {
      const inputs = inputsOf(sample, "float32");
      const expected = bitsOf(sample.call(...inputs));
      inputs.forEach((input, i) => {
        for (const other of layouts(input)) {
          expect(other.toArray()).toEqual(input.toArray());
          expect(bitsOf(sample.call(...inputs.with(i, other)))).toEqual(expected);
        }
      });
    }
  });

  test.skipIf(differentiable.length === 0)("derivatives agree with central differences, twice", () => {
    for (const sample of differentiable) {
      const inputs = inputsOf(sample, "float64", true);
      gradcheck(sample.call, inputs, { secondOrder: true, atol: 1e-5, rtol: 1e-5 });
    }
  });

  test.skipIf(differentiable.length === 0)("forward and reverse mode agree", () => {
    for (const sample of differentiable) {
      const inputs = inputsOf(sample, "float64");
      const tangents = inputs.map((x) => generator.normal(x.shape, { dtype: "float64" }));
      const { output, tangent } = jvp(sample.call, inputs, tangents);
      const vector = generator.normal(output.shape, { dtype: "float64" });
      const { grads } = vjp(sample.call, inputs, vector);
      const forward = vector.mul(tangent).sum().item();
      const reverse = grads.reduce((sum, grad, i) => sum + grad.mul(tangents[i]).sum().item(), 0);
      expect(Math.abs(forward - reverse)).toBeLessThanOrEqual(1e-10 * Math.max(1, Math.abs(forward)));
    }
  });

  test.skipIf(!native)("the executors agree in float32 and float64", () => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const sample of cases) {
        const inputs = inputsOf(sample, dtype);
        const ours = plainOf(withBackend({ backend: "native" }, () => sample.call(...inputs)));
        const theirs = plainOf(withBackend({ backend: "ts" }, () => sample.call(...inputs)));
        const allowed = dtype === "float32" ? tolerance : tolerance * 2 ** -29;
        if (allowed === 0) expect(ours).toEqual(theirs);
        else expectClose(ours, theirs, allowed);
      }
    }
  });

  test.skipIf(levels.length < 2)("every instruction-set level gives the same bits", () => {
    for (const sample of cases) {
      const inputs = inputsOf(sample, "float32");
      const results = levels.map((isa) =>
        bitsOf(withBackend({ backend: "native", isa }, () => sample.call(...inputs))),
      );
      for (const result of results) expect(result).toEqual(results[0]);
    }
  });
});
