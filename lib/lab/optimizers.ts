/** The optimizers that are compared on a real task, with the settings they are given. */
import * as optim from "../optim/index.js";
import type { Tensor } from "../tensor.js";
import type { Rule } from "./quadratic.js";

/** What rules have in common; figures have a column for each. */
export type Family = "momentum" | "adaptive" | "other";

/** An optimizer and how it is run. */
export interface Contestant {
  readonly name: string;
  readonly family: Family;
  /** Its settings, as they are written in code. */
  readonly settings: string;
  make(params: readonly Tensor[]): Rule;
  /**
   * What it is fed: "batches" of 100 in compiled steps; or the "whole" training set, one step an epoch, where the rule
   * decides by values how often to evaluate the loss. "newton" is the same for rules that differentiate the loss.
   */
  readonly feed: "batches" | "whole" | "newton";
}

type Made = Pick<Contestant, "name" | "settings" | "make">;

const inFamily = (family: Family, made: readonly Made[]): Contestant[] =>
  made.map((each) => ({ ...each, family, feed: "batches" }));

/** All of them, with step sizes that work. Each could be tuned further, so this is no ranking. */
export const CONTESTANTS: readonly Contestant[] = [
  ...inFamily("momentum", [
    { name: "SGD", settings: "lr: 0.5", make: (params) => new optim.SGD(params, { lr: 0.5 }) },
    {
      name: "Momentum, classic",
      settings: 'lr: 0.05, beta: 0.9, form: "classic"',
      make: (params) => new optim.Momentum(params, { lr: 0.05, beta: 0.9, form: "classic" }),
    },
    {
      name: "Momentum, averaged",
      settings: 'lr: 0.5, beta: 0.9, form: "averaged"',
      make: (params) => new optim.Momentum(params, { lr: 0.5, beta: 0.9, form: "averaged" }),
    },
    {
      name: "Momentum, unbiased",
      settings: 'lr: 0.5, beta: 0.9, form: "unbiased"',
      make: (params) => new optim.Momentum(params, { lr: 0.5, beta: 0.9, form: "unbiased" }),
    },
    {
      name: "Nesterov, first",
      settings: 'lr: 0.05, beta: 0.9, form: "first"',
      make: (params) => new optim.Nesterov(params, { lr: 0.05, beta: 0.9, form: "first" }),
    },
    {
      name: "Nesterov, second",
      settings: 'lr: 0.5, beta: 0.9, form: "second"',
      make: (params) => new optim.Nesterov(params, { lr: 0.5, beta: 0.9, form: "second" }),
    },
    {
      name: "Nesterov, PyTorch's",
      settings: 'lr: 0.05, beta: 0.9, form: "pytorch"',
      make: (params) => new optim.Nesterov(params, { lr: 0.05, beta: 0.9, form: "pytorch" }),
    },
  ]),
  ...inFamily("adaptive", [
    { name: "Adagrad", settings: "lr: 0.02", make: (params) => new optim.Adagrad(params, { lr: 0.02 }) },
    { name: "Adadelta", settings: "lr: 1", make: (params) => new optim.Adadelta(params) },
    { name: "RMSprop", settings: "lr: 0.002", make: (params) => new optim.RMSprop(params, { lr: 0.002 }) },
    { name: "Adam", settings: "lr: 0.003", make: (params) => new optim.Adam(params, { lr: 0.003 }) },
    {
      name: "Adam, uncorrected",
      settings: "lr: 0.003, biasCorrection: false",
      make: (params) => new optim.Adam(params, { lr: 0.003, biasCorrection: false }),
    },
    { name: "AdamW", settings: "lr: 0.003", make: (params) => new optim.AdamW(params, { lr: 0.003 }) },
    { name: "Adamax", settings: "lr: 0.01", make: (params) => new optim.Adamax(params, { lr: 0.01 }) },
    { name: "NAdam", settings: "lr: 0.003", make: (params) => new optim.NAdam(params, { lr: 0.003 }) },
    { name: "RAdam", settings: "lr: 0.01", make: (params) => new optim.RAdam(params, { lr: 0.01 }) },
  ]),
  ...inFamily("other", [
    { name: "Lion", settings: "lr: 0.001", make: (params) => new optim.Lion(params, { lr: 0.001 }) },
    { name: "Muon", settings: "lr: 0.02", make: (params) => new optim.Muon(params, { lr: 0.02 }) },
    {
      name: "SAM of SGD",
      settings: "new optim.SGD(params, { lr: 0.5 })",
      make: (params) => new optim.SAM(new optim.SGD(params, { lr: 0.5 })),
    },
  ]),
  {
    name: "L-BFGS",
    family: "other",
    settings: 'maxIter: 5, maxEval: 25, lineSearch: "strongWolfe"',
    make: (params) => new optim.LBFGS(params, { maxIter: 5, maxEval: 25, lineSearch: "strongWolfe" }),
    feed: "whole",
  },
  {
    name: "Newton-CG",
    family: "other",
    settings: "maxCg: 20",
    make: (params) => new optim.NewtonCG(params, { maxCg: 20 }),
    feed: "newton",
  },
];
