/** Dropout as a module. */

import { checkNumber, UNIT_INTERVAL, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import type { Tensor } from "../tensor.js";
import { dropout } from "./functional/dropout.js";
import { checkInput } from "./input.js";
import { Module } from "./module.js";

/** In training, sets elements to 0 with probability p and divides the others by 1 − p; in evaluation, nothing. */
export class Dropout extends Module {
  readonly p: number;
  /** Where the zeros come from; the default generator if undefined. */
  readonly generator: Generator | undefined;

  constructor(p = 0.5, options: { generator?: Generator } = {}) {
    super();
    this.p = checkNumber("Dropout", "p", p, UNIT_INTERVAL);
    const { generator } = withDefaults<{ generator?: Generator }>("Dropout", options, {
      generator: undefined,
    });
    this.generator = generator === undefined ? undefined : checkGenerator("Dropout", generator);
  }

  override forward(x: Tensor): Tensor {
    return dropout(checkInput(this, x), { p: this.p, training: this.training, generator: this.generator });
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}
