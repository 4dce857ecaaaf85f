/** Whole steps as one call: tracing, passes, memory plan, running. */
export { type Compiled, type CompileOptions, compile } from "./compile.js";
export type { EpochOptions, EpochProgress, EpochResult } from "./epoch/options.js";
export type { ExplainedCapture, ExplainedInstruction, Explanation } from "./explain.js";
