/** The closure that `step` can be given: it evaluates the loss, calls `backward()` and returns the loss. */
import { enableGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { describeResult } from "../ops/operands.js";
import { Tensor } from "../tensor.js";

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
  if (typeof closure === "function" && /^Async|Generator/.test(closure.constructor.name)) {
    throw new ArgumentError(`${name}.step: the closure must not be asynchronous or a generator`);
  }
}

/**
 * The value of a closure, with recording on: the loss, a number or a tensor of one element. ArgumentError for anything
 * else: the `return` is easily forgotten, and an async closure cannot be waited for.
 */
export function evaluate<Loss>(owner: string, closure: () => Loss): Loss {
  const loss = enableGrad((): { value: Loss } => ({ value: closure() })).value;
  if (typeof loss === "number" || (loss instanceof Tensor && loss.size === 1)) return loss;
  // What becomes of a promise is nobody's business any more; it must not end the process as unhandled.
  if (loss instanceof Promise) loss.catch(() => undefined);
  throw new ArgumentError(
    `${owner}.step: the closure must return the loss, a number or a tensor of one element, it returned ${describeResult(loss)}`,
  );
}
