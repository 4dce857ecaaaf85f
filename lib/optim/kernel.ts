/** The updates of a step, gathered into programs: one call of the executor, whatever the number of parameters. */
import type { NDArray } from "../ndarray/ndarray.js";
import { executor } from "../runtime/executor.js";
import { type KernelName, kernelId } from "../runtime/table.js";
import type { TypedArray } from "../runtime/types.js";

/** What a rule does to one parameter: a kernel of signature `T[e] -> &T[e], …` over contiguous arrays of one size. */
export interface Update {
  readonly kernel: KernelName;
  /** The arrays that are written, the parameter first. */
  readonly updated: readonly NDArray[];
  readonly scalars: readonly number[];
}

// Buffers of one call: JavaScript passes them as arguments, whose number is limited by its stack.
const MAX_BUFFERS = 4096;

/** Runs updates. Those of one kernel stand together in the program, so that threads share them all. */
export class UpdateProgram {
  private words = new Float64Array(256);
  private buffers: TypedArray[] = [];
  private count = 0;

  /** `gradients[i]`, contiguous, belongs to `updates[i]`. */
  run(updates: readonly Update[], gradients: readonly NDArray[]): void {
    for (const kernel of new Set(updates.map((update) => update.kernel))) {
      updates.forEach((update, i) => {
        if (update.kernel === kernel) this.add(update, gradients[i]);
      });
    }
    this.flush();
    for (const { updated } of updates) for (const { storage } of updated) storage.version++;
  }

  private add({ kernel, updated, scalars }: Update, gradient: NDArray): void {
    const operands = updated.length + 1;
    const length = 2 + 2 * operands + 1 + operands + scalars.length;
    if (this.buffers.length + operands > MAX_BUFFERS) this.flush();
    if (this.count + length > this.words.length) {
      const longer = new Float64Array(2 * (this.count + length));
      longer.set(this.words);
      this.words = longer;
    }
    const { words, buffers } = this;
    let at = this.count;
    words[at++] = kernelId(kernel);
    words[at++] = length;
    for (let i = 0; i < operands; i++) {
      const { storage, offset } = i === 0 ? gradient : updated[i - 1];
      words[at++] = buffers.length;
      words[at++] = offset;
      buffers.push(storage.data);
    }
    words[at++] = gradient.size;
    for (let i = 0; i < operands; i++) words[at++] = 1;
    for (let i = 0; i < scalars.length; i++) words[at++] = scalars[i];
    this.count = at;
  }

  private flush(): void {
    const { count, buffers } = this;
    this.count = 0;
    this.buffers = [];
    if (count > 0) executor().run(this.words, count, buffers);
  }
}
