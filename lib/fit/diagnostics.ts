/**
 * What a training step can tell about itself for almost nothing: norms of gradients, weights and updates, and which units
 * ReLU has let through. They are results of the traced step, so they ride in its program.
 */
import type { GraphNode } from "../autograd/graph.js";
import { noGrad } from "../autograd/mode.js";
import type { Module } from "../nn/index.js";
import { recorder } from "../runtime/recorder.js";
import { type Tensor, zeros } from "../tensor.js";

/** One parameter in an epoch. */
export interface LayerDiagnostics {
  /** As in the state dict. */
  readonly name: string;
  /** ‖∇‖ before clipping: mean and largest over the steps, and that of the last. */
  readonly gradientNorm: { readonly mean: number; readonly max: number; readonly last: number };
  /** ‖θ‖ before the last step. */
  readonly weightNorm: number;
  /** Σ ‖θ after − θ before‖ / Σ ‖θ before‖ over the steps. */
  readonly updateRatio: number;
}

/** One place at which ReLU is applied. */
export interface ReluDiagnostics {
  /** The layer by its name and class, such as `1 (ReLU)`. */
  readonly layer: string;
  readonly units: number;
  /** The share of units that were 0 for every sample of the epoch. */
  readonly dead: number;
}

/** What an epoch has told. */
export interface Diagnostics {
  readonly layers: readonly LayerDiagnostics[];
  readonly relus: readonly ReluDiagnostics[];
}

/** What a step returns beside its loss: for each parameter a 0-d tensor, or null where it has no gradient. */
export interface StepNorms {
  readonly gradients: readonly (Tensor | null)[];
  readonly weights: readonly (Tensor | null)[];
  readonly updates: readonly (Tensor | null)[];
}

/** Watches the steps of one training. */
export class StepWatch {
  private readonly parameters: readonly (readonly [name: string, parameter: Tensor])[];
  /** For each ReLU and unit, its largest value in the epoch. */
  private readonly largest = new Map<string, Tensor>();

  constructor(model: Module, optimized: readonly Tensor[]) {
    const names = new Map<Tensor, string>(
      [...model.namedParameters()].map(([name, tensor]) => [tensor, name]),
    );
    this.parameters = optimized.map((tensor, i) => [names.get(tensor) ?? `parameter ${i}`, tensor]);
  }

  /** To be called in the step with its loss, before `backward` lets go of the graph. */
  beforeBackward(loss: Tensor): void {
    noGrad(() => {
      for (const [layer, output] of relusOf(loss)) {
        const units = output.detach().max(0);
        let largest = this.largest.get(layer);
        if (largest === undefined) {
          const make = (): Tensor => zeros(units.shape, { dtype: units.dtype });
          largest = recorder()?.outside(make) ?? make();
          this.largest.set(layer, largest);
        }
        largest.assign(largest.maximum(units));
      }
    });
  }

  /** To be called in the step, before clipping and the optimizer's step; returns what is to be called after it. */
  beforeUpdate(): () => StepNorms {
    const gradients = this.parameters.map(([, { grad }]) =>
      grad === null ? null : noGrad(() => grad.norm()),
    );
    const before = this.parameters.map(([, parameter], i) =>
      gradients[i] === null ? null : noGrad(() => parameter.detach().clone()),
    );
    return () =>
      noGrad(() => ({
        gradients,
        weights: before.map((tensor) => tensor?.norm() ?? null),
        updates: before.map((tensor, i) => tensor && this.parameters[i][1].detach().sub(tensor).norm()),
      }));
  }

  /** To be called before each epoch. */
  beginEpoch(): void {
    for (const largest of this.largest.values()) (largest.data as Float32Array).fill(0);
  }

  /** What is kept between steps, for a checkpoint within an epoch. */
  getState(): Record<string, Tensor> {
    return Object.fromEntries(this.largest);
  }

  setState(state: Readonly<Record<string, Tensor>>): void {
    for (const [layer, saved] of Object.entries(state)) {
      const own = this.largest.get(layer);
      if (own === undefined)
        this.largest.set(
          layer,
          noGrad(() => saved.clone()),
        );
      else own.assign(saved);
    }
  }

  /** Sums up the steps of an epoch, whose norms have been joined to [steps]. */
  summarize({ gradients, weights, updates }: StepNorms): Diagnostics {
    const layers = this.parameters.flatMap(([name], i): LayerDiagnostics[] => {
      const [gradient, weight, update] = [gradients[i], weights[i], updates[i]];
      if (gradient === null || weight === null || update === null) return [];
      const values = numbers(gradient);
      const norms = numbers(weight);
      return [
        {
          name,
          gradientNorm: {
            mean: sum(values) / values.length,
            max: values.reduce((a, b) => Math.max(a, b), 0),
            last: values[values.length - 1],
          },
          weightNorm: norms[norms.length - 1],
          updateRatio: sum(numbers(update)) / sum(norms),
        },
      ];
    });
    const relus = [...this.largest].map(([layer, largest]): ReluDiagnostics => {
      const values = numbers(largest);
      return {
        layer,
        units: values.length,
        dead: values.filter((value) => value === 0).length / values.length,
      };
    });
    return { layers, relus };
  }
}

const numbers = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number>);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The outputs of all ReLUs that a tensor was made from, first to last, with their layers; needs layer scopes. */
function relusOf(root: Tensor): [layer: string, output: Tensor][] {
  const seen = new Set<GraphNode>();
  const stack = [root];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    const { node } = tensor;
    if (node === null || seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  const relus = [...seen]
    .filter(({ operation, outputs }) => operation.name === "relu" && outputs[0].ndim > 1)
    .sort((a, b) => a.sequence - b.sequence);
  const counts = new Map<string, number>();
  return relus.map(({ scope, outputs }) => {
    const count = (counts.get(scope) ?? 0) + 1;
    counts.set(scope, count);
    return [count === 1 ? scope : `${scope} #${count}`, outputs[0]];
  });
}
