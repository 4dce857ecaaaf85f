/** The options of `thalweg train`: what each one takes, and what was given. */
import { type Command, Option } from "commander";
import { usageError } from "../problems.js";
import * as values from "../values.js";
import {
  ACTIVATIONS,
  DEFAULT_LR,
  DEFAULT_MOMENTUM,
  DEFAULT_WEIGHT_DECAY,
  DEFAULTS,
  dataSource,
  defaultOut,
  INITS,
  OPTIMIZERS,
  type TrainConfig,
} from "./config.js";

/** How a run goes about it, without effect on its outcome. */
export interface RunOptions {
  out: string;
  resume: boolean;
  /** Steps between checkpoints within an epoch; null for none but at its end. */
  checkpointEvery: number | null;
  detectAnomaly: boolean;
  json: boolean;
  threads: number | null;
}

/** The options as given: a configuration without what was left out, and how to run it. */
export interface TrainOptions {
  config: Partial<TrainConfig>;
  run: RunOptions;
}

// Defaults are told, not set: a resumed run must know what was given.
const option = (flags: string, description: string, fallback: unknown): Option =>
  new Option(flags, `${description} (default: ${fallback})`);

/** The values of each, as in `sgd 0.1, adam 0.001`. */
const byOptimizer = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
const WITH_MOMENTUM = Object.keys(DEFAULT_MOMENTUM).join(", ");

const CONFIG_OPTIONS: Record<keyof TrainConfig, Option> = {
  data: option(
    "--data <source>",
    "digits, drawn by the program, or a folder with MNIST's IDX files",
    DEFAULTS.data,
  ).argParser(dataSource),
  limit: option("--limit <n>", "use at most n training and n test images", "all").argParser(
    values.positiveInteger,
  ),
  layers: option(
    "--layers <sizes>",
    "sizes of the layers, inputs first, classes last",
    DEFAULTS.layers,
  ).argParser(values.layerSizes),
  activation: option("--activation <name>", "function between the layers", DEFAULTS.activation).choices(
    ACTIVATIONS,
  ),
  dropout: option(
    "--dropout <p>",
    "probability to drop a hidden unit, in [0, 1)",
    DEFAULTS.dropout,
  ).argParser(values.fraction),
  init: option(
    "--init <name>",
    "rule for the initial weights; that of PyTorch's Linear if left out",
    DEFAULTS.init,
  ).choices(INITS),
  optimizer: option("--optimizer <name>", "update rule", DEFAULTS.optimizer).choices(OPTIMIZERS),
  lr: option("--lr <x>", "step size", byOptimizer(DEFAULT_LR)).argParser(values.positiveNumber),
  momentum: option(
    "--momentum <x>",
    `momentum of ${WITH_MOMENTUM}, in [0, 1)`,
    byOptimizer(DEFAULT_MOMENTUM),
  ).argParser(values.fraction),
  weightDecay: option(
    "--weight-decay <x>",
    "weight decay, decoupled for adamw, lion and muon",
    `0, ${byOptimizer(DEFAULT_WEIGHT_DECAY)}`,
  ).argParser(values.nonNegativeNumber),
  epochs: option("--epochs <n>", "passes over the training images", DEFAULTS.epochs).argParser(
    values.positiveInteger,
  ),
  batchSize: option("--batch-size <n>", "images per step", DEFAULTS.batchSize).argParser(
    values.positiveInteger,
  ),
  seed: option("--seed <n>", "seed of initial weights, order and dropout", DEFAULTS.seed).argParser(
    values.seed,
  ),
};

const RUN_OPTIONS: Record<keyof RunOptions, Option> = {
  out: option(
    "--out <dir>",
    "folder of the run's files",
    `${defaultOut(DEFAULTS.data)}, or runs/NAME of the data`,
  ).argParser(values.nonEmpty),
  resume: new Option("--resume", "go on from the checkpoint in --out; options left out are the checkpoint's"),
  checkpointEvery: new Option(
    "--checkpoint-every <n>",
    "write a checkpoint every n steps too, not only after each epoch",
  ).argParser(values.positiveInteger),
  threads: option(
    "--threads <n>",
    "threads of the native executor; without effect on results",
    "one per core",
  ).argParser(values.threads),
  detectAnomaly: new Option("--detect-anomaly", "name the first operation that produces a NaN (slow)"),
  json: new Option("--json", "print one JSON object on stdout, last; progress goes to stderr"),
};

/** The options' names on the command line. */
export const FLAGS = Object.fromEntries(
  Object.entries(CONFIG_OPTIONS).map(([key, { long }]) => [key, long]),
) as Record<keyof TrainConfig, string>;

/** Adds the options to the command. */
export function addTrainOptions(command: Command): Command {
  for (const each of Object.values({ ...CONFIG_OPTIONS, ...RUN_OPTIONS })) command.addOption(each);
  return command;
}

/** Reads the options that commander has parsed; ends with a usage error for options that contradict each other. */
export function readTrainOptions(command: Command): TrainOptions {
  const given: Partial<TrainConfig & RunOptions> = command.opts();
  const config = Object.fromEntries(
    Object.keys(CONFIG_OPTIONS)
      .filter((key) => key in given)
      .map((key) => [key, given[key as keyof TrainConfig]]),
  ) as Partial<TrainConfig>;
  const rule = config.optimizer ?? DEFAULTS.optimizer;
  if (config.momentum && !given.resume && !(rule in DEFAULT_MOMENTUM)) {
    usageError(command, `option '--momentum <x>' is for --optimizer ${WITH_MOMENTUM}, not ${rule}.`);
  }
  const { out, resume = false, checkpointEvery = null, threads = null } = given;
  const { detectAnomaly = false, json = false } = given;
  const run = {
    out: out ?? defaultOut(config.data ?? DEFAULTS.data),
    resume,
    checkpointEvery,
    detectAnomaly,
    json,
    threads,
  };
  return { config, run };
}
