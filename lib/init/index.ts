/** Initial values for parameters, in place. PyTorch's `torch.nn.init` without the trailing underscores. */
export { constant, eye, normal, ones, type RandomInit, uniform, zeros } from "./fill.js";
export { type LsuvLayer, type LsuvOptions, lsuv } from "./lsuv.js";
export { type OrthogonalOptions, orthogonal, type SparseOptions, sparse } from "./orthogonal.js";
export {
  calculateFan,
  calculateGain,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  type Nonlinearity,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from "./scaled.js";
export { type TruncatedNormalOptions, truncatedNormal } from "./truncated_normal.js";
