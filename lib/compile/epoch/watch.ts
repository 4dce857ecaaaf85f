/** Progress reports of a run in the background, and what stops it. */
import { STOP } from "../../runtime/loaded.js";
import { type EpochProgress, type Options, PROGRESS_MS } from "./options.js";

/** Reports on a run, and stops it where the signal or the callback says so. */
export class Watch {
  private readonly options: Options;
  private readonly control: Int32Array;
  private readonly progress: () => EpochProgress;
  private failure: { error: unknown; isAbort: boolean } | undefined;
  /** Settles when all promises that callbacks have returned so far are; never rejects. */
  private pending: Promise<unknown> = Promise.resolve();

  constructor(options: Options, control: Int32Array, progress: () => EpochProgress) {
    this.options = options;
    this.control = control;
    this.progress = progress;
  }

  async during<R>(run: Promise<R>): Promise<R> {
    const { signal, onProgress } = this.options;
    const stop = (): void => this.stop(signal?.reason, true);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const timer = onProgress === undefined ? undefined : setInterval(() => this.report(), PROGRESS_MS);
    try {
      return await run;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Calls the callback; what it throws, or its promise is rejected with, stops the run. */
  report(): void {
    try {
      const result: unknown = this.options.onProgress?.(this.progress());
      if (!(result instanceof Promise)) return;
      const watched = result.catch((error: unknown) => this.stop(error, false));
      this.pending = Promise.all([this.pending, watched]);
    } catch (error) {
      this.stop(error, false);
    }
  }

  /** Waits for callbacks that are asynchronous. */
  async settle(): Promise<void> {
    await this.pending;
  }

  throwIfStopped(completed: number): void {
    if (this.failure === undefined) return;
    if (this.failure.isAbort && this.options.partial && completed > 0) return;
    throw this.failure.error;
  }

  private stop(error: unknown, isAbort: boolean): void {
    this.failure ??= { error, isAbort };
    Atomics.store(this.control, STOP, 1);
  }
}
