/** The options of `fit`, checked. */
import { checkDataset, type Dataset } from "../data/dataset.js";
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { checkBoolean, checkNumber, POSITIVE, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import type { Tensor } from "../tensor.js";
import { type LossFunction, type LossName, lossFunction } from "./loss.js";
import type { Schedule } from "./schedule.js";
import type { EpochSummary } from "./training.js";

/** An optimizer, as far as `fit` is concerned. */
export interface FitOptimizer {
  readonly paramGroups: readonly { lr: number; readonly params: readonly Tensor[] }[];
  zeroGrad(): void;
  step(): unknown;
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
}

/** How far the current epoch is. */
export interface FitProgress {
  /** The epoch, from 1, of `epochs`. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** The loss of the last step that was done; NaN before the first. */
  readonly loss: number;
  readonly samplesPerSecond: number;
}

/** What is called on the way. What one of them throws ends training, with the model as after the last whole step. */
export interface FitCallbacks {
  /** About every 100 ms while an epoch runs, and at its end. */
  onProgress?: (progress: FitProgress) => void;
  /** After each epoch, its validation and its checkpoint; a promise is awaited. */
  onEpoch?: (summary: EpochSummary) => unknown;
}

/** Where and how often training is saved. */
export interface CheckpointOptions {
  /** The file, written whole or not at all. */
  path: string;
  /** Epochs between two checkpoints (default 1); the last epoch and an abort always write one. */
  every?: number;
  /** Go on from the file if it is there (default true). */
  resume?: boolean;
}

/** Options of `fit`. */
export interface FitOptions {
  /** The loss of a batch's output and target, a 0-d tensor; or its name in `nn.functional`. */
  loss: LossFunction | LossName;
  optimizer: FitOptimizer;
  /** Epochs in all, those before a checkpoint included (default 1). */
  epochs?: number;
  /** Samples per step (default 32). */
  batchSize?: number;
  /** A new random order in every epoch (default true). */
  shuffle?: boolean;
  /** Draws the orders; the default generator unless given. */
  generator?: Generator;
  /** Leaves out a last batch of fewer than `batchSize` samples (default false). */
  dropLast?: boolean;
  /** Evaluated after each epoch. */
  validation?: Dataset<[Tensor, Tensor]> | null;
  /** Samples per batch of the validation (default 512). */
  validationBatchSize?: number;
  /** The learning rate's course. */
  schedule?: Schedule | null;
  /** Whether a scheduler object's `step()` is called after each epoch (default) or after each step. */
  scheduleEvery?: "epoch" | "step";
  /** The largest norm of all gradients together; they are scaled down to it. Default: none. */
  clipNorm?: number | null;
  callbacks?: FitCallbacks;
  /** Ends training before the next step; what `fit` gives is rejected with the signal's reason. */
  signal?: AbortSignal;
  checkpoint?: CheckpointOptions | null;
  /**
   * Norms of gradients, weights and updates per parameter, units that ReLU never lets through, and where a NaN came from
   * (default false). The bits of the training do not change.
   */
  diagnostics?: boolean;
}

/** The options with defaults. */
export interface ResolvedOptions {
  readonly loss: LossFunction;
  readonly optimizer: FitOptimizer;
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly generator: Generator;
  readonly dropLast: boolean;
  readonly validation: Dataset<[Tensor, Tensor]> | null;
  readonly validationBatchSize: number;
  readonly schedule: Schedule | null;
  readonly scheduleEvery: "epoch" | "step";
  readonly clipNorm: number | null;
  readonly callbacks: FitCallbacks;
  readonly signal: AbortSignal | undefined;
  readonly checkpoint: Required<CheckpointOptions> | null;
  readonly diagnostics: boolean;
}

/** Checks everything that can be checked before training. ArgumentError that names the option. */
export function resolveOptions(given: FitOptions): ResolvedOptions {
  const options = withDefaults<Omit<Required<FitOptions>, "generator" | "signal"> & FitOptions>(
    "fit",
    given,
    {
      loss: undefined as unknown as LossName,
      optimizer: undefined as unknown as FitOptimizer,
      epochs: 1,
      batchSize: 32,
      shuffle: true,
      generator: undefined,
      dropLast: false,
      validation: null,
      validationBatchSize: 512,
      schedule: null,
      scheduleEvery: "epoch",
      clipNorm: null,
      callbacks: {},
      signal: undefined,
      checkpoint: null,
      diagnostics: false,
    },
  );
  const { validation, clipNorm, signal } = options;
  checkNumber("fit", "epochs", options.epochs, POSITIVE_INTEGER);
  checkNumber("fit", "batchSize", options.batchSize, POSITIVE_INTEGER);
  checkNumber("fit", "validationBatchSize", options.validationBatchSize, POSITIVE_INTEGER);
  for (const name of ["shuffle", "dropLast", "diagnostics"] as const)
    checkBoolean("fit", name, options[name]);
  if (validation !== null) {
    checkDataset("fit: validation", validation);
    if (validation.length === 0) throw new ArgumentError("fit: validation has no samples");
  }
  if (clipNorm !== null) checkNumber("fit", "clipNorm", clipNorm, POSITIVE);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`fit: signal must be an AbortSignal, got ${describe(signal)}`);
  }
  return {
    ...options,
    loss: lossFunction("fit", options.loss),
    optimizer: checkOptimizer(options.optimizer),
    generator: checkGenerator("fit", options.generator),
    callbacks: checkCallbacks(options.callbacks),
    checkpoint: checkCheckpoint(options.checkpoint),
    signal,
  };
}

function checkOptimizer(optimizer: unknown): FitOptimizer {
  const { step, zeroGrad, paramGroups } = (optimizer ?? {}) as Partial<FitOptimizer>;
  if (typeof step === "function" && typeof zeroGrad === "function" && Array.isArray(paramGroups)) {
    return optimizer as FitOptimizer;
  }
  throw new ArgumentError(
    `fit: optimizer must be one, such as new optim.Adam(model.parameters()), got ${describe(optimizer)}`,
  );
}

function checkCallbacks(given: FitCallbacks): FitCallbacks {
  const known: FitCallbacks = { onProgress: undefined, onEpoch: undefined };
  const callbacks = withDefaults("fit: callbacks", given, known);
  for (const [name, callback] of Object.entries(callbacks)) {
    if (callback !== undefined && typeof callback !== "function") {
      throw new ArgumentError(`fit: callbacks.${name} must be a function, got ${describe(callback)}`);
    }
  }
  return callbacks;
}

function checkCheckpoint(given: CheckpointOptions | null): Required<CheckpointOptions> | null {
  if (given === null) return null;
  const options = withDefaults<Required<CheckpointOptions>>("fit: checkpoint", given, {
    path: "",
    every: 1,
    resume: true,
  });
  if (typeof options.path !== "string" || options.path === "") {
    throw new ArgumentError(`fit: checkpoint.path must be the path of a file, got ${describe(options.path)}`);
  }
  checkNumber("fit", "checkpoint.every", options.every, POSITIVE_INTEGER);
  checkBoolean("fit", "checkpoint.resume", options.resume);
  return options;
}
