/** Paths of update rules over the lecture's quadratic, by the public optimizers in float64. */
import { type Tensor, tensor } from "../tensor.js";
import { type Check, near } from "./checks.js";
import { type Iterates, P, type Point, START, UPDATES } from "./lecture.js";

/** Where a rule goes: the start and each iterate, and the objective there. */
export interface Path {
  readonly name: string;
  readonly iterates: readonly Point[];
  readonly objective: readonly number[];
}

/** What a path needs of an optimizer. */
export interface Rule {
  zeroGrad(): void;
  step(closure: () => Tensor): unknown;
}

const MATRIX = tensor(P, { dtype: "float64" });
const HALF = 0.5;

/** f(θ) = ½θᵀPθ, of θ [2]. */
export const quadratic = (theta: Tensor): Tensor => theta.matmul(MATRIX).mul(theta).sum().mul(HALF);

/** A fresh θ at the start. */
export const startingPoint = (): Tensor => tensor([...START], { dtype: "float64", requiresGrad: true });

/** Options of `walk`. */
export interface WalkOptions {
  /** Default 30. */
  updates?: number;
  /** What the rule sees, by default the quadratic itself. */
  evaluate?: (theta: Tensor) => Tensor;
  /** The rule takes derivatives itself, as Newton's method does: the closure must not. */
  isSecondOrder?: boolean;
}

/** The path of a rule from the start. */
export function walk(name: string, makeRule: (params: Tensor[]) => Rule, options: WalkOptions = {}): Path {
  const { updates = UPDATES, evaluate = quadratic, isSecondOrder = false } = options;
  const theta = startingPoint();
  const rule = makeRule([theta]);
  const iterates: Point[] = [pointOf(theta)];
  for (let k = 0; k < updates; k++) {
    rule.step(() => {
      const value = evaluate(theta);
      if (isSecondOrder) return value;
      rule.zeroGrad();
      value.backward();
      return value;
    });
    iterates.push(pointOf(theta));
  }
  return { name, iterates, objective: iterates.map(objectiveAt) };
}

const pointOf = ({ data }: Tensor): Point => [Number(data[0]), Number(data[1])];

/** f at a point, in plain numbers: the optimizer's own value may belong to a look-ahead point. */
export function objectiveAt([x, y]: Point): number {
  const [[a, b], [, c]] = P;
  return (a * x * x + 2 * b * x * y + c * y * y) / 2;
}

const PRECISION = 1e-12;
const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(x - u, y - v);

/** Holds a path against the lecture's iterates: relative to their length, or to 1 at the optimum itself. */
export function matches({ name, iterates }: Path, expected: Iterates): Check {
  const errors = Object.entries(expected).map(([k, point]) => {
    const length = Math.hypot(...point);
    return distance(iterates[Number(k)], point) / (length < PRECISION ? 1 : length);
  });
  const numbers = Object.keys(expected).join(", ");
  return near(`${name}: relative distance to iterates ${numbers}`, Math.max(...errors), 0, PRECISION);
}

const DECIMALS = 0.005;

/** The coordinates of the first iterates as the lecture prints them, to two decimals. */
export const firstIterates = ({ name, iterates }: Path, printed: readonly Point[]): Check[] =>
  printed.flatMap((point, i) =>
    point.map((value, axis) =>
      near(`${name}: iterate ${i + 1}, θ${"₁₂"[axis]}`, iterates[i + 1][axis], value, DECIMALS),
    ),
  );

/** The objective after the last update over that at the start. */
export const reduction = ({ objective }: Path): number => objective[objective.length - 1] / objective[0];

/** An eigenvalue of P and its eigenvector, of length 1. */
export interface EigenPair {
  readonly value: number;
  readonly vector: Point;
}

/** The eigenvalues of P, the larger one first: for contours and theory, not for experiments to know. */
export const EIGENPAIRS: readonly EigenPair[] = [1, -1].map((sign) => {
  const [[a, b], [, c]] = P;
  const value = (a + c) / 2 + sign * Math.hypot((a - c) / 2, b);
  const length = Math.hypot(b, value - a);
  return { value, vector: [b / length, (value - a) / length] };
});
