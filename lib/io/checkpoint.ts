/**
 * Checkpoints: everything a training run needs to go on bit for bit, in one safetensors file. The tensors are
 * named `model.…` and `optimizer.…`; all else is JSON in the file's metadata. The format of tensors is
 * safetensors.ts's business.
 */
import { Tensor } from "../autograd/tensor.js";
import type { DataLoader } from "../data/data_loader.js";
import { ArgumentError, FormatError, StateError } from "../errors.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import type { AnyModule } from "../nn/module.js";
import { withDefaults } from "../options.js";
import { defaultGenerator, Generator } from "../random/generator.js";
import type { GeneratorState } from "../random/source.js";
import { checkPath } from "./arguments.js";
import { writeFileAtomic } from "./atomic.js";
import { pack, unpack } from "./packing.js";
import { encodeSafetensors, loadSafetensors, saveSafetensors } from "./safetensors.js";

/**
 * An optimizer, as far as a checkpoint is concerned: `loadStateDict` checks all before it changes anything.
 */
interface StatefulOptimizer {
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
}

/** The parts of a training run. */
export interface CheckpointParts {
  model?: Pick<AnyModule, "stateDict" | "loadStateDict">;
  optimizer?: StatefulOptimizer;
  /** Generators by a name of your choice (default: the default generator, as `default`). */
  generators?: Readonly<Record<string, Generator>>;
  loader?: Pick<DataLoader, "getState" | "setState" | "checkState">;
}

type ResolvedParts = CheckpointParts & Required<Pick<CheckpointParts, "generators">>;

const partsWithDefaults = (): ResolvedParts => ({
  model: undefined,
  optimizer: undefined,
  generators: { default: defaultGenerator() },
  loader: undefined,
});

const FORMAT = "thalweg-checkpoint";
const VERSION = "1";

/** What the metadata hold as JSON, tensors put back in place. */
interface Content {
  model?: Record<string, Tensor>;
  optimizer?: never;
  optimizerKind?: string;
  generators: Record<string, GeneratorState>;
  loader?: ReturnType<DataLoader["getState"]>;
  extra?: unknown;
}

/**
 * Writes the state of the given parts to a file, and `extra`: plain data of your own, with tensors in it or
 * without (a scheduler's state, the best loss so far). It returns once the file is on the disk, and at no
 * moment is there half a file, so a signal handler may call it; not while a compiled step runs, which is
 * changing the parameters.
 *
 * @throws ArgumentError for `extra` that is no plain data; ThalwegError `ERR_WRITE`
 */
export function saveCheckpoint(path: string, parts: CheckpointParts & { extra?: unknown }): void {
  const { tensors, metadata } = contentsOf("saveCheckpoint", path, parts);
  saveSafetensors(path, tensors, { metadata });
}

/**
 * The same without holding up the event loop while the disk is at work. All parts are read before it returns: they may
 * change while the file is being written.
 */
export async function saveCheckpointAsync(
  path: string,
  parts: CheckpointParts & { extra?: unknown },
): Promise<void> {
  const { tensors, metadata } = contentsOf("saveCheckpointAsync", path, parts);
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

/** What a checkpoint's file holds. */
function contentsOf(
  operation: string,
  path: string,
  parts: CheckpointParts & { extra?: unknown },
): { tensors: Record<string, Tensor>; metadata: Record<string, string> } {
  checkPath(operation, path);
  const all: ResolvedParts & { extra?: unknown } = { ...partsWithDefaults(), extra: undefined };
  const { model, optimizer, generators, loader, extra } = withDefaults(operation, parts, all);
  const tensors: Record<string, Tensor> = {};
  const states = Object.entries(generators).map(([name, generator]) => [name, generator.getState()]);
  const content = {
    model: model?.stateDict(),
    optimizer: optimizer?.stateDict(),
    optimizerKind: optimizer && kindOf(optimizer),
    generators: Object.fromEntries(states),
    loader: loader?.getState(),
    extra,
  };
  const state = JSON.stringify(pack(operation, content, tensors));
  return { tensors, metadata: { format: FORMAT, version: VERSION, state } };
}

/**
 * Puts the given parts into the state they had when the checkpoint was written. What the file holds beyond
 * them is left alone. Everything is checked first: on any error nothing has changed.
 *
 * @returns the `extra` that was saved, undefined if there was none
 * @throws FormatError for a file that is no checkpoint, or damaged; StateError for parts that are not in it
 *   or do not fit: a model of another architecture, an optimizer of another kind, a loader of other batches
 */
export function loadCheckpoint(path: string, parts: CheckpointParts): { extra: unknown } {
  checkPath("loadCheckpoint", path);
  const all = withDefaults("loadCheckpoint", parts, partsWithDefaults());
  const { model, optimizer, generators, loader } = all;
  const content = readContent(path);
  const has = (part: "model" | "optimizer" | "loader") => all[part] !== undefined;
  const lacking = (["model", "optimizer", "loader"] as const).filter((part) => has(part) && !content[part]);
  if (lacking.length > 0)
    throw new StateError(`loadCheckpoint: ${path} was saved without ${lacking.join(" and ")}`);
  for (const [name, generator] of Object.entries(generators)) checkGenerator(path, name, generator, content);
  if (model) checkModel(path, model.stateDict(), content.model!);
  if (optimizer && kindOf(optimizer) !== content.optimizerKind) {
    const [saved, own] = [content.optimizerKind, kindOf(optimizer)];
    throw new StateError(`loadCheckpoint: ${path} holds the state of ${saved}, the optimizer is ${own}`);
  }
  loader?.checkState(content.loader!);
  optimizer?.loadStateDict(content.optimizer!); // refuses before it changes anything; the rest cannot fail
  model?.loadStateDict(content.model!);
  loader?.setState(content.loader!);
  for (const [name, generator] of Object.entries(generators)) generator.setState(content.generators[name]);
  return { extra: content.extra };
}

function readContent(path: string): Content {
  const { tensors, metadata } = loadSafetensors(path);
  const { format, version, state } = metadata;
  if (format !== FORMAT) {
    const found = format === undefined ? "no format" : `format "${format}"`;
    throw new FormatError(
      `loadCheckpoint: ${path} is no checkpoint: its metadata name ${found}, not "${FORMAT}"`,
    );
  }
  if (version !== VERSION) {
    throw new FormatError(
      `loadCheckpoint: ${path} is a checkpoint of version ${version}; this reads ${VERSION}`,
    );
  }
  let content: unknown;
  try {
    content = JSON.parse(state);
  } catch (cause) {
    throw new FormatError(`loadCheckpoint: ${path} has a state that is not JSON`, { cause });
  }
  const restored = unpack(content, tensors, path);
  if (isContent(restored)) return restored;
  throw new FormatError(`loadCheckpoint: ${path} has a state that saveCheckpoint does not write`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/**
 * Whether the parts are there in form; whether they fit is checked against the objects they are loaded into.
 */
function isContent(value: unknown): value is Content {
  if (!isObject(value)) return false;
  const { model = {}, generators } = value;
  if (!isObject(model) || !isObject(generators)) return false;
  return Object.values(model).every((tensor) => tensor instanceof Tensor);
}

function checkGenerator(path: string, name: string, generator: Generator, { generators }: Content): void {
  if (!(generator instanceof Generator)) {
    throw new ArgumentError(`loadCheckpoint: generators.${name} must be a Generator`);
  }
  if (!Object.hasOwn(generators, name)) {
    const names = Object.keys(generators).join(", ") || "none";
    throw new StateError(`loadCheckpoint: ${path} holds no state of generator ${name}; it holds ${names}`);
  }
  generator.checkState(generators[name]);
}

/** Names, shapes and dtypes must all agree: to resume is to continue with the very same model. */
function checkModel(path: string, own: Record<string, Tensor>, saved: Record<string, Tensor>): void {
  const problems: string[] = [];
  const missing = Object.keys(own).filter((name) => !Object.hasOwn(saved, name));
  const unexpected = Object.keys(saved).filter((name) => !Object.hasOwn(own, name));
  if (missing.length > 0) problems.push(`missing in the file: ${missing.join(", ")}`);
  if (unexpected.length > 0) problems.push(`unknown to the model: ${unexpected.join(", ")}`);
  for (const [name, tensor] of Object.entries(own)) {
    const other = Object.hasOwn(saved, name) ? saved[name] : tensor;
    if (tensor.dtype !== other.dtype || !sameShape(tensor.shape, other.shape)) {
      const describe = ({ dtype, shape }: Tensor): string => `${dtype} ${formatShape(shape)}`;
      problems.push(`${name} is ${describe(other)} in the file and ${describe(tensor)} in the model`);
    }
  }
  if (problems.length === 0) return;
  throw new StateError(
    `loadCheckpoint: ${path} is of another model: ${problems.join("; ")}; nothing was loaded`,
  );
}

const kindOf = (optimizer: object): string => optimizer.constructor.name;
