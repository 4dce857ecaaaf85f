/** Training loops: epochs of compiled steps with validation, schedules, checkpoints and diagnostics. */
export type { Diagnostics, LayerDiagnostics, ReluDiagnostics } from "./diagnostics.js";
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.js";
export { type Fit, type FitModel, fit } from "./fit.js";
export type { LossFunction, LossName } from "./loss.js";
export type { CheckpointOptions, FitCallbacks, FitOptimizer, FitOptions, FitProgress } from "./options.js";
export type { Schedule, ScheduleFunction, SchedulePosition, Scheduler } from "./schedule.js";
export type { EpochSummary } from "./training.js";
