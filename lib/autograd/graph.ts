/** One recorded operation: what it came from and what its derivative needs. Walking the graph is in backward.ts. */
import { GradientError } from "../errors.js";
import type { Operation } from "../ops/define.js";
import { currentScope } from "./scope.js";
import type { Tensor } from "./tensor.js";

let sequence = 0;

/** A node of the graph of derivatives. */
export class GraphNode {
  /** Nodes are numbered as they are made, so an operation always has a higher number than what it used. */
  readonly sequence = sequence++;
  readonly operation: Operation;
  readonly options: object;
  /** The layer it was made in, where that is told; see scope.ts. */
  readonly scope = currentScope();
  private saved: {
    inputs: readonly Tensor[];
    outputs: readonly Tensor[];
    versions: readonly number[];
  } | null;

  constructor(operation: Operation, inputs: readonly Tensor[], outputs: readonly Tensor[], options: object) {
    this.operation = operation;
    this.options = options;
    const versions: number[] = [];
    for (const input of inputs) versions.push(input.array.storage.version);
    for (const output of outputs) versions.push(output.array.storage.version);
    this.saved = { inputs, outputs, versions };
  }

  /** What the operation used. GradientError once `release()` was called. */
  get inputs(): readonly Tensor[] {
    return this.saved?.inputs ?? this.fail();
  }

  /** What it made. */
  get outputs(): readonly Tensor[] {
    return this.saved?.outputs ?? this.fail();
  }

  /** Throws a GradientError if an input or output was overwritten in place since the operation ran. */
  checkVersions(): void {
    const { inputs, outputs, versions } = this.saved ?? this.fail();
    const count = inputs.length;
    for (let i = 0; i < versions.length; i++) {
      const tensor = i < count ? inputs[i] : outputs[i - count];
      if (tensor.array.storage.version === versions[i]) continue;
      const what = i < count ? `input ${i}` : `output ${i - count}`;
      throw new GradientError(
        `backward: ${what} of ${this.operation.name} was overwritten in place after it was used; ` +
          "call backward() before the optimizer's step, or overwrite a clone",
      );
    }
  }

  /** Lets go of the saved tensors. */
  release(): void {
    this.saved = null;
  }

  private fail(): never {
    throw new GradientError(
      `backward: the graph of ${this.operation.name} was released by an earlier backward(); ` +
        "pass { retainGraph: true } there to go through it again",
    );
  }
}
