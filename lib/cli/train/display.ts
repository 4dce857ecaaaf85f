/** What a run shows while it goes on: a progress bar per epoch on a terminal, and a line per epoch everywhere. */
import type { WriteStream } from "node:tty";
import { SingleBar } from "cli-progress";
import { formatCount, formatPercent } from "./format.js";
import type { EpochMetrics, RunRecord } from "./record.js";
import type { Observer } from "./session.js";

const BAR_FORMAT = "epoch {epoch} {bar} {percentage}%  loss {loss}  {speed} samples/s  {eta_formatted}";
const MS_PER_FRAME = 50;

/** Writes lines to a stream, with a progress bar below them while an epoch runs. */
export class Display implements Observer {
  private readonly stream: WriteStream;
  private readonly record: RunRecord;
  private readonly epochs: number;
  private readonly bar: SingleBar | null;
  private lastFrame = 0;

  /** A bar is drawn where the stream is a terminal. */
  constructor(stream: WriteStream, record: RunRecord, epochs: number) {
    this.stream = stream;
    this.record = record;
    this.epochs = epochs;
    // The run handles signals itself, and draws often enough not to need a timer between steps.
    this.bar = stream.isTTY
      ? new SingleBar({
          stream,
          format: BAR_FORMAT,
          barsize: 24,
          barCompleteChar: "█",
          barIncompleteChar: "░",
          clearOnComplete: true,
          hideCursor: true,
          gracefulExit: false,
          etaBuffer: 50,
        })
      : null;
  }

  /** Writes a line. */
  line(text: string): void {
    this.stream.write(`${text}\n`);
  }

  beginEpoch(epoch: number): void {
    const { stepsPerEpoch, epochSteps } = this.record;
    this.bar?.start(stepsPerEpoch, epochSteps, { epoch: `${epoch}/${this.epochs}`, loss: "–", speed: "–" });
  }

  step(epochSteps: number, { loss, samplesPerSecond }: { loss: number; samplesPerSecond: number }): void {
    if (this.bar === null) return;
    const now = performance.now();
    if (now - this.lastFrame < MS_PER_FRAME) return;
    this.lastFrame = now;
    this.bar.update(epochSteps, { loss: loss.toFixed(4), speed: formatCount(samplesPerSecond) });
  }

  endEpoch(metrics: EpochMetrics): void {
    this.stop();
    const { epoch, trainLoss, testLoss, testAccuracy, seconds, samplesPerSecond } = metrics;
    this.line(
      [
        `epoch ${String(epoch).padStart(String(this.epochs).length)}/${this.epochs}`,
        `train loss ${trainLoss.toFixed(4)}`,
        `test loss ${testLoss.toFixed(4)}`,
        `test accuracy ${formatPercent(testAccuracy)}`,
        `${seconds.toFixed(2)} s`,
        `${formatCount(samplesPerSecond)} samples/s`,
      ].join("   "),
    );
  }

  /** Takes the bar away; needed after an epoch that did not end. */
  stop(): void {
    this.bar?.stop();
  }
}
