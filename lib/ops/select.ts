/** Choosing and bounding elements. */

import type { Tensor } from "../autograd/tensor.js";
import { shown } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { astype } from "./cast.js";
import { ge, le, logicalAnd } from "./compare.js";
import { defineOperation } from "./define.js";
import { elementwise } from "./kernel_call.js";
import { checkTensor, commonOperands, type TensorLike } from "./operands.js";

const whereOperation = defineOperation<object>({
  name: "where",
  forward: ([condition, a, b]) => elementwise("where", "where", [condition, a, b], a.dtype),
  derivative: (grad, { inputs: [condition] }) => [
    null,
    () => where(condition, grad, 0),
    () => where(condition, 0, grad),
  ],
});

/** a where `condition` is true (not zero), else b; the three broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const mask = astype(checkTensor("where", condition, "the condition"), "bool");
  return whereOperation([mask, ...commonOperands("where", "where", [a, b])], {});
}

const clipOperation = defineOperation<{ low: number; high: number }>({
  name: "clip",
  forward: ([x], { low, high }) => elementwise("clip", "clip", [x], x.dtype, x.dtype, [low, high]),
  derivative: (grad, { inputs: [x], options: { low, high } }) => [
    () => where(logicalAnd(ge(x, low), le(x, high)), grad, 0),
  ],
});

/** x bounded to [low, high], either of which may be infinite; NaN stays. The gradient passes where x lies inside, bounds included. */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  if (typeof low !== "number" || typeof high !== "number" || !(low <= high)) {
    throw new ArgumentError(
      `clip: the bounds must be numbers with low ≤ high, got ${shown(low)} and ${shown(high)}`,
    );
  }
  // Finite bounds take part in the choice of the dtype, as any other number would.
  const bounds = [low, high].filter(Number.isFinite);
  const [operand] = commonOperands("clip", "clip", [x, ...bounds]);
  return clipOperation([operand], { low, high });
}
