/** What the step-size advisor says: the limits of each rule, predictions for given settings, and all of it as text. */
import { shortNumber, textTable } from "../../text_table.js";
import type { Spectrum } from "../spectrum.js";
import { RULE_NAMES, RULES, type StabilityRule, spectralRadius } from "./rules.js";

/** What becomes of a rule at given settings, on the quadratic that the loss looks like where it stands. */
export interface StabilityPrediction {
  /**
   * "diverges" along the direction of the largest curvature; "converges" along all; or "stable": contracts along the
   * largest curvature, but there are directions of curvature 0 or below, along which no rule comes to rest.
   */
  verdict: "converges" | "diverges" | "stable";
  /** The factor by which the distance shrinks per step in the long run, in its slowest direction. */
  spectralRadius: number;
  /** Steps until the distance is a tenth: ln 10 / −ln(spectralRadius); Infinity where it does not shrink. */
  iterationsPerDigit: number;
}

/** Shares of the largest curvature that are rounding in float32 products. */
const FLAT = 1e-6;

/** What `adviseStepSize` found. */
export class StepSizeAdvice {
  /** The largest eigenvalue of the Hessian that was found, never too large. */
  readonly lambdaMax: number;
  /** The smallest one found, never too small. */
  readonly lambdaMin: number;
  /** Hessian-vector products taken. */
  readonly products: number;
  /** Whether both eigenvalues had come to rest. */
  readonly converged: boolean;
  /** The momentum coefficient that limits and predictions are for. */
  readonly beta: number;
  /** The learning rate that predictions are for, or null. */
  readonly lr: number | null;
  /** For each rule the learning rate below which it is stable. Infinity where no curvature is positive. */
  readonly limits: Readonly<Record<StabilityRule, number>>;
  /** For each rule what it does at `lr` and `beta`; null if no `lr` was given. */
  readonly predictions: Readonly<Record<StabilityRule, StabilityPrediction>> | null;

  /** @internal */
  constructor(spectrum: Spectrum, beta: number, lr: number | null) {
    this.lambdaMax = spectrum.max;
    this.lambdaMin = spectrum.min;
    this.products = spectrum.products;
    this.converged = spectrum.converged;
    this.beta = beta;
    this.lr = lr;
    this.limits = forEachRule((rule) =>
      spectrum.max > 0 ? RULES[rule].limit(beta) / spectrum.max : Infinity,
    );
    this.predictions = lr === null ? null : forEachRule((rule) => predict(rule, spectrum, lr, beta));
  }

  /** A table with a row for each rule. */
  toString(): string {
    const { lr, beta, predictions } = this;
    const count = `${this.products} Hessian-vector product${this.products === 1 ? "" : "s"}`;
    const rest = this.converged ? "" : ", still moving";
    const head =
      `curvature of the loss: largest ${shortNumber(this.lambdaMax)}, smallest ${shortNumber(this.lambdaMin)} ` +
      `(${count}${rest})`;
    const header = ["rule", `lr below (beta ${beta})`];
    if (predictions !== null) header.push(`at lr ${lr}`, "factor per step", "steps per digit");
    const rows = RULE_NAMES.map((rule) => {
      const row = [RULES[rule].label, shortNumber(this.limits[rule])];
      if (predictions !== null) {
        const { verdict, spectralRadius: radius, iterationsPerDigit } = predictions[rule];
        row.push(verdict, shortNumber(radius), shortNumber(iterationsPerDigit, 3));
      }
      return row;
    });
    const note =
      this.lambdaMin > FLAT * this.lambdaMax
        ? []
        : ["Some curvature is 0 or negative: there no rule comes to rest, and stable is the best there is."];
    return [head, textTable(header, rows), ...note].join("\n");
  }
}

function forEachRule<Value>(ofRule: (rule: StabilityRule) => Value): Record<StabilityRule, Value> {
  return Object.fromEntries(RULE_NAMES.map((rule) => [rule, ofRule(rule)])) as Record<StabilityRule, Value>;
}

function predict(rule: StabilityRule, { max, min }: Spectrum, lr: number, beta: number): StabilityPrediction {
  // Between two curvatures a rule is at most as slow as at the slower of them.
  const radius = Math.max(spectralRadius(rule, lr * max, beta), spectralRadius(rule, lr * min, beta));
  const isFlat = !(min > FLAT * max);
  const isUnstable = max > 0 && !(spectralRadius(rule, lr * max, beta) < 1);
  const isSlow = !(radius < 1);
  return {
    verdict: isUnstable ? "diverges" : isFlat || isSlow ? "stable" : "converges",
    spectralRadius: radius,
    iterationsPerDigit: isSlow ? Infinity : Math.LN10 / -Math.log(radius),
  };
}
