/** Random functions, compiled, have the bits of the plain ones: values, gradients and state, on both executors. */
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  compile,
  Generator,
  GradientError,
  manualSeed,
  optim,
  setNumThreads,
  type Tensor,
} from "../../lib/index.js";
import { backendInfo, withBackend } from "../../lib/runtime/executor.js";
import { functionOf, inputOf, makeWorld, OPERATION_COUNT, type Step, type World } from "./random_programs.js";

const threads = backendInfo().threads;
afterAll(() => setNumThreads(threads));

const BACKENDS = backendInfo().backend === "native" ? (["native", "ts"] as const) : (["ts"] as const);

const bytes = ({ data }: Tensor): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.nat(OPERATION_COUNT - 1), fc.nat(30), fc.nat(30), fc.nat(9)),
  { minLength: 1, maxLength: 25 },
);
const numbers = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: -3, max: 3, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, -1e-40) },
  ),
  { minLength: 12, maxLength: 12 },
);

/** All that two calls leave behind. */
function outcome(
  list: readonly Step[],
  dtype: World["dtype"],
  inputs: readonly Tensor[],
  isCompiled: boolean,
  isUpdated: boolean,
): string[] {
  const world = makeWorld(new Generator(1), dtype);
  manualSeed(3);
  const rule = new optim.SGD(world.parameters, { lr: 0.1, momentum: 0.9 });
  const body = functionOf(list, world);
  const fn = (x: Tensor): Tensor[] => {
    const results = body(x);
    if (isUpdated) rule.step();
    return results;
  };
  const call = isCompiled ? compile(fn).sync : fn;
  const found: string[] = [];
  for (const x of inputs) {
    try {
      found.push(...call(x).map(bytes));
    } catch (error) {
      // Rarely no gradient comes to any parameter; both must say so (the plain one when half is done).
      if (!(isUpdated && error instanceof GradientError)) throw error;
      return [error.message];
    }
  }
  found.push(bytes(world.state), ...world.parameters.map(bytes));
  if (!isUpdated) found.push(...world.parameters.map(({ grad }) => (grad === null ? "none" : bytes(grad))));
  return found;
}

test.each(BACKENDS)("random functions on the %s executor", (backend) => {
  fc.assert(
    fc.property(
      steps,
      fc.tuple(numbers, numbers),
      fc.constantFrom("float32", "float64"),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      (list, values, dtype, isUpdated, count) => {
        setNumThreads(count);
        const inputs = values.map((each) => inputOf(each, dtype));
        withBackend({ backend }, () => {
          const plain = outcome(list, dtype, inputs, false, isUpdated);
          expect(outcome(list, dtype, inputs, true, isUpdated)).toEqual(plain);
        });
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 120) },
  );
});
