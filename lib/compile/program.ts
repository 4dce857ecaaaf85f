/** A traced function made ready to run: one program for one signature of arguments. */
import { isGradEnabled, noGrad } from "../autograd/mode.js";
import { Tensor } from "../autograd/tensor.js";
import { ArgumentError, TraceError } from "../errors.js";
import { NDArray } from "../ndarray/ndarray.js";
import { sameShape, sizeOf } from "../ndarray/shape.js";
import { Storage, uninitializedStorage } from "../ndarray/storage.js";
import { add } from "../ops/arithmetic.js";
import { type Executor, executor } from "../runtime/executor.js";
import type { LoadedProgram } from "../runtime/loaded.js";
import type { TypedArray } from "../runtime/types.js";
import { type Encoded, encode } from "./encode.js";
import { accessOf, type Graph } from "./graph.js";
import { type MemoryPlan, planMemory } from "./memory.js";
import { PASSES } from "./passes/index.js";
import { type ArgumentSpec, type ResultSpec, type Traced, trace } from "./tracer.js";

/** A function of tensors, whatever it returns. */
export type AnyFunction = (...inputs: Tensor[]) => unknown;

export class StepProgram {
  readonly graph: Graph;
  readonly memory: MemoryPlan;
  /** Nodes before any pass. */
  readonly traced: number;
  /** Milliseconds that tracing, the passes and loading took. */
  readonly compileTime: number;
  /** Memory from outside that the program reads or writes. */
  readonly bound: readonly Storage[];
  /** The part of it that it writes. */
  readonly written: readonly Storage[];
  /** Stands for the memory of the temporaries: two runs of one program take turns. */
  readonly arena = new Storage(new Uint8Array(0));
  readonly liveCount: number;
  private readonly args: readonly ArgumentSpec[];
  private readonly isGradEnabled = isGradEnabled();
  private readonly writtenBuffers: ReadonlySet<ArrayBufferLike>;
  private readonly trace: Traced;
  private readonly encoded: Encoded;
  private readonly loaded = new Map<Executor["backend"], LoadedProgram>();
  private readonly stepScalars: Float64Array;
  private readonly resultSpecs: readonly Extract<ResultSpec, { kind: "output" }>[];

  constructor(fn: AnyFunction, args: readonly ArgumentSpec[]) {
    const start = performance.now();
    this.args = args;
    this.trace = trace(fn, args);
    this.traced = this.trace.graph.nodes.length;
    let { nodes } = this.trace.graph;
    for (const [, pass] of PASSES) nodes = pass(nodes);
    this.graph = { ...this.trace.graph, nodes };
    this.memory = planMemory(nodes);
    this.encoded = encode(this.graph, this.memory);
    this.liveCount = this.encoded.liveCount;
    this.stepScalars = new Float64Array(this.liveCount);
    const bound = new Set<Storage>();
    const written = new Set<Storage>();
    for (const node of nodes) {
      const { reads, writes } = accessOf(node);
      for (const { storage, isLiteral } of [...reads, ...writes]) {
        if (storage !== null && !isLiteral) bound.add(storage);
      }
      for (const { storage } of writes) if (storage !== null) written.add(storage);
    }
    this.bound = [...bound];
    this.written = [...written];
    this.checkSharedMemory();
    this.writtenBuffers = new Set(this.written.map(({ memoryInUse }) => memoryInUse.buffer));
    const specs = [this.trace.result, ...this.trace.gradients.map(({ result }) => result)];
    this.resultSpecs = specs.flatMap(outputsOf).sort((a, b) => a.output - b.output);
    this.current();
    this.compileTime = performance.now() - start;
  }

  /** Whether it is the program for these arguments. */
  isFor(inputs: readonly Tensor[]): boolean {
    if (inputs.length !== this.args.length) return false;
    for (let i = 0; i < inputs.length; i++) {
      const input: unknown = inputs[i];
      const { dtype, shape, requiresGrad } = this.args[i];
      if (!(input instanceof Tensor) || input.dtype !== dtype || input.requiresGrad !== requiresGrad)
        return false;
      if (!sameShape(input.shape, shape)) return false;
    }
    return true;
  }

  /** Whether all that the trace took for granted still holds. */
  holds(): boolean {
    if (isGradEnabled() !== this.isGradEnabled) return false;
    for (const guard of this.trace.guards) if (!guard()) return false;
    return true;
  }

  /** Tensors from outside that the function uses, in the order of their first use. */
  get captured(): readonly Storage[] {
    return this.trace.captured;
  }

  /** Whether memory from outside belongs to a tensor that requires a gradient. */
  isLearned(storage: Storage): boolean {
    return this.trace.learned.has(storage);
  }

  /** Positions of the results that are gradients left behind. */
  get gradientOutputs(): ReadonlySet<number> {
    return new Set(
      this.trace.gradients.flatMap(({ result }) => outputsOf(result)).map(({ output }) => output),
    );
  }

  /** ArgumentError for an argument that the program writes as well: it was traced as if it did not change. */
  checkArguments(arrays: readonly NDArray[]): void {
    arrays.forEach(({ storage }, i) => {
      if (!this.writtenBuffers.has(storage.memoryInUse.buffer)) return;
      if (!this.written.some((other) => other.overlaps(storage))) return;
      throw new ArgumentError(
        `compile: argument ${i} shares memory with a tensor that the function writes; pass a clone() of it`,
      );
    });
  }

  /** Passes take different storages for different memory. */
  private checkSharedMemory(): void {
    const byBuffer = new Map<ArrayBufferLike, Storage[]>();
    for (const storage of this.bound) {
      const { buffer } = storage.memoryInUse;
      const others = byBuffer.get(buffer);
      if (others === undefined) byBuffer.set(buffer, [storage]);
      else others.push(storage);
    }
    for (const storage of this.written) {
      const others = byBuffer.get(storage.memoryInUse.buffer) ?? [];
      if (!others.some((other) => other !== storage && other.overlaps(storage))) continue;
      throw new TraceError(
        "compile: the function writes a tensor whose memory another one wraps as well; make both views of one tensor",
      );
    }
  }

  get outputs(): readonly Extract<ResultSpec, { kind: "output" }>[] {
    return this.resultSpecs;
  }

  get result(): ResultSpec {
    return this.trace.result;
  }

  /** The program on the executor in use. */
  current(): LoadedProgram {
    const { backend } = executor();
    const known = this.loaded.get(backend);
    if (known !== undefined) return known;
    const loaded = executor().load(this.encoded.plan);
    this.loaded.set(backend, loaded);
    return loaded;
  }

  /** Moves all that changes from step to step on, and gives the scalars of the step. */
  advance(target: Float64Array = this.stepScalars, from = 0): Float64Array {
    let at = from;
    for (const live of this.encoded.live) {
      live.aim(target, at);
      at += live.count;
    }
    for (const effect of this.trace.effects) effect.advance();
    return target;
  }

  /** Remembers what `advance` moves; returns what brings it back. */
  save(): () => void {
    const restores = this.trace.effects.map((effect) => effect.save());
    return () => {
      // In reverse: two effects may move one thing.
      for (let i = restores.length - 1; i >= 0; i--) restores[i]();
    };
  }

  /** Fresh memory for the results of a step. */
  newOutputs(): TypedArray[] {
    return this.resultSpecs.map(({ dtype, shape }) => uninitializedStorage(dtype, sizeOf(shape), "compile"));
  }

  /** Runs one step, now. `inputs` and `outputs` are compact. */
  run(inputs: readonly TypedArray[], outputs: readonly TypedArray[]): void {
    const restore = this.save();
    try {
      this.current().execute(this.advance(), [...inputs, ...outputs]);
    } catch (error) {
      restore();
      throw error;
    }
    this.noteWrites();
  }

  /** To be called after every run: what was written has another version. */
  noteWrites(): void {
    for (const storage of this.written) storage.version++;
  }

  /** The value of the function, from the memory of its results; gradients go to whom they belong. */
  finish(outputs: readonly TypedArray[], inputs: readonly Tensor[]): unknown {
    this.leaveGradients(outputs, inputs);
    return build(this.trace.result, outputs);
  }

  /** Gives gradients to whom they belong. */
  leaveGradients(outputs: readonly TypedArray[], inputs: readonly Tensor[]): void {
    for (const { owner, result, isAdded } of this.trace.gradients) {
      const gradient = build(result, outputs) as Tensor | null;
      const tensor = typeof owner === "number" ? inputs[owner] : owner;
      const before = isAdded ? tensor.grad : null;
      tensor.grad = before === null || gradient === null ? gradient : noGrad(() => add(before, gradient));
    }
  }
}

/** The results of a specification that are new at every call. */
export function outputsOf(spec: ResultSpec): Extract<ResultSpec, { kind: "output" }>[] {
  switch (spec.kind) {
    case "output":
      return [spec];
    case "constant":
      return [];
    case "list":
      return spec.items.flatMap(outputsOf);
    case "record":
      return spec.entries.flatMap(([, entry]) => outputsOf(entry));
  }
}

/** A value of the form that a specification says. */
export function build(
  spec: ResultSpec,
  outputs: readonly TypedArray[],
  shapeOf: (spec: Extract<ResultSpec, { kind: "output" }>) => readonly number[] = ({ shape }) => shape,
): unknown {
  switch (spec.kind) {
    case "output":
      return new Tensor(new NDArray(new Storage(outputs[spec.output]), spec.dtype, [...shapeOf(spec)]));
    case "constant":
      return spec.value;
    case "list":
      return spec.items.map((item) => build(item, outputs, shapeOf));
    case "record":
      return Object.fromEntries(spec.entries.map(([name, entry]) => [name, build(entry, outputs, shapeOf)]));
  }
}
