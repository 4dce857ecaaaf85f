/** Lets a model tell in which of its layers an operation runs (autograd/scope.ts), for a while. */
import { withScope } from "../autograd/scope.js";
import type { AnyModule } from "./module.js";

/** A layer by its name in the model and its class: `2 (Linear)`; the model itself by its class. */
const labelOf = (name: string, module: AnyModule): string =>
  name === "" ? module.constructor.name : `${name} (${module.constructor.name})`;

/** Runs `body` while the forward passes of the model and all below it tell their names. */
export function withLayerScopes<R>(model: AnyModule, body: () => R): R {
  const restores: (() => void)[] = [];
  try {
    for (const [name, module] of model.namedModules())
      restores.push(wrapForward(module, labelOf(name, module)));
    return body();
  } finally {
    for (const restore of restores) restore();
  }
}

/** Hides the class's forward behind one of the module's own; returns what takes it away. */
function wrapForward(module: AnyModule, label: string): () => void {
  const own = Object.getOwnPropertyDescriptor(module, "forward");
  const { forward } = module;
  const value = (...inputs: never[]): unknown => withScope(label, () => forward.apply(module, inputs));
  // Not enumerable, since a module's enumerable properties are its parameters and layers.
  Object.defineProperty(module, "forward", { value, configurable: true, writable: true, enumerable: false });
  return () => {
    if (own === undefined) delete (module as { forward?: unknown }).forward;
    else Object.defineProperty(module, "forward", own);
  };
}
