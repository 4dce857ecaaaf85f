/**
 * Runs a function once under a recorder and takes down what it does: kernels become nodes, and whatever happens outside
 * the program at every step (an optimizer's counters, a generator's position) becomes an effect.
 */
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { TraceError } from "../errors.js";
import type { DType } from "../ndarray/dtype.js";
import { storageOf } from "../ndarray/dtype.js";
import { NDArray } from "../ndarray/ndarray.js";
import { formatShape, type Shape } from "../ndarray/shape.js";
import { clone } from "../ops/shape.js";
import { type Recorder, type StepEffect, withRecorder } from "../runtime/recorder.js";
import { type Obstacle, Storage, storageTypeOf, TracedStorage } from "../runtime/storage.js";
import type { KernelName } from "../runtime/table.js";
import type { StorageType } from "../runtime/types.js";
import { Buffer, decodeDims, type Graph, kernelOf, LiveScalars, type Node, rolesOf } from "./graph.js";

/** What an argument is to a trace. */
export interface ArgumentSpec {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly requiresGrad: boolean;
}

/** A result of a call: a new tensor over an output buffer, or a value that is the same at every call. */
export type ResultSpec =
  | { readonly kind: "output"; readonly output: number; readonly dtype: DType; readonly shape: Shape }
  | { readonly kind: "constant"; readonly value: unknown }
  | { readonly kind: "list"; readonly items: readonly ResultSpec[] }
  | { readonly kind: "record"; readonly entries: readonly (readonly [string, ResultSpec])[] };

/** A gradient that a call leaves behind. */
export interface GradientSpec {
  /** The leaf it belongs to, or the position of the argument that it does. */
  readonly owner: Tensor | number;
  readonly result: ResultSpec;
  /** Whether it is added to the gradient that an argument has. */
  readonly isAdded: boolean;
}

/** All that a trace has found. */
export interface Traced {
  readonly graph: Graph;
  readonly result: ResultSpec;
  readonly gradients: readonly GradientSpec[];
  readonly effects: readonly StepEffect[];
  readonly guards: readonly (() => boolean)[];
  /** The tensors that were made outside and are used inside, by their storage. */
  readonly captured: readonly Storage[];
  /** Those of tensors that require gradients. */
  readonly learned: ReadonlySet<Storage>;
}

/** What became of the gradient of a tensor during a trace. */
interface GradientNote {
  readonly before: Tensor | null;
  readonly isReadFirst: boolean;
  isUpdated: boolean;
}

/** Traces `fn` for arguments of these shapes and dtypes. */
export function trace(fn: (...inputs: Tensor[]) => unknown, args: readonly ArgumentSpec[]): Traced {
  return new Tracer().run(fn, args);
}

class Tracer implements Recorder, Obstacle {
  private readonly nodes: Node[] = [];
  private readonly buffers = new Map<Storage, Buffer>();
  private readonly outputs: Buffer[] = [];
  private readonly captured = new Set<Storage>();
  private readonly effects: StepEffect[] = [];
  private readonly guards: (() => boolean)[] = [];
  private readonly gradients = new Map<Tensor, GradientNote>();
  /** Whether leaves from outside required gradients. */
  private readonly leaves = new Map<Tensor, boolean>();
  private readonly firstSerial = Storage.next;
  /** Serial numbers of storages that were made meanwhile but last. */
  private readonly lasting: (readonly [number, number])[] = [];
  private operation = "";
  private hasEnded = false;

  run(fn: (...inputs: Tensor[]) => unknown, args: readonly ArgumentSpec[]): Traced {
    const inputs: Buffer[] = [];
    const placeholders = args.map(({ dtype, shape, requiresGrad }) => {
      const length = shape.reduce((n, size) => n * size, 1);
      const storage = this.allocate(storageOf(dtype), length);
      const buffer = this.buffers.get(storage) as Buffer;
      buffer.kind = "input";
      inputs.push(buffer);
      return new Tensor(new NDArray(storage, dtype, [...shape]), { requiresGrad });
    });
    try {
      return withRecorder(this, () => {
        const value = fn(...placeholders);
        if (value instanceof Promise) {
          value.catch(() => undefined);
          this.refuse("an async function", "a step is traced in one go; await before or after it");
        }
        const result = this.within("result", () => this.describeResult(value));
        const gradients = this.within("result", () => this.gradientsLeft(placeholders));
        const leaves = [...this.leaves];
        this.guards.push(() => leaves.every(([leaf, requiresGrad]) => leaf.requiresGrad === requiresGrad));
        return {
          graph: { nodes: this.nodes, inputs, outputs: this.outputs },
          result,
          gradients,
          effects: this.effects,
          guards: this.guards,
          captured: [...this.captured],
          learned: new Set(leaves.filter(([, isLearned]) => isLearned).map(([{ array }]) => array.storage)),
        };
      });
    } finally {
      withRecorder(null, () => {
        for (const [tensor, { before }] of this.gradients) tensor.grad = before;
      });
      this.hasEnded = true;
    }
  }

  // ---- Obstacle: whoever reads a value

  error(): Error {
    return new TraceError(
      this.hasEnded
        ? "compile: this tensor belongs to a trace that has ended and has no value; return it from the compiled function"
        : "compile: the value of a tensor was read (item, data, toArray, a branch or a comparison on it) while the " +
            "function was traced; it has none yet. Return the tensor and read it outside, or choose with where()",
    );
  }

  // ---- Recorder

  allocate(type: StorageType, length: number): Storage {
    const storage = new TracedStorage(type, length, this);
    this.buffers.set(storage, new Buffer("temporary", type, length));
    return storage;
  }

  record(
    kernel: KernelName,
    storages: readonly Storage[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
    counts: readonly number[],
  ): void {
    this.add(kernel, storages, offsets, dims, [...scalars], [...counts], null);
  }

  recordLive(
    kernel: KernelName,
    storages: readonly Storage[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
  ): LiveScalars {
    const live = new LiveScalars(scalars.length);
    this.add(kernel, storages, offsets, dims, [...scalars], [], live);
    return live;
  }

  everyStep(effect: StepEffect): void {
    this.effects.push(effect);
  }

  guard(holds: () => boolean): void {
    this.guards.push(holds);
  }

  outside<R>(body: () => R): R {
    const first = Storage.next;
    try {
      return withRecorder(null, body);
    } finally {
      this.lasting.push([first, Storage.next]);
    }
  }

  within<R>(operation: string, body: () => R): R {
    const before = this.operation;
    // Of operations inside others the outermost is named: it is what somebody has written.
    if (before === "") this.operation = operation;
    try {
      return body();
    } finally {
      this.operation = before;
    }
  }

  noteInputs(inputs: readonly object[]): void {
    for (const input of inputs as readonly Tensor[]) {
      const { array, isLeaf, requiresGrad } = input;
      if (isLeaf && !(array.storage instanceof TracedStorage)) this.leaves.set(input, requiresGrad);
    }
  }

  noteGradient(tensor: object, isWrite: boolean): void {
    const owner = tensor as Tensor;
    if (this.gradients.has(owner)) return;
    const before = withRecorder(null, () => owner.grad);
    this.gradients.set(owner, { before, isReadFirst: !isWrite, isUpdated: false });
  }

  noteUpdate(tensor: object): void {
    const note = this.gradients.get(tensor as Tensor);
    if (note !== undefined) note.isUpdated = true;
  }

  refuse(what: string, advice: string): never {
    throw new TraceError(`compile: ${what} cannot be part of a compiled function; ${advice}`);
  }

  // ---- nodes

  private add(
    name: KernelName,
    storages: readonly Storage[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
    counts: readonly number[],
    live: LiveScalars | null,
  ): void {
    const kernel = kernelOf(name);
    const { sizes, strides } = decodeDims(kernel, counts, dims);
    const roles = rolesOf(kernel, counts);
    if (storages.some((storage, i) => roles[i].isWritten && this.buffers.get(storage)?.kind === "input")) {
      this.refuse("an in-place write into an argument", "write into a clone() of it and return that");
    }
    const uses = storages.map((storage, i) => ({
      buffer: this.bufferOf(storage, roles[i].isWritten),
      offset: offsets[i],
      strides: strides[i],
    }));
    const { operation } = this;
    this.nodes.push({ kernel, counts, uses, sizes, scalars, live, operation, fused: [] });
  }

  private bufferOf(storage: Storage, isWritten: boolean): Buffer {
    const known = this.buffers.get(storage);
    if (known !== undefined && !(isWritten && known.kind === "bound" && !this.lasts(storage))) return known;
    if (storage instanceof TracedStorage) throw (storage.obstacle as Obstacle).error();
    // A run in the background may be using it; a trace looks at no value.
    const data = storage.memoryInUse;
    const type = storageTypeOf(data) as StorageType;
    if (known === undefined && this.lasts(storage)) this.captured.add(storage);
    const bound = known ?? new Buffer("bound", type, data.length, storage, !this.lasts(storage));
    this.buffers.set(storage, bound);
    if (!isWritten || this.lasts(storage)) return bound;
    // Values that the function makes anew at every call and then overwrites: each call starts with a copy.
    const copy = new Buffer("temporary", type, data.length);
    this.buffers.set(storage, copy);
    const view = (buffer: Buffer) => ({ buffer, offset: 0, strides: [1] });
    this.nodes.push({
      kernel: kernelOf(`cast_from_${type}_${type}` as KernelName),
      counts: [],
      uses: [view(bound), view(copy)],
      sizes: [[data.length]],
      scalars: [],
      live: null,
      operation: "constant",
      fused: [],
    });
    return copy;
  }

  /** Whether a storage was there before the trace, or was made to last. */
  private lasts({ serial }: Storage): boolean {
    return serial < this.firstSerial || this.lasting.some(([from, to]) => serial >= from && serial < to);
  }

  // ---- results

  private describeResult(value: unknown, outer: readonly unknown[] = []): ResultSpec {
    if (value instanceof Tensor) return this.describeTensor(value);
    if (outer.includes(value))
      throw new TraceError("compile: the function returned an object that contains itself");
    const inner = [...outer, value];
    if (Array.isArray(value)) {
      return { kind: "list", items: value.map((item) => this.describeResult(item, inner)) };
    }
    if (value === null || ["undefined", "number", "string", "boolean", "bigint"].includes(typeof value)) {
      return { kind: "constant", value };
    }
    if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
      const entries = Object.entries(value).map(([name, entry]): [string, ResultSpec] => [
        name,
        this.describeResult(entry, inner),
      ]);
      return { kind: "record", entries };
    }
    throw new TraceError(
      `compile: the function returned ${describe(value)}; it may return tensors, plain values, and arrays and plain ` +
        "objects of these",
    );
  }

  private describeTensor(tensor: Tensor): ResultSpec {
    const { dtype, shape, array } = tensor;
    // A parameter or another tensor from outside is returned as it is.
    if (!(array.storage instanceof TracedStorage) && this.lasts(array.storage)) {
      return { kind: "constant", value: tensor };
    }
    const known = this.buffers.get(array.storage);
    const isWhole = array.isContiguous && array.offset === 0 && array.size === known?.length;
    const own = known?.kind === "temporary" && isWhole ? array : clone(tensor.detach()).array;
    const buffer = this.buffers.get(own.storage) as Buffer;
    buffer.kind = "output";
    this.outputs.push(buffer);
    return { kind: "output", output: this.outputs.length - 1, dtype, shape: [...shape] };
  }

  /** What becomes of gradients; those that an optimizer has used up are gone at the end. */
  private gradientsLeft(inputs: readonly Tensor[]): GradientSpec[] {
    const left: GradientSpec[] = [];
    for (const [owner, { before, isReadFirst, isUpdated }] of [...this.gradients]) {
      const after = owner.grad;
      const input = inputs.indexOf(owner);
      // The gradients of tensors that the function makes itself are its own business.
      if (input < 0 && !this.lasts(owner.array.storage)) continue;
      if (isReadFirst && input < 0) this.guards.push(() => owner.grad === before);
      if (isReadFirst && after === before) continue;
      if (after !== null && isReadFirst && input < 0) {
        throw new TraceError(
          `compile: backward() adds to the gradient of a tensor of shape ${formatShape(owner.shape)} that it has from ` +
            "before the call, and the next call would add to it again; call zeroGrad() in the function, before backward()",
        );
      }
      const isGone = after === null || isUpdated;
      left.push({
        owner: input < 0 ? owner : input,
        result: isGone ? { kind: "constant", value: null } : this.describeTensor(after),
        isAdded: isReadFirst,
      });
    }
    return left;
  }
}
