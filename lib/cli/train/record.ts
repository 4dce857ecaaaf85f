/** What a run has measured so far. Its state is plain data, so that a resumed run goes on counting. */

/** One finished epoch: a line of metrics.jsonl. */
export interface EpochMetrics {
  /** From 1. */
  epoch: number;
  /** Steps taken since the beginning of the run. */
  steps: number;
  /** Mean over the epoch's training images, each with the weights of its step. */
  trainLoss: number;
  testLoss: number;
  /** Share of the test images that are classified correctly, in [0, 1]. */
  testAccuracy: number;
  /** Time spent on training steps. */
  seconds: number;
  /** Training images per second. */
  samplesPerSecond: number;
}

/** A point of the training curve: the mean loss of the steps up to `epoch` since the point before. */
export interface CurvePoint {
  /** With a fractional part: 1.5 is the middle of the second epoch. */
  epoch: number;
  loss: number;
}

/** A sum under way. */
interface Running {
  loss: number;
  samples: number;
}

/** Everything that a record holds. */
export interface RecordState {
  steps: number;
  history: EpochMetrics[];
  curve: CurvePoint[];
  epoch: Running & { steps: number; seconds: number };
  window: Running;
}

const POINTS_PER_EPOCH = 20;
const empty = (): Running => ({ loss: 0, samples: 0 });

/** Losses, accuracies and times of a run. */
export class RunRecord {
  readonly stepsPerEpoch: number;
  private state: RecordState = {
    steps: 0,
    history: [],
    curve: [],
    epoch: { ...empty(), steps: 0, seconds: 0 },
    window: empty(),
  };

  constructor(stepsPerEpoch: number) {
    this.stepsPerEpoch = stepsPerEpoch;
  }

  /** Steps taken since the beginning of the run. */
  get steps(): number {
    return this.state.steps;
  }

  /** Whether the current epoch has all its steps and waits for its test. */
  get isEpochTrained(): boolean {
    return this.state.epoch.steps === this.stepsPerEpoch;
  }

  /** Steps taken in the current epoch. */
  get epochSteps(): number {
    return this.state.epoch.steps;
  }

  /** The finished epochs. */
  get history(): readonly EpochMetrics[] {
    return this.state.history;
  }

  /** The training loss within epochs. */
  get curve(): readonly CurvePoint[] {
    return this.state.curve;
  }

  /** Mean training loss of the current epoch so far, and its speed. */
  get current(): { loss: number; samplesPerSecond: number } {
    const { loss, samples, seconds } = this.state.epoch;
    return { loss: loss / samples, samplesPerSecond: samples / Math.max(seconds, 1e-9) };
  }

  /** Counts a step with the mean loss of its samples. */
  addStep(loss: number, samples: number, seconds: number): void {
    const { epoch, window, curve, history } = this.state;
    this.state.steps++;
    epoch.steps++;
    epoch.seconds += seconds;
    for (const sum of [epoch, window]) {
      sum.loss += loss * samples;
      sum.samples += samples;
    }
    const every = Math.max(1, Math.floor(this.stepsPerEpoch / POINTS_PER_EPOCH));
    if (epoch.steps % every === 0 || this.isEpochTrained) {
      curve.push({
        epoch: history.length + epoch.steps / this.stepsPerEpoch,
        loss: window.loss / window.samples,
      });
      this.state.window = empty();
    }
  }

  /** Ends the epoch with its result on the test images. */
  endEpoch(test: { loss: number; accuracy: number }): EpochMetrics {
    const { epoch, history, steps } = this.state;
    const { loss, samplesPerSecond } = this.current;
    const metrics = {
      epoch: history.length + 1,
      steps,
      trainLoss: loss,
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      seconds: epoch.seconds,
      samplesPerSecond,
    };
    history.push(metrics);
    this.state.epoch = { ...empty(), steps: 0, seconds: 0 };
    return metrics;
  }

  /** For a checkpoint. */
  getState(): RecordState {
    return structuredClone(this.state);
  }

  /** Goes on from a checkpoint. */
  setState(state: RecordState): void {
    this.state = structuredClone(state);
  }
}
