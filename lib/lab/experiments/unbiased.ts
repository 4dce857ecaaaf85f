/** What dividing by 1 − βᵏ does to the first updates of momentum and Adam. */
import * as optim from "../../optim/index.js";
import { near } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES } from "../lecture.js";
import { matches, type Path, walk } from "../quadratic.js";

/** Paths by rule. */
export interface UnbiasedData {
  readonly biased: Path;
  readonly unbiased: Path;
  readonly uncorrectedAdam: Path;
  readonly adam: Path;
}

const MOMENTUM = { lr: 0.35, beta: 0.7 };
const ADAM = { lr: 0.6, betas: [0.7, 0.8] as const, eps: 1e-8 };
const STEPS = { uncorrected: 0.4, unbiased: 0.6 };

export const unbiased: Experiment<UnbiasedData> = {
  name: "unbiased",
  run: () => ({
    biased: walk(
      "biased momentum",
      (params) => new optim.Momentum(params, { ...MOMENTUM, form: "averaged" }),
    ),
    unbiased: walk(
      "unbiased momentum",
      (params) => new optim.Momentum(params, { ...MOMENTUM, form: "unbiased" }),
    ),
    uncorrectedAdam: walk(
      "uncorrected Adam",
      (params) => new optim.Adam(params, { ...ADAM, biasCorrection: false }),
    ),
    adam: walk("unbiased Adam", (params) => new optim.Adam(params, ADAM)),
  }),
  check({ biased, unbiased: corrected, uncorrectedAdam, adam }) {
    return [
      ...firstSteps(uncorrectedAdam, STEPS.uncorrected),
      ...firstSteps(adam, STEPS.unbiased),
      matches(biased, ITERATES.averagedMomentum),
      matches(corrected, ITERATES.unbiasedMomentum),
      matches(uncorrectedAdam, ITERATES.uncorrectedAdam),
      matches(adam, ITERATES.adam),
    ];
  },
};

const firstSteps = ({ name, iterates: [start, first] }: Path, length: number) =>
  [0, 1].map((axis) =>
    near(
      `${name}: length of the first step, θ${"₁₂"[axis]}`,
      Math.abs(first[axis] - start[axis]),
      length,
      0.005,
    ),
  );
