/** `thalweg train`: trains a fully connected classifier on images and writes model, metrics and report. */
import type { Command } from "commander";
import { saveSafetensors } from "../io/index.js";
import { backendInfo, setNumThreads } from "../runtime/executor.js";
import { describeExecutor, machineInfo } from "./machine.js";
import { Display } from "./train/display.js";
import { formatCount, formatPercent } from "./train/format.js";
import { Interrupt } from "./train/interrupt.js";
import { addTrainOptions, readTrainOptions, type TrainOptions } from "./train/options.js";
import { writeReport } from "./train/report.js";
import { TrainSession } from "./train/session.js";
import { packageVersion } from "./version.js";

/** Adds `train` to the program. */
export function addTrainCommand(program: Command): void {
  addTrainOptions(program.command("train"))
    .description("train a fully connected classifier on the embedded digits or on MNIST's files")
    .showHelpAfterError("Usage: thalweg train [options]; thalweg train --help explains them")
    .action((_options: unknown, command: Command) => train(readTrainOptions(command)));
}

async function train(options: TrainOptions): Promise<void> {
  if (options.run.threads !== null) setNumThreads(options.run.threads);
  // Before the first checkpoint, so that there is never one that a signal would leave without a word.
  const interrupt = new Interrupt();
  try {
    await trainUnless(interrupt, options);
  } finally {
    interrupt.dispose();
  }
}

async function trainUnless(interrupt: Interrupt, { config: given, run }: TrainOptions): Promise<void> {
  const session = await TrainSession.open(given, run);
  const { config, record, files } = session;
  const display = new Display(run.json ? process.stderr : process.stdout, record, config.epochs);
  describeRun(session, display, run.resume);
  let isComplete: boolean;
  try {
    isComplete = await session.train(display, interrupt.aborted);
  } finally {
    display.stop();
  }
  if (!isComplete) {
    const at = `step ${record.steps} (epoch ${record.history.length + 1} of ${config.epochs})`;
    display.line(`stopped by ${interrupt.signal} after ${at}; ${files.checkpoint} is written`);
    display.line(`to go on: thalweg train --resume --out ${run.out}`);
    process.exitCode = interrupt.exitCode;
    return;
  }
  saveSafetensors(files.model, session.model.stateDict());
  await writeReport(session);
  display.line(`wrote ${Object.values(files).join(", ")}`);
  const { testAccuracy } = record.history[record.history.length - 1];
  if (run.json) process.stdout.write(`${JSON.stringify(summary(session))}\n`);
  else display.line(`test accuracy ${formatPercent(testAccuracy)}`);
}

function describeRun(session: TrainSession, display: Display, isResumed: boolean): void {
  const { config, files, images, model, record, resumedFrom } = session;
  const info = backendInfo();
  const { optimizer, lr, layers, data } = config;
  display.line(`thalweg ${packageVersion()}: ${describeExecutor(info)}`);
  display.line(
    `${data}: ${formatCount(images.train.length)} training and ${formatCount(images.test.length)} test images; ` +
      `${layers.join("-")}, ${formatCount(model.numParameters())} parameters; ${optimizer}, lr ${lr}`,
  );
  if (resumedFrom === null) {
    if (isResumed) display.line(`no checkpoint at ${files.checkpoint} yet: starts from the beginning`);
    return;
  }
  display.line(
    `goes on after step ${record.steps}, with ${record.history.length} of ${config.epochs} epochs done`,
  );
  if (resumedFrom !== info.backend) {
    display.line(
      `note: the checkpoint is the ${resumedFrom} executor's; on the ${info.backend} executor the run goes on ` +
        "within its numerical bounds, not bit for bit",
    );
  }
}

/** What `--json` prints. */
function summary({ config, record, files }: TrainSession): object {
  const { history } = record;
  const { trainLoss, testLoss, testAccuracy, steps } = history[history.length - 1];
  const { backend, isa, threads } = machineInfo();
  return {
    command: "train",
    ...config,
    backend,
    isa,
    threads,
    steps,
    seconds: history.reduce((sum, epoch) => sum + epoch.seconds, 0),
    trainLoss,
    testLoss,
    testAccuracy,
    history,
    files,
  };
}
