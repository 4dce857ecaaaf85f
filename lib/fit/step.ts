/** The step that `fit` compiles: what a hand-written loop does, and the diagnostics where they are asked for. */
import { noGrad } from "../autograd/mode.js";
import type { Module } from "../nn/index.js";
import { withLayerScopes } from "../nn/scopes.js";
import { clipGradNorm } from "../nn/utils.js";
import type { Tensor } from "../tensor.js";
import type { StepNorms, StepWatch } from "./diagnostics.js";
import type { LossFunction } from "./loss.js";
import type { FitOptimizer } from "./options.js";
import type { ScheduleRunner } from "./schedule.js";

/** What a step returns; the loss stands first, since progress reports show the first scalar. */
export interface StepResult {
  readonly loss: Tensor;
  readonly norms: StepNorms | null;
}

/** What a step works with. */
export interface StepParts {
  readonly model: Module;
  readonly loss: LossFunction;
  readonly optimizer: FitOptimizer;
  readonly schedule: ScheduleRunner;
  readonly clipNorm: number | null;
  readonly watch: StepWatch | null;
}

/** One step of training. */
export function trainStep(parts: StepParts, x: Tensor, target: Tensor): StepResult {
  const { model, optimizer, schedule, clipNorm, watch } = parts;
  optimizer.zeroGrad();
  const forward = (): Tensor => parts.loss(model.forward(x), target);
  const loss = watch === null ? forward() : withLayerScopes(model, forward);
  watch?.beforeBackward(loss);
  loss.backward();
  const norms = watch?.beforeUpdate();
  if (clipNorm !== null) clipGradNorm(parametersOf(optimizer), clipNorm);
  schedule.beforeUpdate();
  optimizer.step();
  schedule.afterUpdate();
  return { loss: noGrad(() => loss.detach()), norms: norms?.() ?? null };
}

/** The parameters of all groups. */
export const parametersOf = ({ paramGroups }: FitOptimizer): Tensor[] =>
  paramGroups.flatMap(({ params }) => [...params]);
