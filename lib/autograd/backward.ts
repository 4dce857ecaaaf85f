/**
 * Walks the graph backward: reverse mode. Un-broadcasting and the sum over several uses of a tensor happen here and
 * nowhere else. No recursion, so that a chain of any length can be differentiated.
 */
import { DTypeError, GradientError, ShapeError } from "../errors.js";
import { full } from "../ndarray/creation.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import type { Storage } from "../ndarray/storage.js";
import { add } from "../ops/arithmetic.js";
import { checkForNaN } from "../ops/define.js";
import { sumTo } from "../ops/reduce.js";
import { clone } from "../ops/shape.js";
import { withDefaults } from "../options.js";
import { recorder } from "../runtime/recorder.js";
import type { GraphNode } from "./graph.js";
import { enableGrad, isAnomalyDetected, noGrad, unwatched } from "./mode.js";
import { Tensor } from "./tensor.js";

/** How far and how a walk goes. */
interface Walk {
  /** Record the walk itself, so that its results can be differentiated. */
  createGraph: boolean;
  /** Keep what the graph saved. */
  retainGraph: boolean;
  /** Receives the gradient of each tensor whose gradient is complete, before the walk goes past it. */
  visit: (tensor: Tensor, grad: Tensor) => void;
  /** Whether the walk must not go past this tensor. */
  stopAt?: (tensor: Tensor) => boolean;
}

/** Options of `Tensor.backward`. */
export interface BackwardOptions {
  /** ∂(what is minimized)/∂this, of this tensor's shape; may be left out for a tensor with one element. */
  gradient?: Tensor;
  /** Record the backward pass, so that the gradients can be differentiated again. Implies `retainGraph`. */
  createGraph?: boolean;
  /** Keep the graph, so that `backward` can be called again. */
  retainGraph?: boolean;
}

/**
 * Accumulates ∂root/∂leaf into the `grad` of every leaf that requires it, then releases the graph.
 * GradientError if the root depends on no such leaf, or if the graph was released before.
 */
export function backward(root: Tensor, options: BackwardOptions = {}): void {
  const known: BackwardOptions = { gradient: undefined, createGraph: undefined, retainGraph: undefined };
  const {
    gradient,
    createGraph = false,
    retainGraph = createGraph,
  } = withDefaults("backward", options, known);
  if (!root.requiresGrad) {
    throw new GradientError("backward: this tensor depends on nothing that requires a gradient");
  }
  const seed = seedGradient("backward", root, gradient);
  // A gradient that reaches several tensors unchanged, or that the caller gave, is one array: each `grad` needs its
  // own, compact, or writing into one would change another.
  const taken = new Set<Storage>([seed.array.storage]);
  const visit = (tensor: Tensor, grad: Tensor): void => {
    if (!tensor.storesGrad) return;
    const { storage, isContiguous } = grad.array;
    if (tensor.grad !== null) tensor.grad = add(tensor.grad, grad);
    else tensor.grad = taken.has(storage) || !isContiguous ? clone(grad) : grad;
    taken.add(storage);
  };
  walk([[root, seed]], { createGraph, retainGraph, visit });
}

/** Options of `grad`. */
export interface GradOptions {
  /** ∂/∂output for each output; ones for outputs with one element if left out. */
  gradOutputs?: readonly Tensor[];
  /** Record the backward pass. Implies `retainGraph`. */
  createGraph?: boolean;
  retainGraph?: boolean;
}

/**
 * Σ over outputs of ∂output/∂input for each input, without touching any `grad`. An input that the outputs do not
 * depend on gets zeros.
 */
export function gradientsOf(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions = {},
): Tensor[] {
  const { gradOutputs, createGraph = false, retainGraph = createGraph } = options;
  const seeds = outputs
    .map((output, i): [Tensor, Tensor] => [output, seedGradient("grad", output, gradOutputs?.[i])])
    .filter(([output]) => output.requiresGrad);
  return collect(seeds, inputs, { createGraph, retainGraph });
}

function collect(
  seeds: readonly [Tensor, Tensor][],
  inputs: readonly Tensor[],
  how: Pick<Walk, "createGraph" | "retainGraph" | "stopAt">,
): Tensor[] {
  const found = new Map<Tensor, Tensor | null>(inputs.map((input) => [input, null]));
  const visit = (tensor: Tensor, grad: Tensor): void => {
    if (found.has(tensor)) found.set(tensor, grad);
  };
  walk(seeds, { ...how, visit });
  return inputs.map((input) => found.get(input) ?? new Tensor(full(input.shape, 0, { dtype: input.dtype })));
}

function seedGradient(operation: string, output: Tensor, gradient: Tensor | undefined): Tensor {
  if (gradient === undefined) {
    if (output.size === 1) return new Tensor(full(output.shape, 1, { dtype: output.dtype }));
    throw new GradientError(
      `${operation}: the tensor has shape ${formatShape(output.shape)}; a gradient can be left out only for one element`,
    );
  }
  if (!(gradient instanceof Tensor) || !sameShape(gradient.shape, output.shape)) {
    const got = gradient instanceof Tensor ? formatShape(gradient.shape) : typeof gradient;
    throw new ShapeError(
      `${operation}: the gradient is ${got}, the tensor ${formatShape(output.shape)}; they must have equal shapes`,
    );
  }
  if (gradient.dtype !== output.dtype) {
    throw new DTypeError(
      `${operation}: the gradient is ${gradient.dtype}, the tensor ${output.dtype}; they must have one dtype`,
    );
  }
  return gradient;
}

function walk(seeds: readonly [Tensor, Tensor][], how: Walk): void {
  const mode = how.createGraph ? enableGrad : noGrad;
  mode(() => {
    const grads = new Map<Tensor, Tensor>();
    const accumulate = (tensor: Tensor, grad: Tensor): void => {
      const sum = grads.get(tensor);
      grads.set(tensor, sum === undefined ? grad : add(sum, grad));
    };
    for (const [tensor, grad] of seeds) accumulate(tensor, grad);
    const nodes = reachable(
      seeds.map(([tensor]) => tensor),
      how.stopAt,
    );
    for (const node of nodes) {
      const [output] = node.outputs;
      const grad = grads.get(output);
      if (grad === undefined) continue;
      grads.delete(output);
      how.visit(output, grad);
      if (how.stopAt?.(output)) continue;
      differentiate(node, grad, how.createGraph, accumulate);
      if (!how.retainGraph) node.release();
    }
    // What is left are leaves and tensors at which the walk stopped.
    for (const [tensor, grad] of grads) how.visit(tensor, grad);
  });
}

/** The nodes that the tensors were made by, directly or not, latest first. */
function reachable(roots: readonly Tensor[], stopAt: Walk["stopAt"]): GraphNode[] {
  const seen = new Set<GraphNode>();
  const stack = [...roots];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    const { node } = tensor;
    if (node === null || seen.has(node) || stopAt?.(tensor)) continue;
    seen.add(node);
    for (const input of node.inputs) if (input.node !== null) stack.push(input);
  }
  return [...seen].sort((a, b) => b.sequence - a.sequence);
}

/** Hands the gradient of a node's output on to its inputs. */
function differentiate(
  node: GraphNode,
  grad: Tensor,
  createGraph: boolean,
  accumulate: (tensor: Tensor, grad: Tensor) => void,
): void {
  node.checkVersions();
  const { operation, inputs, outputs, options } = node;
  const rule = operation.derivative;
  if (operation.decompose !== undefined && (createGraph || rule === undefined)) {
    const decomposed = differentiateDecomposition(operation.decompose, inputs, options, grad, createGraph);
    decomposed.forEach(([input, inputGrad]) => {
      accumulate(input, inputGrad);
    });
    return;
  }
  if (rule === undefined || rule === "none") return;
  const thunks = rule(grad, { inputs, outputs, options });
  const isWatched = isAnomalyDetected();
  const trace = recorder();
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i];
    const thunk = thunks[i];
    if (!input.requiresGrad || thunk === null || thunk === undefined) continue;
    const inputGrad = isWatched
      ? unwatched(thunk)
      : trace === null
        ? thunk()
        : trace.within(`${operation.name} backward`, thunk);
    if (isWatched) {
      const place = { operation: operation.name, phase: "backward", layer: node.scope } as const;
      checkForNaN(`${operation.name} (backward, input ${i})`, inputGrad, [grad], place);
    }
    accumulate(input, sumTo(inputGrad, input.shape));
  }
}

/** The gradients of a fused operation by way of the operations it is a composition of. */
function differentiateDecomposition(
  decompose: (inputs: readonly Tensor[], options: object) => Tensor,
  inputs: readonly Tensor[],
  options: object,
  grad: Tensor,
  createGraph: boolean,
): [Tensor, Tensor][] {
  // When this walk is not recorded itself, fresh leaves keep the decomposition apart from the graph around it.
  const sources = createGraph
    ? inputs
    : inputs.map((input) => new Tensor(input.array, { requiresGrad: input.requiresGrad }));
  const output = enableGrad(() => decompose(sources, options));
  const wanted = inputs.map((_, i) => i).filter((i) => inputs[i].requiresGrad);
  const ends = new Set(sources);
  const grads = collect([[output, grad]], [...new Set(wanted.map((i) => sources[i]))], {
    createGraph,
    retainGraph: createGraph,
    stopAt: (tensor) => ends.has(tensor),
  });
  const unique = [...new Set(wanted.map((i) => sources[i]))];
  return unique.map((source, k): [Tensor, Tensor] => [inputs[sources.indexOf(source)], grads[k]]);
}
