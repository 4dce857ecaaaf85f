/**
 * Module: what layers and models are made of. It finds parameters and submodules among an object's own properties
 * and names them as PyTorch does. Checking and copying a state dict is in state_dict.ts.
 */

import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { recorder } from "../runtime/recorder.js";
import { Tensor } from "../tensor.js";
import { Parameter } from "./parameter.js";
import { type LoadOptions, type LoadResult, loadTensors, type StateDict } from "./state_dict.js";

/** A module, whatever its `forward` takes and returns. */
export type AnyModule = Module<never[], unknown>;

const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");
const INDENT = "  ";

/**
 * Base class of layers and models; by default one that maps a tensor to a tensor. A subclass assigns parameters
 * (Parameter) and submodules (Module) to properties; the property names make up the names in the state dict.
 */
export abstract class Module<Inputs extends unknown[] = [Tensor], Output = Tensor> {
  #training = true;
  readonly #buffers = new Map<string, Tensor>();

  /** Whether layers that differ between training and evaluation (dropout, batch norm) behave as in training. */
  get training(): boolean {
    const value = this.#training;
    recorder()?.guard(() => this.#training === value);
    return value;
  }

  set training(value: boolean) {
    this.#training = value;
  }

  /** Computes the output; subclasses define it. */
  abstract forward(...inputs: Inputs): Output;

  /**
   * Adds a tensor that belongs to the state but is not learnt, such as a running mean. ArgumentError for a name
   * that is empty, holds a dot or is taken.
   */
  registerBuffer(name: string, buffer: Tensor): void {
    if (typeof name !== "string" || name === "" || name.includes(".") || name in this) {
      throw new ArgumentError(
        `${this.constructor.name}.registerBuffer: "${String(name)}" is empty, holds a dot, or names a property`,
      );
    }
    if (!(buffer instanceof Tensor)) {
      throw new ArgumentError(
        `${this.constructor.name}.registerBuffer: ${name} must be a Tensor, got ${describe(buffer)}`,
      );
    }
    this.#buffers.set(name, buffer);
  }

  /** The buffer of that name. ArgumentError if there is none. */
  getBuffer(name: string): Tensor {
    const buffer = this.#buffers.get(name);
    if (buffer !== undefined) return buffer;
    throw new ArgumentError(
      `${this.constructor.name}: there is no buffer ${name}; there is ${[...this.#buffers.keys()].join(", ") || "none"}`,
    );
  }

  /** The submodules that are direct properties, with their names. Containers override it. */
  *namedChildren(): Iterable<[string, AnyModule]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else if (
        Array.isArray(value) &&
        value.some((item) => item instanceof Module || item instanceof Parameter)
      ) {
        throw new ArgumentError(
          `${this.constructor.name}: property ${name} is a plain array of modules or parameters, which would not be ` +
            "trained; use ModuleList or Sequential, or give each its own property",
        );
      }
    }
  }

  /** The submodules that are direct properties. */
  children(): AnyModule[] {
    return [...this.namedChildren()].map(([, child]) => child);
  }

  /** This module (named "") and all below it, parents first, each once. */
  *namedModules(): Iterable<[string, AnyModule]> {
    const seen = new Set<AnyModule>();
    for (const [name, module] of places(this, "", [])) {
      if (seen.has(module)) continue;
      seen.add(module);
      yield [name, module];
    }
  }

  /** This module and all below it, parents first, each once. */
  modules(): AnyModule[] {
    return [...this.namedModules()].map(([, module]) => module);
  }

  /** All parameters here and below with their names; one that occurs twice is listed once, under its first name. */
  *namedParameters(): Iterable<[string, Parameter]> {
    yield* once(this, (module) => module.#ownParameters());
  }

  /** All parameters here and below, each once: what an optimizer is given. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** All buffers here and below with their names, each once. */
  *namedBuffers(): Iterable<[string, Tensor]> {
    yield* once(this, (module) => module.#buffers);
  }

  /** The number of learnt numbers. */
  numParameters(): number {
    return this.parameters().reduce((count, parameter) => count + parameter.size, 0);
  }

  /** Switches this module and all below it to training or evaluation. */
  train(mode = true): this {
    if (typeof mode !== "boolean") {
      throw new ArgumentError(
        `${this.constructor.name}.train: the mode must be true or false, got ${describe(mode)}`,
      );
    }
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Switches this module and all below it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /** Calls `fn` with every module below and then this one, for example to initialize. */
  apply(fn: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * Parameters and buffers by name, keys as in PyTorch's `state_dict`. The tensors are the module's own, not copies;
   * one that occurs twice has both names.
   */
  stateDict(): Record<string, Tensor> {
    const state: Record<string, Tensor> = {};
    for (const [prefix, module] of places(this, "", [])) {
      for (const [name, tensor] of module.#ownParameters()) state[join(prefix, name)] = tensor;
      for (const [name, tensor] of module.#buffers) state[join(prefix, name)] = tensor;
    }
    return state;
  }

  /**
   * Copies the values of a state dict into this module in place; float32 and float64 are converted. All is checked
   * first: on any StateError (missing or unexpected names, unless `strict` is false; shapes and dtypes that differ)
   * nothing has changed.
   */
  loadStateDict(state: StateDict, options: LoadOptions = {}): LoadResult {
    return loadTensors(`${this.constructor.name}.loadStateDict`, this.stateDict(), state, options);
  }

  /** What `toString` prints between the parentheses beside the submodules: the layer's options. */
  extraRepr(): string {
    return "";
  }

  /** The tree of modules, as PyTorch prints it. */
  toString(): string {
    const name = this.constructor.name;
    const extra = this.extraRepr();
    const children = [...this.namedChildren()].map(
      ([key, child]) => `(${key}): ${child.toString().replaceAll("\n", `\n${INDENT}`)}`,
    );
    if (children.length === 0) return `${name}(${extra})`;
    const lines = extra === "" ? children : [extra, ...children];
    return `${name}(${lines.map((line) => `\n${INDENT}${line}`).join("")}\n)`;
  }

  [inspect](): string {
    return this.toString();
  }

  #ownParameters(): [string, Parameter][] {
    return Object.entries(this).filter(
      (entry): entry is [string, Parameter] => entry[1] instanceof Parameter,
    );
  }
}

const join = (prefix: string, name: string): string => (prefix === "" ? name : `${prefix}.${name}`);

/** Every place at which a module occurs, parents first. ArgumentError for a module that contains itself. */
function* places(
  module: AnyModule,
  path: string,
  ancestors: readonly AnyModule[],
): Iterable<[string, AnyModule]> {
  if (ancestors.includes(module)) {
    throw new ArgumentError(`${module.constructor.name}: the module at ${path} contains itself`);
  }
  yield [path, module];
  const above = [...ancestors, module];
  for (const [name, child] of module.namedChildren()) yield* places(child, join(path, name), above);
}

/** Tensors of all modules, by name; one that occurs again is left out. */
function* once<T extends Tensor>(
  root: AnyModule,
  tensorsOf: (module: AnyModule) => Iterable<[string, T]>,
): Iterable<[string, T]> {
  const seen = new Set<T>();
  for (const [prefix, module] of root.namedModules()) {
    for (const [name, tensor] of tensorsOf(module)) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      yield [join(prefix, name), tensor];
    }
  }
}
