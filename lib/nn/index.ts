/** Layers, containers and losses, named as in PyTorch. */

export {
  GELU,
  LeakyReLU,
  LogSoftmax,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from "./activation.js";
export { Flatten, Identity, ModuleList, Residual, Sequential } from "./containers.js";
export { Dropout } from "./dropout.js";
export { Embedding, type EmbeddingModuleOptions } from "./embedding.js";
export * as functional from "./functional/index.js";
export { Linear, type LinearOptions } from "./linear.js";
export {
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  HuberLoss,
  L1Loss,
  MSELoss,
  NLLLoss,
  SmoothL1Loss,
} from "./loss.js";
export { type AnyModule, Module } from "./module.js";
export { BatchNorm1d, type BatchNorm1dOptions, LayerNorm, type LayerNormOptions } from "./normalization.js";
export { Parameter } from "./parameter.js";
export type { LoadOptions, LoadResult, StateDict } from "./state_dict.js";
export * as utils from "./utils.js";
