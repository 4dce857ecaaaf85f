/**
 * What theory says of one layer at initialization, its weights independent and of mean 0: its pre-activations are
 * nearly Gaussian (a sum of many terms), of variance n·E[w²]·E[x²] + E[b²] for n inputs, and the activation changes
 * their second moment by a Gaussian integral: for ReLU half is left, so that with E[w²] = c/n the factor is c/2.
 */
import { noGrad } from "../../autograd/mode.js";
import { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh } from "../../nn/activation.js";
import { Flatten, Identity } from "../../nn/containers.js";
import { Dropout } from "../../nn/dropout.js";
import { Module } from "../../nn/module.js";
import { gelu, relu, sigmoid, silu, tanh } from "../../ops/unary.js";
import { type Tensor, tensor } from "../../tensor.js";
import type { ObservedCall } from "../observe.js";

/** What follows a layer: its name, and the second moment that it makes of a Gaussian's variance. */
export interface Activation {
  name: string;
  /** null where it works on more than single elements, or is not known. */
  secondMoment: ((variance: number) => number) | null;
}

const LINEAR: Activation = { name: "linear", secondMoment: (variance) => variance };
const ELEMENTWISE = [ReLU, LeakyReLU, Sigmoid, Tanh, SiLU, GELU, Softplus];
/** Modules that move elements only; they say nothing of what happens to their size. */
const NEUTRAL = [Identity, Flatten];
/** Activations that are recognized where a model calls them as functions. */
const FUNCTIONS: Record<string, (x: Tensor) => Tensor> = {
  relu: (x) => relu(x),
  tanh: (x) => tanh(x),
  sigmoid: (x) => sigmoid(x),
  silu: (x) => silu(x),
  gelu: (x) => gelu(x),
};

/** Where the Gaussian density is sampled, in standard deviations: beyond 8 there is less than rounding. */
const REACH = 8;
const SAMPLES = 801;
const GRID = Float64Array.from({ length: SAMPLES }, (_, i) => REACH * ((2 * i) / (SAMPLES - 1) - 1));
const STEP = (2 * REACH) / (SAMPLES - 1);
const WEIGHTS = GRID.map((t) => (STEP * Math.exp((-t * t) / 2)) / Math.sqrt(2 * Math.PI));

/** E[σ(√variance·t)²] for a standard normal t, by the trapezoidal rule. */
function gaussianMoment(fn: (x: Tensor) => Tensor, variance: number): number {
  const scale = Math.sqrt(variance);
  const values = noGrad(() => fn(tensor(GRID.map((t) => scale * t)))).data;
  return WEIGHTS.reduce((sum, weight, i) => sum + weight * Number(values[i]) ** 2, 0);
}

/** What follows a layer: by the modules that were called, else by the values. */
export function activationAfter({ output, activation, between }: ObservedCall): Activation {
  const modules = between.filter((module) => !isOneOf(NEUTRAL, module));
  if (modules.length > 0) return byModules(modules);
  return byValues(output, activation);
}

const isOneOf = (classes: readonly (new (...args: never[]) => unknown)[], module: unknown): boolean =>
  classes.some((each) => module instanceof each);

function byModules(modules: readonly unknown[]): Activation {
  const name = modules.map((module) => (module as object).constructor.name).join(" ");
  let factor = 1;
  const functions: Module[] = [];
  for (const module of modules) {
    // What dropout leaves is scaled by 1/(1 − p), of a share 1 − p.
    if (module instanceof Dropout) factor /= module.training ? 1 - module.p : 1;
    else if (isOneOf(ELEMENTWISE, module) && module instanceof Module) functions.push(module as Module);
    else return { name, secondMoment: null };
  }
  const fn = (x: Tensor): Tensor => functions.reduce((value, module) => module.forward(value), x);
  return { name, secondMoment: (variance) => factor * gaussianMoment(fn, variance) };
}

/** The same function on the same values has the same bits. */
function byValues(before: Tensor, after: Tensor): Activation {
  const wanted = after.data;
  const fits = (fn: (x: Tensor) => Tensor): boolean => {
    const values = noGrad(() => fn(before.detach())).data;
    return values.length === wanted.length && values.every((value, i) => Object.is(value, wanted[i]));
  };
  if (fits((x) => x)) return LINEAR;
  const found = Object.entries(FUNCTIONS).find(([, fn]) => fits(fn));
  if (found === undefined) return { name: "?", secondMoment: null };
  const [name, fn] = found;
  return { name, secondMoment: (variance) => gaussianMoment(fn, variance) };
}

/** Halvings of a range of 10^±6 until it is a rounding wide. */
const HALVINGS = 60;

/**
 * The variance of the weights of a layer of `fanIn` inputs at which the activations have the second moment of the
 * inputs; null if theory does not say.
 */
export function steadyVariance(fanIn: number, moment: number, activation: Activation): number | null {
  const { secondMoment } = activation;
  if (secondMoment === null || !(moment > 0 && moment < Infinity)) return null;
  let [low, high] = [-6, 6];
  const isAbove = (exponent: number): boolean => secondMoment(moment * 10 ** exponent) > moment;
  if (isAbove(low) || !isAbove(high)) return null;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return 10 ** ((low + high) / 2) / fanIn;
}
