/** Activations as modules. */

import { checkNumber, FINITE, INTEGER, withDefaults } from "../options.js";
import type { Tensor } from "../tensor.js";
import {
  type GeluOptions,
  gelu,
  geluOptions,
  type SoftplusOptions,
  softplus,
  softplusOptions,
} from "./functional/activation.js";
import { checkInput } from "./input.js";
import { Module } from "./module.js";

/** max(x, 0). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return checkInput(this, x).relu();
  }
}

/** x where x > 0, else negativeSlope · x (default 0.01). */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(options: { negativeSlope?: number } = {}) {
    super();
    const { negativeSlope } = withDefaults("LeakyReLU", options, { negativeSlope: 0.01 });
    this.negativeSlope = checkNumber("LeakyReLU", "negativeSlope", negativeSlope, FINITE);
  }

  override forward(x: Tensor): Tensor {
    return checkInput(this, x).leakyRelu(this.negativeSlope);
  }

  override extraRepr(): string {
    return `negativeSlope=${this.negativeSlope}`;
  }
}

/** 1 / (1 + e⁻ˣ). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return checkInput(this, x).sigmoid();
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return checkInput(this, x).tanh();
  }
}

/** x · sigmoid(x). */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return checkInput(this, x).silu();
  }
}

/** x · Φ(x), or its approximation by tanh: `functional.gelu`. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor(options: GeluOptions = {}) {
    super();
    this.approximate = geluOptions("GELU", options).approximate;
  }

  override forward(x: Tensor): Tensor {
    return gelu(checkInput(this, x), { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate=${this.approximate}`;
  }
}

/** ln(1 + exp(beta·x))/beta, x itself where beta·x is above the threshold: `functional.softplus`. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(options: SoftplusOptions = {}) {
    super();
    const { beta, threshold } = softplusOptions("Softplus", options);
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(x: Tensor): Tensor {
    return softplus(checkInput(this, x), { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/** eˣ / Σ eˣ along an axis (the last by default). */
export class Softmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = checkNumber("Softmax", "axis", axis, INTEGER);
  }

  override forward(x: Tensor): Tensor {
    return checkInput(this, x).softmax(this.axis);
  }

  override extraRepr(): string {
    return `axis=${this.axis}`;
  }
}

/** x − ln Σ eˣ along an axis (the last by default). */
export class LogSoftmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = checkNumber("LogSoftmax", "axis", axis, INTEGER);
  }

  override forward(x: Tensor): Tensor {
    return checkInput(this, x).logSoftmax(this.axis);
  }

  override extraRepr(): string {
    return `axis=${this.axis}`;
  }
}
