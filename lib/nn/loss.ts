/** Losses as modules: options checked once, then `functional`'s losses. */

import { checkNumber, NON_NEGATIVE, POSITIVE, withDefaults } from "../options.js";
import type { Tensor } from "../tensor.js";
import {
  type CrossEntropyOptions,
  crossEntropy,
  crossEntropyOptions,
  type NllLossOptions,
  nllLoss,
  nllLossOptions,
} from "./functional/classification.js";
import { checkReduction, type ReductionOptions } from "./functional/reduction.js";
import {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from "./functional/regression.js";
import { Module } from "./module.js";

/** What losses share: two tensors in, checked options, tensors among them in the state dict as in PyTorch. */
abstract class Loss<Options extends ReductionOptions> extends Module<[Tensor, Tensor]> {
  protected readonly options: Readonly<Options>;

  constructor(options: Options, buffers: Readonly<Record<string, Tensor | null>> = {}) {
    super();
    checkReduction(this.constructor.name, options.reduction);
    this.options = options;
    for (const [name, buffer] of Object.entries(buffers))
      if (buffer !== null) this.registerBuffer(name, buffer);
  }
}

/** `functional.crossEntropy` of (logits, target). */
export class CrossEntropyLoss extends Loss<Required<CrossEntropyOptions>> {
  constructor(options: CrossEntropyOptions = {}) {
    const resolved = crossEntropyOptions("CrossEntropyLoss", options);
    super(resolved, { weight: resolved.weight });
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return crossEntropy(logits, target, this.options);
  }
}

/** `functional.nllLoss` of (logProbabilities, target). */
export class NLLLoss extends Loss<Required<NllLossOptions>> {
  constructor(options: NllLossOptions = {}) {
    const resolved = nllLossOptions("NLLLoss", options);
    super(resolved, { weight: resolved.weight });
  }

  override forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return nllLoss(logProbabilities, target, this.options);
  }
}

/** `functional.mseLoss` of (input, target). */
export class MSELoss extends Loss<ReductionOptions> {
  constructor(options: ReductionOptions = {}) {
    super(withDefaults<ReductionOptions>("MSELoss", options, { reduction: "mean" }));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}

/** `functional.l1Loss` of (input, target). */
export class L1Loss extends Loss<ReductionOptions> {
  constructor(options: ReductionOptions = {}) {
    super(withDefaults<ReductionOptions>("L1Loss", options, { reduction: "mean" }));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/** `functional.huberLoss` of (input, target). */
export class HuberLoss extends Loss<Required<HuberLossOptions>> {
  constructor(options: HuberLossOptions = {}) {
    super(withDefaults<Required<HuberLossOptions>>("HuberLoss", options, { delta: 1, reduction: "mean" }));
    checkNumber("HuberLoss", "delta", this.options.delta, POSITIVE);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options);
  }
}

/** `functional.smoothL1Loss` of (input, target). */
export class SmoothL1Loss extends Loss<Required<SmoothL1LossOptions>> {
  constructor(options: SmoothL1LossOptions = {}) {
    super(
      withDefaults<Required<SmoothL1LossOptions>>("SmoothL1Loss", options, { beta: 1, reduction: "mean" }),
    );
    checkNumber("SmoothL1Loss", "beta", this.options.beta, NON_NEGATIVE);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.options);
  }
}

/** `functional.binaryCrossEntropyWithLogits` of (logits, target). */
export class BCEWithLogitsLoss extends Loss<Required<BinaryCrossEntropyOptions>> {
  constructor(options: BinaryCrossEntropyOptions = {}) {
    const resolved = binaryCrossEntropyOptions("BCEWithLogitsLoss", options);
    super(resolved, { weight: resolved.weight, pos_weight: resolved.posWeight });
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(logits, target, this.options);
  }
}
