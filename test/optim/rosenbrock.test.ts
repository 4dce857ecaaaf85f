/** Every optimizer reaches the end of Rosenbrock's valley. */
import { describe, expect, test } from "vitest";
import { ExponentialLR } from "../../lib/optim/index.js";
import { OPTIMIZERS, startPoint, stepOnce } from "./rosenbrock.js";

describe("the end of the valley is reached by", () => {
  test.each(Object.keys(OPTIMIZERS))("%s", (name) => {
    const { make, steps, within, gamma } = OPTIMIZERS[name];
    const x = startPoint();
    const optimizer = make([x]);
    const scheduler = gamma === undefined ? null : new ExponentialLR(optimizer, { gamma });
    for (let step = 0; step < steps; step++) {
      stepOnce(optimizer, x);
      scheduler?.step();
    }
    const [[a, b]] = x.toArray() as [number, number][];
    expect(Math.hypot(a - 1, b - 1), `${a}, ${b}`).toBeLessThan(within);
  });
});
