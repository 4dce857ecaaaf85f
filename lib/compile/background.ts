/** Runs in the background: what they use cannot be touched meanwhile, and those that share memory run in turn. */
import { BusyError } from "../errors.js";
import type { Obstacle, Storage } from "../runtime/storage.js";

/** Runs that have been asked for and have not ended, in that order. */
const runs: BackgroundRun[] = [];

/** One run and the memory it uses. */
export class BackgroundRun implements Obstacle {
  private readonly storages: Set<Storage>;
  private readonly written: ReadonlySet<Storage>;
  readonly ended: Promise<void>;
  private end: () => void = () => undefined;

  private constructor(used: Iterable<Storage>, written: Iterable<Storage>) {
    this.storages = new Set(used);
    this.written = new Set(written);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /**
   * Calls `body` once no earlier run uses memory that this one writes, nor writes any that it uses; at once if there is
   * none. Until it has ended, nobody may touch what the run uses.
   */
  static async around<R>(
    used: Iterable<Storage>,
    written: Iterable<Storage>,
    body: () => Promise<R>,
  ): Promise<R> {
    const run = new BackgroundRun(used, written);
    for (const storage of run.storages) storage.pin();
    const earlier = runs.filter((other) => other.conflictsWith(run));
    runs.push(run);
    for (const storage of run.storages) storage.obstacle ??= run;
    try {
      if (earlier.length > 0) await Promise.all(earlier.map((other) => other.ended));
      return await body();
    } finally {
      runs.splice(runs.indexOf(run), 1);
      for (const storage of run.storages) {
        if (storage.obstacle === run)
          storage.obstacle = runs.find(({ storages }) => storages.has(storage)) ?? null;
      }
      run.end();
    }
  }

  error(): Error {
    return new BusyError(
      "a compiled step in the background is using this tensor; await the step before you touch its parameters and arguments",
    );
  }

  private conflictsWith(other: BackgroundRun): boolean {
    for (const storage of this.written) if (other.storages.has(storage)) return true;
    for (const storage of other.written) if (this.storages.has(storage)) return true;
    return false;
  }
}

/** Throws a BusyError if a run in the background uses any of the memory. */
export function checkFree(storages: readonly Storage[]): void {
  if (runs.length === 0) return;
  for (const { obstacle } of storages) if (obstacle !== null) throw obstacle.error();
}
