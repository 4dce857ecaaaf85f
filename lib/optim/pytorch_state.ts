/** State dicts as PyTorch's optimizers write them, turned into ours: what differs is names and who is a number. */
import { stack } from "../ops/shape.js";
import { Tensor } from "../tensor.js";
import type { OptimizerStateDict } from "./state_dict.js";

/**
 * What `optimizer.state_dict()` gives in PyTorch, its tensors as tensors: options in snake case, `step` a number or a
 * tensor of one element.
 */
export interface PyTorchStateDict {
  state: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  param_groups: readonly Readonly<Record<string, unknown>>[];
}

/** Options of PyTorch's that say how it computes, not what; and what its schedulers leave in groups. */
const DROPPED: readonly string[] = ["foreach", "fused", "capturable", "differentiable", "initial_lr"];
/** Options with names of their own here. */
const RENAMED: Readonly<Record<string, string>> = { line_search_fn: "lineSearch", adjust_lr_fn: "adjustLr" };
/** Choices, by PyTorch's names. */
const CHOICES: Readonly<Record<string, string>> = {
  strong_wolfe: "strongWolfe",
  match_rms_adamw: "matchRmsAdamW",
};
/** What L-BFGS recomputes from its pairs. */
const DERIVED: readonly string[] = ["ro", "al"];

const camelCase = (name: string): string =>
  RENAMED[name] ?? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Tensor);

/**
 * The state dict in our form if it is in PyTorch's, else the argument itself, right or wrong. Options that PyTorch does not
 * have (`biasCorrection`) stay as they are in `groups`. Whether weight decay is decoupled is for Adam a matter of the class
 * here, so that option is left out unless our groups have it.
 */
export function fromPyTorch(stateDict: unknown, groups: readonly object[]): OptimizerStateDict {
  if (!isRecord(stateDict) || !Array.isArray(stateDict.param_groups)) return stateDict as never;
  const paramGroups = stateDict.param_groups.map((group: unknown, i) =>
    isRecord(group) ? optionsOf(group, groups[i] ?? {}) : group,
  );
  const { state } = stateDict;
  const entries = !isRecord(state)
    ? state
    : Object.fromEntries(
        Object.entries(state).flatMap(([index, kept]) => {
          if (!isRecord(kept)) return [[index, kept]];
          const own = stateOf(kept);
          // A rule that keeps nothing still has an entry there, of nulls.
          return Object.keys(own).length === 0 ? [] : [[index, own]];
        }),
      );
  return { state: entries, paramGroups } as never;
}

function optionsOf(group: Record<string, unknown>, own: object): Record<string, unknown> {
  const { params: _, ...options } = own as Record<string, unknown>;
  for (const [name, value] of Object.entries(group)) {
    const ours = camelCase(name);
    if (DROPPED.includes(name) || (ours === "decoupledWeightDecay" && !(ours in own))) continue;
    // PyTorch says null for its default.
    if (value === null && ours === "adjustLr") options[ours] = "original";
    else options[ours] = CHOICES[value as string] ?? numberOf(value);
  }
  return options;
}

function stateOf(kept: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(kept)
      .filter(([name, value]) => value !== null && !DERIVED.includes(name))
      .map(([name, value]) => [name, isRows(value) ? stack(value) : value]),
  );
}

const isRows = (value: unknown): value is Tensor[] =>
  Array.isArray(value) && value.length > 0 && value.every((row) => row instanceof Tensor);

/** The number in a tensor of one element. */
export const numberOf = (value: unknown): unknown =>
  value instanceof Tensor && value.size === 1 ? value.item() : value;
