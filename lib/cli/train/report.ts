/** report.html of a training run: result, curves, mistakes, epochs, configuration and machine on one page. */
import { basename } from "node:path";
import type { ImageDataset } from "../../data/image_dataset.js";
import { writeFileAtomicSync } from "../../io/atomic.js";
import { type Chart, curvesOption } from "../../report/charts.js";
import { escapeHtml, facts, page, section, table } from "../../report/html.js";
import { greyPngUri } from "../../report/png.js";
import { STYLE } from "../../report/style.js";
import { svgRenderer } from "../../report/svg.js";
import { describeExecutor, machineInfo } from "../machine.js";
import { findMistakes, type Mistake } from "./evaluate.js";
import { formatCount, formatNumber, formatPercent } from "./format.js";
import { FLAGS } from "./options.js";
import type { TrainSession } from "./session.js";

const MOST_MISTAKES = 60;
/** Charts come in two sizes, since text in a scaled one would be too small on a phone. */
const SIZES = { wide: { width: 480, height: 320 }, narrow: { width: 320, height: 260 } };

/** Writes the report of a finished run to its folder. */
export async function writeReport(session: TrainSession): Promise<void> {
  const { config, files, model, images } = session;
  const mistakes = await findMistakes(model, images.test);
  const title = `${config.layers.join("-")} on ${basename(config.data)}`;
  const body = [
    header(session, title),
    await curves(session),
    mistakesSection(mistakes, images.test),
    section("Epochs", epochTable(session)),
    `<div class="pair">${section("Configuration", configuration(session))}${section("Machine", machine())}</div>`,
  ];
  writeFileAtomicSync(files.report, page(`thalweg: ${title}`, STYLE, body.join("\n")));
}

function header({ record, model, config, images }: TrainSession, title: string): string {
  const { history } = record;
  const { testAccuracy, testLoss, trainLoss, steps } = history[history.length - 1];
  const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const samples = history.length * images.train.length;
  const numbers = [
    ["test accuracy", formatPercent(testAccuracy)],
    ["test loss", formatNumber(testLoss)],
    ["train loss", formatNumber(trainLoss)],
    ["training time", `${formatNumber(seconds)} s`],
    ["samples/s", formatCount(samples / seconds)],
    ["parameters", formatCount(model.numParameters())],
  ];
  const cards = numbers.map(
    ([name, value], i) => `<div><dt>${name}</dt><dd${i === 0 ? ' class="headline"' : ""}>${value}</dd></div>`,
  );
  const lead = `${formatCount(steps)} steps of ${config.optimizer} in ${history.length} epochs of ${formatCount(images.train.length)} images`;
  return `<header><h1>${escapeHtml(title)}</h1><p class="lead">${lead}</p></header><dl class="numbers">${cards.join("")}</dl>`;
}

async function curves({ record }: TrainSession): Promise<string> {
  const render = await svgRenderer();
  if (render === null) {
    const note =
      "The curves are drawn where the optional package echarts is installed; the numbers are below.";
    return `<p class="note">${note}</p>`;
  }
  const training = record.curve.map(({ epoch, loss }) => [epoch, loss] as const);
  const tested = record.history.map(({ epoch, testLoss }) => [epoch, testLoss] as const);
  const accuracy = record.history.map(({ epoch, testAccuracy }) => [epoch, 100 * testAccuracy] as const);
  const loss: Chart = {
    label: "Training and test loss by epoch",
    xName: "epoch",
    yName: "cross-entropy",
    isLogarithmic: [...training, ...tested].every(([, y]) => y > 0),
    curves: [
      { name: "training", color: "var(--train)", points: training, hasMarks: false },
      { name: "test", color: "var(--test)", points: tested, hasMarks: true },
    ],
  };
  const accuracies: Chart = {
    label: "Test accuracy by epoch",
    xName: "epoch",
    yName: "correct, %",
    isLogarithmic: false,
    curves: [{ name: "test", color: "var(--test)", points: accuracy, hasMarks: true }],
  };
  const both = (chart: Chart): string =>
    Object.entries(SIZES)
      .map(([name, size]) => `<div class="${name}">${render(curvesOption(chart), size, chart.label)}</div>`)
      .join("");
  return `<div class="pair">${section("Loss", both(loss))}${section("Accuracy", both(accuracies))}</div>`;
}

function mistakesSection(mistakes: readonly Mistake[], { images }: ImageDataset): string {
  const shown = mistakes.slice(0, MOST_MISTAKES);
  const [, height, width] = images.shape;
  const figures = shown.map(({ index, label, predicted, confidence }) => {
    const uri = greyPngUri(images.slice(index).data as Uint8Array, width, height);
    const caption = `${label} → <b>${predicted}</b><small>${Math.round(100 * confidence)} % sure</small>`;
    const alt = `test image ${index}, a ${label} taken for a ${predicted}`;
    return `<figure><img src="${uri}" alt="${alt}"><figcaption>${caption}</figcaption></figure>`;
  });
  const all = `${formatCount(mistakes.length)} of ${formatCount(images.shape[0])} test images are misclassified`;
  const part = shown.length < mistakes.length ? `; these ${shown.length} with the most confidence` : "";
  const note = `<p class="note">${all}${part}. True → predicted.</p>`;
  return section("Mistakes", `${note}<div class="mistakes">${figures.join("")}</div>`);
}

function epochTable({ record }: TrainSession): string {
  const head = ["epoch", "train loss", "test loss", "test accuracy", "seconds", "samples/s"];
  const rows = record.history.map((metrics) => [
    String(metrics.epoch),
    metrics.trainLoss.toFixed(4),
    metrics.testLoss.toFixed(4),
    formatPercent(metrics.testAccuracy),
    metrics.seconds.toFixed(2),
    formatCount(metrics.samplesPerSecond),
  ]);
  return table(head, rows);
}

function configuration({ config }: TrainSession): string {
  const rows = Object.entries(FLAGS).map(([key, flag]): [string, string] => {
    const value = config[key as keyof typeof FLAGS];
    return [flag, value === null ? "all" : String(value)];
  });
  return facts(rows);
}

function machine(): string {
  const info = machineInfo();
  return facts([
    ["executor", describeExecutor(info)],
    ["processor", info.cpu],
    ["cores", String(info.cores)],
    ["compiler", info.compiler ?? "none"],
    ["node", `${info.node}, ${info.platform}`],
    ["thalweg", `${info.version}, kernel table ${info.kernelTable}`],
  ]);
}
