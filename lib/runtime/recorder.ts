/**
 * The seam of tracing: while a recorder is set, kernels are written down instead of run, and whatever would happen
 * on this side of the executor at every step (counters, random positions) is handed to it. lib/compile is what sets one.
 */
import type { Storage } from "./storage.js";
import type { KernelName } from "./table.js";
import type { StorageType } from "./types.js";

/** The scalars of a recorded instruction that change from step to step. */
export interface LiveScalars {
  /** Sets them for the next step; their number is that of the recording. */
  set(values: readonly number[]): void;
}

/** Something outside the program that every step changes: an optimizer's counters, a generator's position. */
export interface StepEffect {
  /** Makes the change and sets live scalars, before each step and in the order of the recording. */
  advance(): void;
  /** Remembers how things are, for a run that ends early; returns what brings them back, until the next call. */
  save(): () => void;
}

/** Takes down what a function does. */
export interface Recorder {
  /** Memory for a result. */
  allocate(type: StorageType, length: number): Storage;
  /** One kernel, whose arguments are laid out as for `execute`. */
  record(
    kernel: KernelName,
    storages: readonly Storage[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
    counts: readonly number[],
  ): void;
  /** The same with scalars that change from step to step. */
  recordLive(
    kernel: KernelName,
    storages: readonly Storage[],
    offsets: readonly number[],
    dims: readonly number[],
    scalars: readonly number[],
  ): LiveScalars;
  /** To be called again before each step. */
  everyStep(effect: StepEffect): void;
  /** The trace holds only while this returns true; otherwise the function is traced again. */
  guard(holds: () => boolean): void;
  /** Runs `body` as if nothing were recorded; what it makes lasts. */
  outside<R>(body: () => R): R;
  /** Names the operation whose kernels follow, for `explain` and messages. */
  within<R>(operation: string, body: () => R): R;
  /** Tells of the tensors that an operation takes, whose `requiresGrad` decides what is recorded. */
  noteInputs(inputs: readonly object[]): void;
  /** Remembers a gradient before it changes; `isWrite` tells a new value from a look at the old one. */
  noteGradient(tensor: object, isWrite: boolean): void;
  /** Tells that an optimizer has used the gradient of a parameter. */
  noteUpdate(tensor: object): void;
  /** Throws the error for what no trace can hold. */
  refuse(what: string, advice: string): never;
}

let current: Recorder | null = null;

/** The recorder in place, null while kernels run as usual. */
export const recorder = (): Recorder | null => current;

/** Runs `body` under another recorder, or under none. */
export function withRecorder<R>(next: Recorder | null, body: () => R): R {
  const before = current;
  current = next;
  try {
    return body();
  } finally {
    current = before;
  }
}
