/** Ctrl-C and SIGTERM while a run is under way: a request to stop after the step, then, if repeated, an exit at once. */
import { constants } from "node:os";
import { EXIT_SIGNAL } from "../problems.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
type StopSignal = (typeof SIGNALS)[number];

/** Catches the signals until it is disposed. */
export class Interrupt {
  /** The signal that came, or null. */
  signal: StopSignal | null = null;
  private readonly controller = new AbortController();

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** Aborted when the signal comes. */
  get aborted(): AbortSignal {
    return this.controller.signal;
  }

  /** What the process should exit with. */
  get exitCode(): number {
    return this.signal === null ? 0 : exitCodeOf(this.signal);
  }

  /** Lets the signals end the process again. */
  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private onSignal = (signal: StopSignal): void => {
    if (this.signal !== null) process.exit(exitCodeOf(signal));
    this.signal = signal;
    this.controller.abort();
  };
}

const exitCodeOf = (signal: StopSignal): number => EXIT_SIGNAL + constants.signals[signal];
