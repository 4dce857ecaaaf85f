/** Learning-rate schedulers, with PyTorch's values, names and defaults. */
export { ChainedScheduler, SequentialLR } from "./composed.js";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./cosine_lr.js";
export { type Factor, LambdaLR } from "./lambda_lr.js";
export { ConstantLR, LinearLR, WarmupLR } from "./linear_lr.js";
export { OneCycleLR, type OneCycleOptions } from "./one_cycle_lr.js";
export { PolynomialLR } from "./polynomial_lr.js";
export { type PlateauOptions, ReduceLROnPlateau } from "./reduce_lr_on_plateau.js";
export { LRScheduler, type Schedulable, type SchedulerStateDict } from "./scheduler.js";
export { ExponentialLR, MultiStepLR, StepLR } from "./step_lr.js";
