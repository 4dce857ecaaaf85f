/** What layers do first: refuse an input that is no tensor. */
import { checkTensor } from "../ops/operands.js";
import type { Tensor } from "../tensor.js";

/** x, if it is a Tensor; ArgumentError that names the layer's class for anything else. */
export const checkInput = (layer: object, x: unknown): Tensor =>
  checkTensor(layer.constructor.name, x, "the input");
