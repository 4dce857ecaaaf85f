/** Newton's method on the quadratic: by a solved system, and by conjugate gradients without forming the Hessian. */
import * as optim from "../../optim/index.js";
import { atMost, holds, near } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES, P } from "../lecture.js";
import { matches, type Path, startingPoint, walk } from "../quadratic.js";

/** Paths by step size, and what becomes of a Hessian that is not positive definite. */
export interface NewtonData {
  readonly full: Path;
  readonly half: Path;
  /** One step by conjugate gradients. */
  readonly matrixFree: Path;
  readonly gradientDescent: Path;
  /** What Newton says at a saddle. */
  readonly saddle: string;
  /** Length of the step at the saddle once damping is asked for. */
  readonly dampedStep: number;
}

const GRADIENT_LR = 0.35;
const CONDITION_DIGITS = 1e-12;

export const newton: Experiment<NewtonData> = {
  name: "newton",
  run: () => ({
    full: walk("Newton, α 1", (params) => new optim.Newton(params, { lr: 1 })),
    half: walk("Newton, α 0.5", (params) => new optim.Newton(params, { lr: 0.5 })),
    matrixFree: walk("Newton by conjugate gradients", (params) => new optim.NewtonCG(params, { lr: 1 }), {
      updates: 1,
    }),
    gradientDescent: walk("gradient descent, α 0.35", (params) => new optim.SGD(params, { lr: GRADIENT_LR })),
    saddle: messageAtSaddle(),
    dampedStep: stepAtSaddle(2 * P[1][1]),
  }),
  check({ full, half, matrixFree, saddle, dampedStep }) {
    return [
      near(
        "distance to the optimum after one step, α 1",
        Math.hypot(...full.iterates[1]),
        0,
        CONDITION_DIGITS,
      ),
      matches(full, ITERATES.newton),
      matches(half, ITERATES.dampedNewton),
      near(
        "distance to the optimum after one step by conjugate gradients",
        Math.hypot(...matrixFree.iterates[1]),
        0,
        1e-6,
      ),
      holds(
        "a Hessian that is not positive definite is an error that says so",
        /positive definite/.test(saddle),
      ),
      atMost("length of the damped step at the saddle (finite)", dampedStep, 10),
    ];
  },
};

/** f(x, y) = (x² − y²)/2, whose Hessian has the eigenvalues 1 and −1. */
function stepAtSaddle(damping: number): number {
  const theta = startingPoint();
  const before = [...theta.data].map(Number);
  const rule = new optim.Newton([theta], { lr: 1, damping });
  rule.step(() => {
    rule.zeroGrad();
    const value = theta.slice(0).pow(2).sub(theta.slice(1).pow(2)).mul(0.5);
    value.backward();
    return value;
  });
  return Math.hypot(...before.map((value, axis) => value - Number(theta.data[axis])));
}

function messageAtSaddle(): string {
  try {
    stepAtSaddle(0);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
