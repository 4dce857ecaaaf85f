/** What decides the outcome of a training run: the part of the options that a checkpoint keeps. */

import { basename, resolve } from "node:path";
import { StateError } from "../../errors.js";
import { nonEmpty } from "../values.js";

/** Rules that step with one gradient; L-BFGS and SAM would evaluate each batch several times. */
export const OPTIMIZERS = [
  "sgd",
  "momentum",
  "nesterov",
  "adam",
  "adamw",
  "nadam",
  "radam",
  "adamax",
  "adagrad",
  "adadelta",
  "rmsprop",
  "lion",
  "muon",
] as const;
export const INITS = [
  "default",
  "kaiming-uniform",
  "kaiming-normal",
  "xavier-uniform",
  "xavier-normal",
  "lecun-uniform",
  "lecun-normal",
] as const;
export const ACTIVATIONS = ["relu", "tanh", "sigmoid", "gelu", "silu"] as const;

/** `--data digits` are the digits that the program draws itself. */
export const DIGITS = "digits";

/** Same configuration and executor, same weights. */
export interface TrainConfig {
  /** `digits`, or the folder of the IDX files. */
  data: string;
  /** At most so many training and so many test images; null for all. */
  limit: number | null;
  layers: number[];
  activation: (typeof ACTIVATIONS)[number];
  dropout: number;
  init: (typeof INITS)[number];
  optimizer: (typeof OPTIMIZERS)[number];
  lr: number;
  momentum: number;
  weightDecay: number;
  epochs: number;
  batchSize: number;
  seed: number;
}

type OptimizerName = (typeof OPTIMIZERS)[number];

/** Step size where none is given: PyTorch's, but for the rules that are gradient descent, and for Muon its authors'. */
export const DEFAULT_LR: Readonly<Record<OptimizerName, number>> = {
  sgd: 0.1,
  momentum: 0.01,
  nesterov: 0.01,
  adam: 1e-3,
  adamw: 1e-3,
  nadam: 2e-3,
  radam: 1e-3,
  adamax: 2e-3,
  adagrad: 1e-2,
  adadelta: 1,
  rmsprop: 1e-3,
  lion: 1e-4,
  muon: 0.02,
};
/** Weight decay where none is given: PyTorch's, which is 0 but for these. */
export const DEFAULT_WEIGHT_DECAY: Readonly<Partial<Record<OptimizerName, number>>> = {
  adamw: 0.01,
  muon: 0.1,
};
/** Rules with a momentum of their own to set, and what it is where none is given. */
export const DEFAULT_MOMENTUM: Readonly<Partial<Record<OptimizerName, number>>> = {
  sgd: 0,
  momentum: 0.9,
  nesterov: 0.9,
  rmsprop: 0,
  muon: 0.95,
};

export const DEFAULTS = {
  data: DIGITS,
  limit: null,
  layers: [784, 256, 128, 10],
  activation: "relu",
  dropout: 0,
  init: "default",
  optimizer: "adam",
  epochs: 5,
  batchSize: 128,
  seed: 0,
} satisfies Partial<TrainConfig>;

/** What was given, with everything else at its default. */
export function completeConfig(given: Partial<TrainConfig>): TrainConfig {
  const { optimizer = DEFAULTS.optimizer } = given;
  return {
    ...DEFAULTS,
    optimizer,
    lr: DEFAULT_LR[optimizer],
    momentum: DEFAULT_MOMENTUM[optimizer] ?? 0,
    weightDecay: DEFAULT_WEIGHT_DECAY[optimizer] ?? 0,
    ...given,
  };
}

/**
 * The configuration of a resumed run: the saved one, with more epochs where they are asked for.
 *
 * @param flags the options' names on the command line
 * @throws StateError for an option that was given and differs from the saved one
 */
export function resumeConfig(
  given: Partial<TrainConfig>,
  saved: TrainConfig,
  flags: Readonly<Record<keyof TrainConfig, string>>,
): TrainConfig {
  const problems: string[] = [];
  for (const [key, value] of Object.entries(given) as [keyof TrainConfig, TrainConfig[keyof TrainConfig]][]) {
    const before = saved[key];
    if (key === "epochs") {
      if (Number(value) < saved.epochs)
        problems.push(`--epochs is ${value}, the checkpoint's is ${before} and can only grow`);
    } else if (String(value) !== String(before)) {
      problems.push(`${flags[key]} is ${value}, the checkpoint's is ${before ?? "unset"}`);
    }
  }
  if (problems.length > 0) {
    throw new StateError(
      `this run cannot be resumed so: ${problems.join("; ")}. Leave these options out to go on as before, ` +
        "or start a new run with another --out",
    );
  }
  return { ...saved, epochs: given.epochs ?? saved.epochs };
}

/** The folder of a run where none is given. */
export const defaultOut = (data: string): string => `runs/${data === DIGITS ? DIGITS : basename(data)}`;

/** A folder's absolute path, so that a run can be resumed from anywhere. */
export const dataSource = (data: string): string => (nonEmpty(data) === DIGITS ? DIGITS : resolve(data));
