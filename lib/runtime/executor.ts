/** The two executors of programs behind one interface, and the choice between them. */
import { shown } from "../describe.js";
import {
  ArgumentError,
  BackendError,
  IndexError,
  ProgramError,
  ShapeError,
  type ThalwegError,
} from "../errors.js";
import { checkChoice } from "../options.js";
import type { LoadedProgram, ProgramPlan, RunOutcome, Segment } from "./loaded.js";
import { type LoadError, loadNativeAddon, type NativeAddon, type ProgramHandle } from "./native_addon.js";
import { KERNELS, TABLE_VERSION } from "./table.js";
import { runProgram, runSegments, TypeScriptProgram } from "./ts_executor.js";
import type { TypedArray } from "./types.js";

/** Runs programs (docs/kernels.md). Every program is checked whole before its first instruction runs. */
export interface Executor {
  readonly backend: "native" | "ts";
  /** Runs the first `count` words. Throws ProgramError, or IndexError for an index read from a buffer. */
  run(words: Float64Array, count: number, buffers: readonly TypedArray[]): void;
  /** Prepares a program for many runs. Throws ProgramError as `run`. */
  load(plan: ProgramPlan): LoadedProgram;
  /**
   * Runs segments one after the other in the background: the native executor on a thread of its own, the TypeScript one
   * a few milliseconds at a time between other events. `control[PROGRESS]` counts steps; once `control[STOP]` is not 0
   * the run ends before its next step.
   */
  start(segments: readonly Segment[], control: Int32Array): Promise<RunOutcome>;
  /** Where in a cache line of 64 bytes an array begins, as far as that matters to the executor. */
  lineOffset(array: TypedArray): number;
  /** Runs one kernel of trusted arguments: eager mode. */
  runKernel(
    kernel: number,
    buffers: readonly TypedArray[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
    counts?: readonly number[],
  ): void;
}

/** Which executor runs and why; `thalweg info` prints it. */
export interface BackendInfo {
  /** The executor in use. */
  backend: "native" | "ts";
  /** Instruction-set level of the native kernels, `js` for the TypeScript executor. */
  isa: string;
  /** Levels that this processor and binary could run, slowest first. */
  levels: string[];
  /** Threads that a kernel may use. */
  threads: number;
  /** Version of the kernel table, as eight hex digits. */
  kernelTable: string;
  /** Kernels in the table. */
  kernels: number;
  /** The binary that was loaded, or null. */
  binary: string | null;
  /** Compiler of the binary, or null. */
  compiler: string | null;
  /** Binaries that were tried and refused, with the reason. */
  loadErrors: LoadError[];
}

const NO_COUNTS: readonly number[] = [];

class TypeScriptExecutor implements Executor {
  readonly backend = "ts";
  lineOffset(): number {
    return 0;
  }
  run(words: Float64Array, count: number, buffers: readonly TypedArray[]): void {
    runProgram(words, count, buffers);
  }
  load(plan: ProgramPlan): LoadedProgram {
    return new TypeScriptProgram(plan);
  }
  start(segments: readonly Segment[], control: Int32Array): Promise<RunOutcome> {
    return runSegments(segments, control);
  }
  runKernel(
    kernel: number,
    buffers: readonly TypedArray[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
    counts: readonly number[] = NO_COUNTS,
  ): void {
    KERNELS[kernel].run(buffers, offsets, dims, scalars, counts);
  }
}

class NativeExecutor implements Executor {
  readonly backend = "native";
  readonly addon: NativeAddon;
  // Room for one instruction. Only one with variadic operands or scalars may need more.
  private words = new Float64Array(1024);

  constructor(addon: NativeAddon) {
    this.addon = addon;
  }

  lineOffset(array: TypedArray): number {
    return this.addon.lineOffset(array);
  }

  run(words: Float64Array, count: number, buffers: readonly TypedArray[]): void {
    try {
      // A call with spread arguments costs several times one with plain ones; few buffers are the common case.
      if (buffers.length === 1) this.addon.run(words, count, buffers[0]);
      else if (buffers.length === 2) this.addon.run(words, count, buffers[0], buffers[1]);
      else if (buffers.length === 3) this.addon.run(words, count, buffers[0], buffers[1], buffers[2]);
      else this.addon.run(words, count, ...buffers);
    } catch (error) {
      throw typedError(error);
    }
  }

  load(plan: ProgramPlan): LoadedProgram {
    return new NativeProgram(this.addon, plan);
  }

  start(segments: readonly Segment[], control: Int32Array): Promise<RunOutcome> {
    const list = segments.flatMap(({ program, steps, scalars, buffers, strides }) => {
      if (!(program instanceof NativeProgram)) throw new BackendError("start: a program of another executor");
      return [program.handle, steps, scalars, buffers, strides];
    });
    return new Promise((resolve, reject) => {
      try {
        this.addon.start(
          (error, completed) => {
            resolve({ completed, error: error === undefined ? undefined : (typedError(error) as Error) });
          },
          control,
          ...list,
        );
      } catch (error) {
        reject(typedError(error));
      }
    });
  }

  runKernel(
    kernel: number,
    buffers: readonly TypedArray[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
    counts: readonly number[] = NO_COUNTS,
  ): void {
    const length = 2 + counts.length + 2 * buffers.length + dims.length + scalars.length;
    if (length > this.words.length) this.words = new Float64Array(2 * length);
    const words = this.words;
    let n = 2;
    for (let i = 0; i < counts.length; i++) words[n++] = counts[i];
    for (let i = 0; i < buffers.length; i++) {
      words[n++] = i;
      words[n++] = offsets[i];
    }
    for (let i = 0; i < dims.length; i++) words[n++] = dims[i];
    for (let i = 0; i < scalars.length; i++) words[n++] = scalars[i];
    words[0] = kernel;
    words[1] = n;
    try {
      // A call with spread arguments costs several times one with plain ones; these numbers of operands are common.
      const b = buffers;
      switch (b.length) {
        case 2:
          this.addon.run(words, n, b[0], b[1]);
          break;
        case 3:
          this.addon.run(words, n, b[0], b[1], b[2]);
          break;
        case 4:
          this.addon.run(words, n, b[0], b[1], b[2], b[3]);
          break;
        case 6:
          this.addon.run(words, n, b[0], b[1], b[2], b[3], b[4], b[5]);
          break;
        default:
          this.addon.run(words, n, ...b);
      }
    } catch (error) {
      throw typedError(error);
    }
  }
}

/** A program behind a handle of the addon. */
class NativeProgram implements LoadedProgram {
  readonly handle: ProgramHandle;
  readonly addon: NativeAddon;

  constructor(addon: NativeAddon, { words, buffers, rebound, patched }: ProgramPlan) {
    this.addon = addon;
    try {
      this.handle = addon.create(words, words.length, buffers, rebound, patched);
    } catch (error) {
      throw typedError(error);
    }
  }

  execute(scalars: Float64Array, b: readonly TypedArray[]): void {
    const { addon, handle } = this;
    try {
      // A call with spread arguments costs several times one with plain ones; these numbers of buffers are common.
      if (b.length === 3) addon.execute(handle, scalars, b[0], b[1], b[2]);
      else if (b.length === 2) addon.execute(handle, scalars, b[0], b[1]);
      else addon.execute(handle, scalars, ...b);
    } catch (error) {
      throw typedError(error);
    }
  }
}

/** The addon throws plain errors with our codes; callers get our classes. */
function typedError(error: unknown): ThalwegError | unknown {
  if (!(error instanceof Error)) return error;
  switch ((error as Error & { code?: unknown }).code) {
    case "ERR_PROGRAM":
      return new ProgramError(error.message);
    case "ERR_INDEX":
      return new IndexError(error.message);
    case "ERR_BACKEND":
      return new BackendError(error.message);
    case "ERR_ARGUMENT":
      return new ArgumentError(error.message);
    case "ERR_SHAPE":
      return new ShapeError(error.message);
    default:
      return error;
  }
}

interface Selected {
  executor: Executor;
  addon: NativeAddon | null;
  info: BackendInfo;
}

let selected: Selected | null = null;

function select(): Selected {
  const wanted = process.env.THALWEG_BACKEND || "auto";
  if (!["auto", "native", "ts"].includes(wanted)) {
    throw new ArgumentError(`THALWEG_BACKEND is "${wanted}"; use native or ts, or leave it unset`);
  }
  const loaded = wanted === "ts" ? { addon: null, path: null, errors: [] } : loadNativeAddon();
  const info: BackendInfo = {
    backend: "ts",
    isa: "js",
    levels: ["js"],
    threads: 1,
    kernelTable: TABLE_VERSION.toString(16).padStart(8, "0"),
    kernels: KERNELS.length,
    binary: loaded.path,
    compiler: null,
    loadErrors: loaded.errors,
  };
  if (loaded.addon === null) {
    if (wanted === "native")
      throw new BackendError(`THALWEG_BACKEND=native, but ${missingBinary(loaded.errors)}`);
    if (wanted === "auto") {
      process.emitWarning(`${missingBinary(loaded.errors)}; the slower TypeScript executor runs instead`, {
        type: "ThalwegWarning",
        code: "THALWEG_NO_NATIVE",
      });
    }
    return { executor: new TypeScriptExecutor(), addon: null, info };
  }
  const { addon } = loaded;
  const { levels, compiler } = addon.info();
  const { THALWEG_ISA: isa, THALWEG_NUM_THREADS: threads } = process.env;
  const options: { isa?: string; threads?: number } = {};
  if (isa) {
    if (!levels.includes(isa)) {
      throw new BackendError(`THALWEG_ISA is "${isa}"; this processor and binary have ${levels.join(", ")}`);
    }
    options.isa = isa;
  }
  if (threads) options.threads = checkThreads("THALWEG_NUM_THREADS", Number(threads), threads);
  Object.assign(info, { backend: "native", levels, compiler, ...addon.configure(options) });
  return { executor: new NativeExecutor(addon), addon, info };
}

function missingBinary(errors: LoadError[]): string {
  if (errors.length === 0) {
    return `there is no native binary for ${process.platform}-${process.arch} (npm run build, or npx thalweg build, makes one)`;
  }
  return `no native binary could be loaded: ${errors.map(({ path, reason }) => `${path}: ${reason}`).join("; ")}`;
}

function checkThreads(name: string, n: number, text: string = shown(n)): number {
  if (Number.isInteger(n) && n >= 1 && n <= 256) return n;
  throw new ArgumentError(`${name}: ${text} is not a number of threads; use an integer from 1 to 256`);
}

function current(): Selected {
  selected ??= select();
  return selected;
}

/** The executor in use; the first call chooses it (`THALWEG_BACKEND`, else native where its binary loads). */
export function executor(): Executor {
  return selected === null ? current().executor : selected.executor;
}

/** Which executor, instruction-set level and number of threads are in use, and which binaries did not load. */
export function backendInfo(): BackendInfo {
  const { info } = current();
  return { ...info, levels: [...info.levels], loadErrors: info.loadErrors.map((error) => ({ ...error })) };
}

/**
 * Sets how many threads the kernels called from this environment may use (1 to 256). Results do not depend on it.
 * The TypeScript executor always uses one.
 */
export function setNumThreads(n: number): void {
  checkThreads("setNumThreads", n);
  const { addon, info } = current();
  if (addon !== null) info.threads = addon.configure({ threads: n }).threads;
}

const PRIORITIES = ["normal", "low"] as const;

/**
 * How much runs in the background (`await step(…)`, `epoch`, `fit`) that begin from now on are worth to the operating
 * system. `"low"`: their thread takes only what would be idle otherwise, and any other thread that becomes ready takes its
 * core at once, so a busy server answers as if nobody trained, and training slows down instead; threads that help with
 * single kernels (`setNumThreads` above 1) stay normal. `"normal"` (default): as any other thread. Results do not depend on
 * it, and the TypeScript executor knows none. ArgumentError for anything else.
 */
export function setBackgroundPriority(priority: (typeof PRIORITIES)[number]): void {
  checkChoice("setBackgroundPriority", "priority", priority, PRIORITIES);
  current().addon?.configure({ yields: priority === "low" });
}

/** Runs `body` on another executor or instruction-set level: how tests hold one against another. */
export function withBackend<R>(choice: { backend: "native" | "ts"; isa?: string }, body: () => R): R {
  const before = current();
  if (choice.backend === "ts") {
    selected = { ...before, executor: new TypeScriptExecutor() };
  } else if (before.addon === null) {
    throw new BackendError("withBackend: the native executor is not loaded");
  } else {
    selected = { ...before, executor: new NativeExecutor(before.addon) };
  }
  try {
    if (choice.isa !== undefined) before.addon?.configure({ isa: choice.isa });
    return body();
  } finally {
    if (choice.isa !== undefined) before.addon?.configure({ isa: before.info.isa });
    selected = before;
  }
}
