/**
 * What an operation is. One definition holds the shape rule and kernel (`forward`) and the derivative; the list of
 * all definitions drives the generic tests.
 */
import { GraphNode } from "../autograd/graph.js";
import { isAnomalyDetected, isGradEnabled } from "../autograd/mode.js";
import { currentScope } from "../autograd/scope.js";
import { Tensor } from "../autograd/tensor.js";
import { AnomalyError, type AnomalyPlace, DTypeError } from "../errors.js";
import { isFloat } from "../ndarray/dtype.js";
import { NDArray } from "../ndarray/ndarray.js";
import { formatShape } from "../ndarray/shape.js";
import { recorder } from "../runtime/recorder.js";

/** What a derivative may use. */
export interface DerivativeContext<Options> {
  readonly inputs: readonly Tensor[];
  /** The outputs, the differentiable one first. */
  readonly outputs: readonly Tensor[];
  readonly options: Options;
}

/**
 * The gradient of each input, given that of the first output: one function per input, called only where it is
 * needed; null where the input has no derivative (labels, indices, masks). A gradient may have the broadcast shape;
 * it is summed down to the input's shape centrally.
 */
export type Derivative<Options> = (
  grad: Tensor,
  context: DerivativeContext<Options>,
) => readonly ((() => Tensor) | null)[];

interface Common<Options> {
  readonly name: string;
  /** Checks shapes and dtypes, runs kernels, returns the outputs; only the first one has a derivative. */
  readonly forward: (inputs: readonly NDArray[], options: Options) => NDArray | readonly NDArray[];
}

/** Its derivative is written in operations and can be differentiated again. */
interface Primitive<Options> extends Common<Options> {
  readonly derivative: Derivative<Options>;
}

/**
 * A composition of other operations computed at once. The derivative, if given, may use kernels that have no
 * derivative themselves: where derivatives of derivatives are asked for, `decompose` is differentiated instead.
 */
interface Fused<Options> extends Common<Options> {
  readonly derivative?: Derivative<Options>;
  readonly decompose: (inputs: readonly Tensor[], options: Options) => Tensor;
}

/** Piecewise constant, or not on floats: comparisons, argmax, rounding. */
interface Constant<Options> extends Common<Options> {
  readonly derivative: "none";
}

/** The definition of an operation; one that says nothing of its derivative is a type error. */
export type Definition<Options> = Primitive<Options> | Fused<Options> | Constant<Options>;

/** A definition as the graph sees it, whatever its options are. */
export interface Operation {
  readonly name: string;
  readonly derivative?: Derivative<object> | "none";
  readonly decompose?: (inputs: readonly Tensor[], options: object) => Tensor;
}

const defined = new Map<string, Operation>();

/** Every operation by name. */
export const operations: ReadonlyMap<string, Operation> = defined;

/** An operation with one output. */
export type Apply<Options> = (inputs: readonly Tensor[], options: Options) => Tensor;

/** Defines an operation and returns the function that applies it. */
export function defineOperation<Options extends object = Record<string, never>>(
  definition: Definition<Options>,
): Apply<Options> {
  const applyAll = defineMultiOutput(definition);
  return (inputs, options) => applyAll(inputs, options)[0];
}

/** The same for an operation that has auxiliary outputs beside its differentiable first one. */
export function defineMultiOutput<Options extends object = Record<string, never>>(
  definition: Definition<Options>,
): (inputs: readonly Tensor[], options: Options) => readonly Tensor[] {
  // The graph hands an operation the options it was recorded with, so the erased type is safe.
  const operation = definition as unknown as Operation;
  defined.set(operation.name, operation);
  const differentiable = operation.derivative !== "none";
  const { forward } = definition;
  return (inputs, options) => {
    const arrays: NDArray[] = [];
    let isRecorded = false;
    for (let i = 0; i < inputs.length; i++) {
      arrays.push(inputs[i].array);
      isRecorded ||= inputs[i].requiresGrad;
    }
    const trace = recorder();
    trace?.noteInputs(inputs);
    const result =
      trace === null
        ? forward(arrays, options)
        : trace.within(operation.name, () => forward(arrays, options));
    const outputs =
      result instanceof NDArray ? [new Tensor(result)] : result.map((array) => new Tensor(array));
    if (isAnomalyDetected()) {
      const place = { operation: operation.name, phase: "forward", layer: currentScope() } as const;
      checkForNaN(`${operation.name} (forward)`, outputs[0], inputs, place);
    }
    if (isRecorded && differentiable && isGradEnabled() && isFloat(outputs[0].dtype)) {
      outputs[0].node = new GraphNode(operation, inputs, outputs, options);
    }
    return outputs;
  };
}

/** Throws an AnomalyError if `result` holds a NaN and none of what it was made from does. */
export function checkForNaN(
  what: string,
  result: Tensor,
  sources: readonly Tensor[],
  place: AnomalyPlace,
): void {
  const bad = countNaN(result);
  if (bad === 0 || sources.some((source) => countNaN(source) > 0)) return;
  const where = place.layer ? `${what} in layer ${place.layer}` : what;
  throw new AnomalyError(
    `${where} produced NaN in ${bad} of ${result.size} elements of its result, shape ${formatShape(result.shape)}, ` +
      `from inputs without NaN of shapes ${sources.map((source) => formatShape(source.shape)).join(", ")}`,
    place,
  );
}

function countNaN(tensor: Tensor): number {
  if (!isFloat(tensor.dtype)) return 0;
  let count = 0;
  for (const value of tensor.data as Float32Array | Float64Array) if (Number.isNaN(value)) count++;
  return count;
}

/** Throws a DTypeError unless every array has one floating dtype. */
export function checkSameFloat(operation: string, arrays: readonly NDArray[]): void {
  const [first] = arrays;
  if (isFloat(first.dtype) && arrays.every((array) => array.dtype === first.dtype)) return;
  throw new DTypeError(
    `${operation}: got dtypes ${arrays.map((array) => array.dtype).join(", ")}; needs one floating dtype for all`,
  );
}
