/** Optimizers and schedulers of their learning rates, with PyTorch's update rules, names and defaults. */
export { Adadelta, type AdadeltaOptions } from "./adadelta.js";
export { Adagrad, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { Adamax, type AdamaxOptions } from "./adamax.js";
export { LBFGS, type LBFGSOptions } from "./lbfgs.js";
export { Lion, type LionOptions } from "./lion.js";
export { Momentum, type MomentumOptions } from "./momentum.js";
export { Muon, type MuonOptions } from "./muon.js";
export { NAdam, type NAdamOptions } from "./nadam.js";
export { Nesterov, type NesterovOptions } from "./nesterov.js";
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
export { RAdam, type RAdamOptions } from "./radam.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export { UpdateRule } from "./rule.js";
export { SAM, type SAMOptions } from "./sam.js";
export * from "./schedulers/index.js";
export { SGD, type SGDOptions } from "./sgd.js";
export type { OptimizerStateDict, OptionValue } from "./state_dict.js";
