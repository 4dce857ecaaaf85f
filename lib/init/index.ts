/** Initial values for parameters, in place. PyTorch's `torch.nn.init` without the trailing underscores. */
export { constant, eye, normal, ones, type RandomInit, uniform, zeros } from "./fill.js";
export {
  calculateFan,
  calculateGain,
  kaimingNormal,
  type KaimingOptions,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  type Nonlinearity,
  xavierNormal,
  type XavierOptions,
  xavierUniform,
} from "./scaled.js";
export { truncatedNormal, type TruncatedNormalOptions } from "./truncated_normal.js";
