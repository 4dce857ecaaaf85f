import { describe, expect, test } from "vitest";
import { call, numbers } from "./call.js";

const { fround, sqrt } = Math;
const N = 37;

type Round = (x: number) => number;
const ROUNDINGS: ["f32" | "f64", Round][] = [
  ["f32", fround],
  ["f64", (x) => x],
];
const array = (type: "f32" | "f64", data: Iterable<number>): Float32Array | Float64Array =>
  type === "f32" ? Float32Array.from(data) : Float64Array.from(data);

const flags = [0, 1];

describe.each(ROUNDINGS)("in %s", (type, r) => {
  const g = array(type, numbers(N, 1));
  const p0 = array(type, numbers(N, 2));
  const sum = (a: number, b: number): number => r(a + b);
  const product = (a: number, b: number): number => r(r(a) * b);

  test.each(flags)("sgd, maximize %i", (maximize) => {
    const p = p0.slice();
    call(`sgd_${type}`, [N], [g, p], [0.1, 0.01, maximize]);
    const expected = [...p0].map((x, i) => {
      const d = sum(maximize ? -g[i] : g[i], product(0.01, x));
      return sum(x, -product(0.1, d));
    });
    expect([...p]).toEqual(expected);
  });

  const momentumCases = flags.flatMap((nesterov) =>
    flags.flatMap((maximize) => flags.map((first) => [nesterov, maximize, first])),
  );
  test.each(momentumCases)(
    "sgd_momentum, nesterov %i, maximize %i, first %i",
    (nesterov, maximize, first) => {
      const p = p0.slice();
      const u0 = array(type, first ? new Array(N).fill(Number.NaN) : numbers(N, 3));
      const u = u0.slice();
      call(`sgd_momentum_${type}`, [N], [g, p, u], [0.1, 0.9, 0.3, 0.01, nesterov, maximize, first]);
      for (let i = 0; i < N; i++) {
        const d = sum(maximize ? -g[i] : g[i], product(0.01, p0[i]));
        const velocity = first ? d : sum(product(0.9, u0[i]), product(1 - 0.3, d));
        const step = nesterov ? sum(d, product(0.9, velocity)) : velocity;
        expect([u[i], p[i]]).toEqual([velocity, sum(p0[i], -product(0.1, step))]);
      }
    },
  );

  const adamCases = flags.flatMap((decoupled) => flags.map((maximize) => [decoupled, maximize]));
  test.each(adamCases)("adam, decoupled %i, maximize %i", (decoupled, maximize) => {
    // Products of scalars that are far from any float32 number, and steps as large as the parameters: a rounding
    // that is missing shows.
    const [lr, beta1, beta2, eps, decay, k] = [0.28, 0.9, 0.999, 1e-8, 0.47, 3];
    const [correction1, correction2] = [1 - beta1 ** k, 1 - beta2 ** k];
    const p = p0.slice();
    const m0 = array(type, numbers(N, 4));
    const v0 = array(type, numbers(N, 5).map(Math.abs));
    const m = m0.slice();
    const v = v0.slice();
    const scalars = [lr, beta1, beta2, eps, decay, decoupled, maximize, correction1, correction2];
    call(`adam_${type}`, [N], [g, p, m, v], scalars);
    for (let i = 0; i < N; i++) {
      let x = p0[i];
      let d = maximize ? -g[i] : g[i];
      if (decoupled) x = sum(x, -product(lr * decay, x));
      else d = sum(d, product(decay, x));
      const first = sum(product(beta1, m0[i]), product(1 - beta1, d));
      const second = sum(product(beta2, v0[i]), product(1 - beta2, r(d * d)));
      const root = sum(r(sqrt(second)), r(eps * sqrt(correction2)));
      const updated = sum(x, -product((lr * sqrt(correction2)) / correction1, r(first / root)));
      expect([m[i], v[i], p[i]]).toEqual([first, second, updated]);
    }
  });
});

test("updates strided vectors and leaves their neighbours alone", () => {
  const p = Float64Array.of(1, 9, 2, 9, 3);
  const g = Float64Array.of(10, 20, 30);
  call(
    "sgd_f64",
    [3],
    [
      { data: g, offset: 2, strides: [-1] },
      { data: p, strides: [2] },
    ],
    [0.5, 0, 0],
  );
  expect([...p]).toEqual([-14, 9, -8, 9, -2]);
});

test("a vector without elements", () => {
  call(
    "adam_f32",
    [0],
    [0, 1, 2, 3].map(() => new Float32Array(0)),
    [1, 0, 0, 0, 0, 0, 0, 1, 1],
  );
});
