/** Newton's method on the quadratic: by a solved system, and by conjugate gradients without forming the Hessian. */
import * as optim from "../../optim/index.js";
import type { Tensor } from "../../tensor.js";
import { atMost, holds, near } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES } from "../lecture.js";
import { matches, type Path, type Rule, walk } from "../quadratic.js";

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
/** Above 1, which lifts the eigenvalue −1 above zero. */
const SADDLE_DAMPING = 3;
const CONDITION_DIGITS = 1e-12;

export const newton: Experiment<NewtonData> = {
  name: "newton",
  run: () => ({
    full: newtonPath("Newton, α 1", (params) => new optim.Newton(params, { lr: 1 })),
    half: newtonPath("Newton, α 0.5", (params) => new optim.Newton(params, { lr: 0.5 })),
    matrixFree: newtonPath("Newton by conjugate gradients", (params) => new optim.NewtonCG(params), 1),
    gradientDescent: walk("gradient descent, α 0.35", (params) => new optim.SGD(params, { lr: GRADIENT_LR })),
    saddle: messageAtSaddle(),
    dampedStep: stepAtSaddle(SADDLE_DAMPING),
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

const newtonPath = (name: string, makeRule: (params: Tensor[]) => Rule, updates?: number): Path =>
  walk(name, makeRule, { updates, isSecondOrder: true });

/** Length of a step on f(x, y) = (x² − y²)/2, whose Hessian has the eigenvalues 1 and −1. */
function stepAtSaddle(damping: number): number {
  const saddle = (theta: Tensor): Tensor => theta.slice(0).pow(2).sub(theta.slice(1).pow(2)).mul(0.5);
  const { iterates } = walk("saddle", (params) => new optim.Newton(params, { damping }), {
    updates: 1,
    evaluate: saddle,
    isSecondOrder: true,
  });
  return Math.hypot(...iterates[1].map((value, axis) => value - iterates[0][axis]));
}

function messageAtSaddle(): string {
  try {
    stepAtSaddle(0);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
