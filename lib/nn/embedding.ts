/** A table of vectors that are learnt. */
import { noGrad } from "../autograd/mode.js";
import * as init from "../init/index.js";
import type { DType } from "../ndarray/dtype.js";
import { checkNumber, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import { type Tensor, tensor, zeros } from "../tensor.js";
import { embedding, resolvePadding } from "./functional/embedding.js";
import { checkInput } from "./input.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options of `Embedding`. */
export interface EmbeddingModuleOptions {
  /** The row that is zero at first and gets no gradient; negative counts from the end. */
  paddingIdx?: number | null;
  /** float32 (default) or float64. */
  dtype?: DType;
  /** Where the initial values come from; the default generator if left out. */
  generator?: Generator;
}

/** Row i of `weight` [numEmbeddings, embeddingDim] for each integer i of the input. Initially standard normal. */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingModuleOptions = {}) {
    super();
    const { paddingIdx, dtype, generator } = withDefaults<EmbeddingModuleOptions>("Embedding", options, {
      paddingIdx: null,
      dtype: "float32",
      generator: undefined,
    });
    this.numEmbeddings = checkNumber("Embedding", "numEmbeddings", numEmbeddings, POSITIVE_INTEGER);
    this.embeddingDim = checkNumber("Embedding", "embeddingDim", embeddingDim, POSITIVE_INTEGER);
    this.paddingIdx = resolvePadding("Embedding", paddingIdx, numEmbeddings);
    this.weight = new Parameter(zeros([numEmbeddings, embeddingDim], { dtype }));
    this.resetParameters(checkGenerator("Embedding", generator));
  }

  /** Draws the table anew; the padding row is zero. */
  resetParameters(generator?: Generator): void {
    init.normal(this.weight, { generator });
    const { paddingIdx, weight } = this;
    if (paddingIdx === null) return;
    noGrad(() => weight.assign(weight.sliceScatter(tensor(0), paddingIdx)));
  }

  override forward(indices: Tensor): Tensor {
    return embedding(checkInput(this, indices), this.weight, { paddingIdx: this.paddingIdx });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}`;
  }
}
