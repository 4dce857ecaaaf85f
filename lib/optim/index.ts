/** Optimizers, with PyTorch's update rules, names and defaults. */
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { Newton, type NewtonOptions } from "./newton/newton.js";
export { NewtonCG, type NewtonCGOptions, type NewtonCGReport } from "./newton/newton_cg.js";
export { SecondOrderOptimizer } from "./newton/second_order.js";
export {
  type CommonOptions,
  Optimizer,
  type ParamGroup,
  type ParamGroupInput,
  type ParamState,
  type Params,
} from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";
export type { OptimizerStateDict, OptionValue } from "./state_dict.js";
