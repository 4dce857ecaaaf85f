/** The closure that `step` can be given: it evaluates the loss, calls `backward()` and returns the loss. */
import { enableGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";

/** Throws an ArgumentError for what is no closure, and for none where one is needed. */
export function checkClosure(
  { name, needsClosure }: { name: string; needsClosure: boolean },
  closure: unknown,
): void {
  if (closure === undefined && needsClosure) {
    throw new ArgumentError(
      `${name}.step: it takes gradients at points of its own; give it a closure that evaluates the loss, calls ` +
        "backward() and returns the loss",
    );
  }
  if (closure !== undefined && typeof closure !== "function") {
    throw new ArgumentError(`${name}.step: the closure must be a function, got ${describe(closure)}`);
  }
}

/** The value of a closure, with recording on. ArgumentError where it has none: its `return` is easily forgotten. */
export function evaluate<Loss>(owner: string, closure: () => Loss): Loss {
  const loss = enableGrad(closure);
  if (loss !== undefined) return loss;
  throw new ArgumentError(`${owner}.step: the closure must return the loss, it returned undefined`);
}
