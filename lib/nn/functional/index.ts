/** Layers and losses as functions, without state. */

export { logSoftmax, softmax } from "../../ops/softmax.js";
export { leakyRelu, relu, sigmoid, silu, tanh } from "../../ops/unary.js";
export { type GeluOptions, gelu, type SoftplusOptions, softplus } from "./activation.js";
export { type CrossEntropyOptions, crossEntropy, type NllLossOptions, nllLoss } from "./classification.js";
export { type DropoutOptions, dropout } from "./dropout.js";
export { type EmbeddingOptions, embedding } from "./embedding.js";
export { type OneHotOptions, oneHot } from "./labels.js";
export { linear } from "./linear.js";
export { type BatchNormOptions, batchNorm, layerNorm } from "./normalization.js";
export type { Reduction, ReductionOptions } from "./reduction.js";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from "./regression.js";
