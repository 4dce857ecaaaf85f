/** All that training changes, remembered in memory. */
import { noGrad } from "../autograd/mode.js";
import type { DataLoader } from "../data/data_loader.js";
import type { Module } from "../nn/index.js";
import { defaultGenerator, Generator } from "../random/generator.js";
import { Tensor } from "../tensor.js";
import type { FitOptimizer } from "./options.js";
import type { ScheduleRunner } from "./schedule.js";

/** What changes. */
export interface Changing {
  readonly model: Module;
  readonly optimizer: FitOptimizer;
  readonly loader: DataLoader<[Tensor, Tensor]>;
  readonly schedule: ScheduleRunner;
  readonly generators: Readonly<Record<string, Generator>>;
}

/** The generators that training draws from: the default one, the loader's, and those of layers (dropout). */
export function generatorsOf(model: Module, loader: DataLoader<[Tensor, Tensor]>): Record<string, Generator> {
  const generators: Record<string, Generator> = { default: defaultGenerator() };
  const seen = new Set<Generator>([defaultGenerator()]);
  const add = (name: string, generator: unknown): void => {
    if (!(generator instanceof Generator) || seen.has(generator)) return;
    seen.add(generator);
    generators[name] = generator;
  };
  add("loader", loader.generator);
  for (const [name, module] of model.namedModules()) {
    add(`model.${name}`, (module as { generator?: unknown }).generator);
  }
  return generators;
}

/** Remembers how things are; returns what brings them back, as often as it is called. */
export function snapshot({ model, optimizer, loader, schedule, generators }: Changing): () => void {
  const state = {
    model: copy(model.stateDict()) as Record<string, Tensor>,
    optimizer: copy(optimizer.stateDict()),
    loader: loader.getState(),
    schedule: schedule.getState(),
    generators: Object.entries(generators).map(([, generator]) => [generator, generator.getState()] as const),
  };
  return () => {
    model.loadStateDict(state.model);
    optimizer.loadStateDict(state.optimizer as never);
    loader.setState(state.loader);
    schedule.setState(state.schedule);
    for (const [generator, position] of state.generators) generator.setState(position);
  };
}

/** Plain data with clones of the tensors in it. */
function copy(value: unknown): unknown {
  if (value instanceof Tensor) return noGrad(() => value.detach().clone());
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)]));
}
