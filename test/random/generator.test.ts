/** What the generator and the functions on it refuse. */
import { expect, test } from "vitest";
import { ArgumentError, StateError } from "../../lib/errors.js";
import { Generator, rand, randint, randn } from "../../lib/random/index.js";

const generator = new Generator(1);
const refused: [() => unknown, string][] = [
  [
    () => rand([1], { seed: 3 } as never),
    "rand: unknown option seed; it takes dtype, generator, requiresGrad",
  ],
  [() => randn([1], { seed: 3 } as never), "randn: unknown option seed"],
  [() => randn([1], null as never), "randn: options must be an object, got null"],
  [() => rand([1], { generator: 5 as never }), "rand: generator must be a Generator, got number 5"],
  [() => rand([1], { generator: null as never }), "rand: generator must be a Generator, got null"],
  [() => rand([1], { requiresGrad: 1 as never }), "rand: requiresGrad must be true or false, got 1"],
  [() => randint(0, 2, [1], { seed: 3 } as never), "randint: unknown option seed; it takes dtype, generator"],
  [() => randint(0, 2, [1], { generator: 5 as never }), "randint: generator must be a Generator"],
  [
    () => generator.uniform([1], { min: 0 } as never),
    "uniform: unknown option min; it takes dtype, low, high",
  ],
  [() => generator.normal([1], { sd: 1 } as never), "normal: unknown option sd; it takes dtype, mean, std"],
  [() => generator.normal([1], null as never), "normal: options must be an object, got null"],
  [() => generator.dropoutMask([1], 0.5, { p: 1 } as never), "dropoutMask: unknown option p; it takes dtype"],
];
test.each(refused)("refuses unknown and ill-typed options: %#", (call, message) => {
  expect(call).toThrow(ArgumentError);
  expect(call).toThrow(message);
});

test("options are still obeyed", () => {
  const options = { generator: new Generator(3), dtype: "float64", requiresGrad: true } as const;
  const x = randn([4], options);
  expect([x.dtype, x.requiresGrad]).toEqual(["float64", true]);
  expect(x.toArray()).toEqual(new Generator(3).normal([4], { dtype: "float64" }).toArray());
});

test("a state that JSON cannot hold is a StateError, and changes nothing", () => {
  const before = generator.getState();
  const call = () => generator.setState({ ...before, seed: 1n } as never);
  expect(call).toThrow(StateError);
  expect(call).toThrow("seed: 1n");
  expect(generator.getState()).toEqual(before);
});
