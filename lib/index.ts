/** The public names, nothing else. */

export type { BackwardOptions } from "./autograd/backward.js";
export * from "./autograd/functional.js";
export { type GradcheckOptions, gradcheck } from "./autograd/gradcheck.js";
export { type HessianOperator, hessianOperator } from "./autograd/hessian_operator.js";
export { detectAnomaly, enableGrad, isGradEnabled, noGrad } from "./autograd/mode.js";
export * from "./compile/index.js";
export * as data from "./data/index.js";
export * from "./errors.js";
export * from "./fit/index.js";
export { type DiagnoseOptions, diagnose } from "./init/doctor/diagnose.js";
export { Diagnosis, type Failure, type FailureKind, type LayerDiagnosis } from "./init/doctor/diagnosis.js";
export * as init from "./init/index.js";
export * as io from "./io/index.js";
export { DTYPES, type DType } from "./ndarray/dtype.js";
export * as ndarray from "./ndarray/index.js";
export { NDArray } from "./ndarray/ndarray.js";
export { newAxis, type SliceRange } from "./ndarray/slicing.js";
export * as nn from "./nn/index.js";
export * from "./ops/index.js";
export { type StabilityPrediction, StepSizeAdvice } from "./optim/advisor/advice.js";
export { type AdviseOptions, adviseStepSize } from "./optim/advisor/advise.js";
export type { StabilityRule } from "./optim/advisor/rules.js";
export * as optim from "./optim/index.js";
export * from "./random/index.js";
export { type BackendInfo, backendInfo, setBackgroundPriority, setNumThreads } from "./runtime/executor.js";
export type { TypedArray } from "./runtime/types.js";
export {
  arange,
  type CreateOptions,
  eye,
  full,
  linspace,
  ones,
  onesLike,
  Tensor,
  type TensorOptions,
  tensor,
  zeros,
  zerosLike,
} from "./tensor.js";
