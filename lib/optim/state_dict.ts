/** An optimizer's options and state as plain data and tensors, and back: checked whole before anything changes. */
import { noGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { StateError, ThalwegError } from "../errors.js";
import { misfit } from "../nn/state_dict.js";
import type { Tensor } from "../tensor.js";
import type { ParamState } from "./optimizer.js";
import { fromPyTorch, numberOf, type PyTorchStateDict } from "./pytorch_state.js";

/** The value of an option: what JSON can hold. */
export type OptionValue = number | boolean | string | null | readonly OptionValue[];

/**
 * What `Optimizer.stateDict` returns. Parameters are numbered over all groups in order; `state` has an entry for each
 * that was updated, whose tensors are named as in PyTorch (`momentum_buffer`, `exp_avg`, `exp_avg_sq`).
 */
export interface OptimizerStateDict {
  state: Record<string, ParamState>;
  paramGroups: ({ params: number[] } & Record<string, OptionValue | number[]>)[];
}

type Group = { params: Tensor[] };

/** Numbers of a state that count something; others may be any number. */
const COUNTS: readonly string[] = ["step", "n_iter", "func_evals"];

/** The options of a group: all but its parameters. */
function optionsOf<G extends Group>(group: G): Omit<G, "params"> {
  const { params: _, ...options } = group;
  return structuredClone(options);
}

/** The state dict of an optimizer. */
export function saveOptimizer(
  groups: readonly Group[],
  states: ReadonlyMap<Tensor, ParamState>,
): OptimizerStateDict {
  const state: OptimizerStateDict["state"] = {};
  let count = 0;
  const paramGroups = groups.map((group) => {
    const params = group.params.map((parameter) => {
      const index = count++;
      const own = states.get(parameter);
      if (own !== undefined) state[String(index)] = { ...own };
      return index;
    });
    return { ...(optionsOf(group) as Record<string, OptionValue>), params };
  });
  return { state, paramGroups };
}

/** What loading asks an update rule. */
interface Rule<Options, State> {
  checkOptions: (options: Options) => void;
  newState: (parameter: Tensor, options: Options) => State | null;
}

/**
 * The options of each group and the state of each parameter that a state dict holds, ours or PyTorch's; changes nothing.
 */
export function loadOptimizer<Options extends object, State extends ParamState>(
  operation: string,
  given: OptimizerStateDict | PyTorchStateDict,
  groups: readonly (Options & Group)[],
  rule: Rule<Options, State>,
): { options: Options[]; states: [Tensor, State][] } {
  const fail = (problems: readonly string[]): never => {
    throw new StateError(
      `${operation}: the state dict does not fit, nothing was loaded: ${problems.join("; ")}`,
    );
  };
  const stateDict = fromPyTorch(given, groups);
  if (!isObject(stateDict) || !isObject(stateDict.state) || !Array.isArray(stateDict.paramGroups)) {
    const state = isObject(stateDict) ? `, its state ${describe(stateDict.state)}` : "";
    fail([`it must be { state, paramGroups }, got ${describe(stateDict)}${state}`]);
  }
  const saved = stateDict.paramGroups;
  if (saved.length !== groups.length)
    fail([`it has ${saved.length} groups, the optimizer has ${groups.length}`]);

  const problems: string[] = [];
  const owners = new Map<string, { parameter: Tensor; options: Options }>();
  const options = groups.map((group, i): Options => {
    const loaded = optionsOf(saved[i] as unknown as Group) as unknown as Options;
    const before = problems.length;
    problems.push(...groupProblems(`paramGroups[${i}]`, group, saved[i]));
    if (problems.length > before) return loaded;
    try {
      rule.checkOptions(loaded);
    } catch (error) {
      if (!(error instanceof ThalwegError)) throw error;
      problems.push(`paramGroups[${i}]: ${error.message}`);
    }
    saved[i].params.forEach((index, k) => {
      owners.set(String(index), { parameter: group.params[k], options: loaded });
    });
    return loaded;
  });
  // Without the groups, nothing says what the entries of `state` should look like.
  if (problems.length > 0) fail(problems);

  const states: [Tensor, State, ParamState][] = [];
  for (const [index, entries] of Object.entries(stateDict.state)) {
    const owner = owners.get(index);
    const fresh = owner === undefined ? null : rule.newState(owner.parameter, owner.options);
    if (owner === undefined || fresh === null) {
      problems.push(`state ${index} belongs to no parameter that keeps a state`);
      continue;
    }
    problems.push(...stateProblems(`state ${index}`, fresh, entries));
    states.push([owner.parameter, fresh, entries]);
  }
  if (problems.length > 0) fail(problems);
  for (const [, fresh, entries] of states) fill(fresh, entries);
  return { options, states: states.map(([parameter, state]) => [parameter, state]) };
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function groupProblems(where: string, group: Group, saved: unknown): string[] {
  if (!isObject(saved)) return [`${where} is ${describe(saved)}, not a group`];
  const { params } = saved as { params?: unknown };
  if (!Array.isArray(params) || params.length !== group.params.length) {
    const count = Array.isArray(params) ? `${params.length} parameters` : "no list of parameters";
    return [`${where} has ${count}, the optimizer's has ${group.params.length}`];
  }
  return nameProblems(where, Object.keys(group), Object.keys(saved as object));
}

function stateProblems(where: string, fresh: ParamState, saved: unknown): string[] {
  if (!isObject(saved)) return [`${where} is ${describe(saved)}, not an object`];
  const entries = saved as Record<string, unknown>;
  const problems = nameProblems(where, Object.keys(fresh), Object.keys(entries));
  for (const [name, wanted] of Object.entries(fresh)) {
    const value = typeof wanted === "number" ? numberOf(entries[name]) : entries[name];
    if (value === undefined) continue;
    if (typeof wanted !== "number") {
      const reason = misfit(wanted, value);
      if (reason !== undefined) problems.push(`${where} ${name} ${reason}`);
    } else if (typeof value !== "number") {
      problems.push(`${where} ${name} is ${describe(value)}, not a number`);
    } else if (COUNTS.includes(name) && !(Number.isSafeInteger(value) && value >= 0)) {
      problems.push(`${where} ${name} is ${describe(value)}, not a count`);
    }
  }
  return problems;
}

function nameProblems(where: string, wanted: readonly string[], got: readonly string[]): string[] {
  const missing = wanted.filter((name) => !got.includes(name));
  const unexpected = got.filter((name) => !wanted.includes(name));
  return [
    ...(missing.length > 0 ? [`${where} misses ${missing.join(", ")}`] : []),
    ...(unexpected.length > 0 ? [`${where} has unexpected ${unexpected.join(", ")}`] : []),
  ];
}

/** Copies saved values over those of a fresh state. */
function fill(state: ParamState, saved: ParamState): void {
  for (const [name, value] of Object.entries(saved)) {
    const own = state[name];
    if (typeof own === "number") state[name] = numberOf(value) as number;
    else noGrad(() => own.assign(value as Tensor));
  }
}
