/** `thalweg lab`: runs the lecture's experiments, writes figures and numbers, and fails where a number is not met. */
import { basename, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { digits, type ImageDatasets, mnist } from "../data/index.js";
import { ArgumentError } from "../errors.js";
import { writeFileAtomicSync } from "../io/atomic.js";
import type { Study } from "../lab/experiment.js";
import { formatMeasured, labPage } from "../lab/page.js";
import { failures, resultsJson, runStudies } from "../lab/run.js";
import { STUDIES } from "../lab/studies.js";
import { svgRenderer } from "../report/svg.js";
import { setNumThreads } from "../runtime/executor.js";
import { prepareFolder } from "./folder.js";
import { LabDisplay } from "./lab/display.js";
import { describeExecutor, machineInfo } from "./machine.js";
import { EXIT_FAILURE } from "./problems.js";
import * as values from "./values.js";
import { packageVersion } from "./version.js";

const PAGE = "index.html";
const RESULTS = "results.json";
/** The fewest images that every experiment can do with. */
const LEAST = { train: 1000, test: 100 } as const;

interface LabOptions {
  out: string;
  data?: string;
  threads?: number;
}

/** Adds `lab` to the program. `studies` are other ones than the lecture's where a test says so. */
export function addLabCommand(program: Command, studies: readonly Study[] = STUDIES): void {
  program
    .command("lab")
    .description("run the lecture's experiments on optimization and initialization, and draw their figures")
    .addOption(
      new Option("--out <dir>", "folder of the page and the results")
        .default("runs/lab")
        .argParser(values.nonEmpty),
    )
    .addOption(
      new Option(
        "--data <dir>",
        "folder with MNIST's IDX files (default: digits, drawn by the program)",
      ).argParser(values.nonEmpty),
    )
    .addOption(
      new Option("--threads <n>", "threads of the native executor (default: one per core)").argParser(
        values.threads,
      ),
    )
    .showHelpAfterError(
      "Usage: thalweg lab [--out DIR] [--data DIR] [--threads N]; thalweg lab --help explains them",
    )
    .action(async (options: LabOptions) => {
      if (!(await lab(options, studies))) process.exitCode = EXIT_FAILURE;
    });
}

/** Whether every number is met. */
async function lab({ out, data, threads }: LabOptions, studies: readonly Study[]): Promise<boolean> {
  if (threads !== undefined) setNumThreads(threads);
  prepareFolder(out, [PAGE, RESULTS]);
  const images = data === undefined ? digits() : await mnist(data);
  checkImages(images);
  const source = data === undefined ? "embedded digits" : basename(resolve(data));
  const info = machineInfo();
  const display = new LabDisplay(process.stdout);
  display.line(`thalweg ${packageVersion()}: ${describeExecutor(info)}; ${source}`);
  if (info.backend === "ts") {
    display.line(
      "this executor takes some ten minutes for what the native one does in one (thalweg build makes it)",
    );
  }
  const render = await svgRenderer();
  if (render === null)
    display.line("the page will have no figures: the optional package echarts is not installed");
  try {
    const results = await runStudies(studies, images, source, display);
    const machine = [
      ["executor", describeExecutor(info)],
      ["processor", info.cpu],
      ["node", `${info.node}, ${info.platform}`],
      ["thalweg", info.version],
    ] as const;
    const page = labPage(results, machine, render);
    const files = { page: join(out, PAGE), results: join(out, RESULTS) };
    writeFileAtomicSync(files.results, resultsJson(results, info));
    writeFileAtomicSync(files.page, page);
    display.line(`wrote ${files.page}, ${files.results} in ${results.seconds.toFixed(1)} s`);
    const missed = failures(results);
    for (const { name, measured, expected, tolerance } of missed) {
      const needed = `${formatMeasured(expected)} (${tolerance})`;
      process.stderr.write(
        `thalweg lab: not met: ${name}: measured ${formatMeasured(measured)}, needed ${needed}\n`,
      );
    }
    return missed.length === 0;
  } finally {
    display.stop();
  }
}

/** ArgumentError for too few images. */
function checkImages(images: ImageDatasets): void {
  for (const part of ["train", "test"] as const) {
    if (images[part].length >= LEAST[part]) continue;
    throw new ArgumentError(
      `--data: there are ${images[part].length} ${part === "train" ? "training" : "test"} images; ` +
        `the lab needs ${LEAST[part]} or more`,
    );
  }
}
