/** What the lab shows while it goes on: a progress bar on a terminal, and a line per study everywhere. */
import type { WriteStream } from "node:tty";
import { SingleBar } from "cli-progress";
import type { Study, StudyResult } from "../../lab/experiment.js";
import type { LabObserver } from "../../lab/run.js";

const BAR_FORMAT = "{number} {bar} {percentage}%  {title}";
const MS_PER_FRAME = 50;
const TICKS = 1000;

/** Writes lines to a stream, with a progress bar over all studies below them. */
export class LabDisplay implements LabObserver {
  private readonly stream: WriteStream;
  private readonly bar: SingleBar | null;
  private done = 0;
  private count = 1;
  private lastFrame = 0;

  /** A bar is drawn where the stream is a terminal. */
  constructor(stream: WriteStream) {
    this.stream = stream;
    this.bar = stream.isTTY
      ? new SingleBar({
          stream,
          format: BAR_FORMAT,
          barsize: 24,
          barCompleteChar: "█",
          barIncompleteChar: "░",
          clearOnComplete: true,
          hideCursor: true,
        })
      : null;
  }

  /** Writes a line. */
  line(text: string): void {
    this.stream.write(`${text}\n`);
  }

  begin({ title }: Study, index: number, count: number): void {
    this.done = index;
    this.count = count;
    this.bar?.start(TICKS, (TICKS * index) / count, { number: `${index + 1}/${count}`, title });
    this.bar?.render();
  }

  progress(share: number): void {
    if (this.bar === null) return;
    const now = performance.now();
    if (now - this.lastFrame < MS_PER_FRAME) return;
    this.lastFrame = now;
    this.bar.update((TICKS * (this.done + share)) / this.count);
    // A study that holds the thread leaves the bar's own timer no turn.
    this.bar.render();
  }

  end({ figure, checks, seconds }: StudyResult, index: number, count: number): void {
    this.stop();
    const met = checks.filter(({ isMet }) => isMet).length;
    const number = `${String(index + 1).padStart(String(count).length)}/${count}`;
    this.line(
      `${number}  ${figure.title.padEnd(46)}  ${met} of ${checks.length} numbers met   ${seconds.toFixed(1)} s`,
    );
  }

  /** Takes the bar away; needed after a study that did not end. */
  stop(): void {
    this.bar?.stop();
  }
}
