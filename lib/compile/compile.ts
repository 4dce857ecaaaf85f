/** `compile`: a function of tensors that is traced once for each signature and then runs as one call of the executor. */
import { isGradEnabled } from "../autograd/mode.js";
import type { Tensor } from "../autograd/tensor.js";
import type { DataLoader } from "../data/data_loader.js";
import type { Dataset } from "../data/dataset.js";
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { checkTensor } from "../ops/operands.js";
import { checkBoolean, checkNumber, listOf, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { executor } from "../runtime/executor.js";
import { recorder, withRecorder } from "../runtime/recorder.js";
import { BackgroundRun, checkFree } from "./background.js";
import { runEpoch } from "./epoch/index.js";
import type { EpochOptions, EpochResult } from "./epoch/options.js";
import { type Explanation, explain } from "./explain.js";
import { type AnyFunction, StepProgram } from "./program.js";
import type { ArgumentSpec } from "./tracer.js";

/** Options of `compile`. */
export interface CompileOptions {
  /** Programs that are kept, one for each signature of arguments; the least recently used goes first (default 8). */
  cacheSize?: number;
}

/** A compiled function. */
export interface Compiled<Inputs extends Tensor[], Result> {
  /**
   * Runs on threads of the executor; the event loop stays free. Until the promise is settled, touching the arguments or
   * a tensor that the function uses is a BusyError; calls that share memory run in the order in which they were made.
   * A call that waits for its turn reads options (a learning rate, say) and random positions when that comes, not before.
   */
  (...inputs: Inputs): Promise<Result>;
  /** Runs on this thread, now. BusyError while a run in the background uses the same memory. */
  sync(...inputs: Inputs): Result;
  /**
   * Calls the function on all batches of a dataset, in one call of the executor where the dataset can be asked for its
   * batches in operations (`TensorDataset`, `ImageDataset`, `Subset` of these). The batches, random numbers and results
   * are those of the loop over a `DataLoader` with these options. A `DataLoader` in place of the dataset is taken where
   * it stands, in the middle of an epoch too, and stands after the steps that were done at the end, however that came:
   * its state can be saved then.
   */
  epoch(source: Dataset<Inputs> | DataLoader<Inputs>, options?: EpochOptions): Promise<EpochResult<Result>>;
  /**
   * What the program does: its instructions with shapes, bytes and operations, what was fused, and its memory; of the
   * program that was used last, or of the one for `inputs`.
   */
  explain(options?: { json?: false; inputs?: Inputs }): string;
  explain(options: { json: true; inputs?: Inputs }): Explanation;
}

/**
 * Traces `fn` once for each combination of its arguments' shapes and dtypes, and runs what it did (forward, `backward()`,
 * an optimizer's step, random draws) as one program. Parameters, optimizer state and buffers are updated in place. What
 * changes from call to call outside of tensors (learning rate, step count, random position) is read anew at every call;
 * everything else that is not a tensor keeps the value it had at the trace. Results have the bits of the plain function.
 *
 * Gradients that an optimizer has used inside are gone after the call; others are left in `grad`.
 * Results are new tensors without a graph; a parameter or other tensor from outside is returned as it is.
 *
 * TraceError where the function reads a value (`item()`, `data`, a branch on it), is asynchronous, writes into an argument,
 * or accumulates into a gradient from before the call. ArgumentError for an argument that shares memory with a tensor that
 * the function writes.
 */
export function compile<Inputs extends Tensor[], Result>(
  fn: (...inputs: Inputs) => Result,
  options: CompileOptions = {},
): Compiled<Inputs, Result> {
  if (typeof fn !== "function") throw new ArgumentError(`compile: needs a function, got ${describe(fn)}`);
  const { cacheSize } = withDefaults<Required<CompileOptions>>("compile", options, { cacheSize: 8 });
  checkNumber("compile", "cacheSize", cacheSize, POSITIVE_INTEGER);
  const programs = new ProgramCache(fn as unknown as AnyFunction, cacheSize);

  const start = async (inputs: Inputs): Promise<Result> => {
    const { program, arrays } = programs.prepare(inputs);
    const used = new Set(program.bound).add(program.arena);
    for (const { storage } of arrays) used.add(storage);
    const data = arrays.map(dataInUse);
    return BackgroundRun.around(used, [...program.written, program.arena], async () => {
      const outputs = program.newOutputs();
      await runAside(program, data, outputs);
      return [outputs] as const;
    }).then(([outputs]) => program.finish(outputs, inputs) as Result);
  };

  // Not asynchronous itself: whoever traces gets the error at once and no promise.
  const step = (...inputs: Inputs): Promise<Result> => {
    recorder()?.refuse("the asynchronous call of a compiled function", "call its sync() there");
    return start(inputs);
  };

  const sync = (...inputs: Inputs): Result => {
    if (recorder() !== null) return fn(...inputs);
    const { program, arrays } = programs.prepare(inputs);
    checkFree([program.arena]);
    checkFree(program.bound);
    const outputs = program.newOutputs();
    program.run(
      arrays.map(({ data }) => data),
      outputs,
    );
    return program.finish(outputs, inputs) as Result;
  };

  const epoch = (
    source: Dataset<Inputs> | DataLoader<Inputs>,
    epochOptions: EpochOptions = {},
  ): Promise<EpochResult<Result>> => {
    recorder()?.refuse("an epoch", "call it outside");
    return runEpoch(
      { fn: fn as unknown as AnyFunction, step: step as never, cacheSize },
      source as Dataset | DataLoader,
      epochOptions,
    ) as Promise<EpochResult<Result>>;
  };

  const explained = (explainOptions: { json?: boolean; inputs?: Inputs } = {}): string | Explanation => {
    const known: { json?: boolean; inputs?: Inputs } = { json: false, inputs: undefined };
    const { json, inputs } = withDefaults("explain", explainOptions, known);
    const isJson = checkBoolean("explain", "json", json);
    const given = inputs === undefined ? undefined : listOf<Tensor>("explain", "inputs", inputs, "tensors");
    const program = given === undefined ? programs.last : programs.prepare(given).program;
    if (program === undefined) {
      throw new ArgumentError(
        "explain: nothing was compiled yet; call the function first, or give { inputs: [...] }",
      );
    }
    return explain(program, isJson);
  };

  return Object.assign(step, { sync, epoch, explain: explained }) as Compiled<Inputs, Result>;
}

/** Runs a step in the background; counters and random positions are back where they were if it fails. */
async function runAside(
  program: StepProgram,
  inputs: readonly NDArray["data"][],
  outputs: readonly NDArray["data"][],
): Promise<void> {
  const restore = program.save();
  try {
    const segment = {
      program: program.current(),
      steps: 1,
      scalars: program.advance(new Float64Array(program.liveCount)),
      buffers: [...inputs, ...outputs],
      strides: new Float64Array(inputs.length + outputs.length),
    };
    const { error } = await executor().start([segment], new Int32Array(2));
    if (error !== undefined) throw error;
  } catch (error) {
    restore();
    throw error;
  }
  program.noteWrites();
}

/** The elements of a compact array, whoever is using it: the run waits for its turn. */
function dataInUse(array: NDArray): NDArray["data"] {
  const { storage, offset, size } = array;
  return storage.memoryInUse.subarray(offset, offset + size);
}

/** Programs by signature. */
class ProgramCache {
  last: StepProgram | undefined;
  private readonly fn: AnyFunction;
  private readonly limit: number;
  private readonly programs = new Map<string, StepProgram>();

  constructor(fn: AnyFunction, limit: number) {
    this.fn = fn;
    this.limit = limit;
  }

  /** The program for these arguments, and their compact arrays. */
  prepare(inputs: readonly Tensor[]): { program: StepProgram; arrays: NDArray[] } {
    const program = this.find(inputs);
    program.checkArguments(inputs.map(({ array }) => array));
    return { program, arrays: inputs.map(({ array }) => array.contiguous()) };
  }

  private find(inputs: readonly Tensor[]): StepProgram {
    // Mostly it is the same program again, and putting a key together takes as long as a small step.
    if (this.last?.isFor(inputs) && this.last.holds()) return this.last;
    let key = isGradEnabled() ? "" : "noGrad ";
    for (let i = 0; i < inputs.length; i++) {
      const { dtype, shape, requiresGrad } = checkTensor("compile", inputs[i], `argument ${i}`);
      key += `${dtype}${requiresGrad ? "*" : ""}[${shape}]`;
    }
    let program = this.programs.get(key);
    if (program === undefined || !program.holds()) {
      program = this.make(key, inputs);
    } else {
      // The newest is the last of the map.
      this.programs.delete(key);
      this.programs.set(key, program);
    }
    this.last = program;
    return program;
  }

  private make(key: string, inputs: readonly Tensor[]): StepProgram {
    const args: ArgumentSpec[] = inputs.map(({ dtype, shape, requiresGrad }) => ({
      dtype,
      shape,
      requiresGrad,
    }));
    const program = withRecorder(null, () => new StepProgram(this.fn, args));
    this.programs.delete(key);
    this.programs.set(key, program);
    if (this.programs.size > this.limit) this.programs.delete(this.programs.keys().next().value as string);
    return program;
  }
}
