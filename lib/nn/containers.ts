/** Modules made of modules. */

import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { checkNumber, INTEGER, listOf } from "../options.js";
import type { Tensor } from "../tensor.js";
import { checkInput } from "./input.js";
import { type AnyModule, Module } from "./module.js";

function checkModules<M extends AnyModule>(owner: string, modules: Iterable<M>): M[] {
  const list = listOf(owner, "modules", modules, "modules");
  const wrong = list.findIndex((module) => !(module instanceof Module));
  if (wrong < 0) return list;
  throw new ArgumentError(`${owner}: module ${wrong} must be a Module, got ${describe(list[wrong])}`);
}

/** Applies modules one after the other. Its children are named "0", "1", …. */
export class Sequential extends Module {
  readonly #modules: Module[];

  constructor(...modules: readonly Module[]) {
    super();
    this.#modules = checkModules("Sequential", modules);
  }

  /** The number of modules. */
  get length(): number {
    return this.#modules.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(position: number): Module | undefined {
    return this.#modules.at(position);
  }

  override *namedChildren(): Iterable<[string, AnyModule]> {
    for (const [i, module] of this.#modules.entries()) yield [String(i), module];
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.#modules[Symbol.iterator]();
  }

  override forward(x: Tensor): Tensor {
    return this.#modules.reduce((value, module) => module.forward(value), checkInput(this, x));
  }
}

/** A list of modules for a `forward` written by hand. Its children are named "0", "1", …. */
export class ModuleList<M extends AnyModule = Module> extends Module<never[], never> {
  readonly #modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.#modules = checkModules("ModuleList", modules);
  }

  /** The number of modules. */
  get length(): number {
    return this.#modules.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(position: number): M | undefined {
    return this.#modules.at(position);
  }

  /** Adds a module at the end. */
  append(module: M): this {
    this.#modules.push(...checkModules("ModuleList", [module]));
    return this;
  }

  override *namedChildren(): Iterable<[string, AnyModule]> {
    for (const [i, module] of this.#modules.entries()) yield [String(i), module];
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  /** A list has no order of evaluation: ArgumentError. */
  override forward(): never {
    throw new ArgumentError("ModuleList: it has no forward; call its modules, or use Sequential");
  }
}

/** x + module(x). */
export class Residual extends Module {
  readonly module: Module;

  constructor(module: Module) {
    super();
    [this.module] = checkModules("Residual", [module]);
  }

  override forward(x: Tensor): Tensor {
    return checkInput(this, x).add(this.module.forward(x));
  }
}

/** x as it is. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Merges the axes from `startAxis` to `endAxis`, both included: by default all but the first, the examples. */
export class Flatten extends Module {
  readonly startAxis: number;
  readonly endAxis: number;

  constructor(startAxis = 1, endAxis = -1) {
    super();
    this.startAxis = checkNumber("Flatten", "startAxis", startAxis, INTEGER);
    this.endAxis = checkNumber("Flatten", "endAxis", endAxis, INTEGER);
  }

  override forward(x: Tensor): Tensor {
    return checkInput(this, x).flatten(this.startAxis, this.endAxis);
  }

  override extraRepr(): string {
    return `startAxis=${this.startAxis}, endAxis=${this.endAxis}`;
  }
}
