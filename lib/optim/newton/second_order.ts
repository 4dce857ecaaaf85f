/**
 * What Newton's methods share: one group of parameters, a loss that they differentiate themselves, all of it evaluated
 * before anything changes. They are no subclasses of Optimizer, whose rules work element by element in kernels.
 */
import { type HessianOperator, hessianOperator } from "../../autograd/hessian_operator.js";
import { noGrad } from "../../autograd/mode.js";
import { describe } from "../../describe.js";
import { ArgumentError, GradientError } from "../../errors.js";
import { describeResult } from "../../ops/operands.js";
import { listOf, withDefaults } from "../../options.js";
import { recorder } from "../../runtime/recorder.js";
import { Tensor } from "../../tensor.js";
import type { CommonOptions, ParamGroup } from "../optimizer.js";
import { loadOptimizer, type OptimizerStateDict, saveOptimizer } from "../state_dict.js";
import { flatten, unflatten } from "./vectors.js";

/** A loss and its derivatives at the parameters as they stand. */
export interface Point {
  loss: number;
  parameters: Float64Array;
  gradient: Float64Array;
  hessian: HessianOperator;
}

/** Base class of the methods that use second derivatives. */
export abstract class SecondOrderOptimizer<Options extends CommonOptions> {
  /** The one group: second derivatives tie all parameters together. Schedulers change its `lr`. */
  readonly paramGroups: readonly [ParamGroup<Options>];
  readonly defaults: Readonly<Options>;

  constructor(params: Iterable<Tensor>, options: Partial<Options>, defaults: Options) {
    this.defaults = withDefaults(this.name, options, defaults);
    this.checkOptions(this.defaults);
    const list = listOf(this.name, "params", params, "tensors");
    if (list.length === 0)
      throw new ArgumentError(`${this.name}: params is empty; there is nothing to optimize`);
    list.forEach((parameter, i) => {
      checkParameter(`${this.name}: params[${i}]`, parameter);
      if (list.indexOf(parameter) !== i) throw new ArgumentError(`${this.name}: params[${i}] occurs twice`);
    });
    this.paramGroups = [{ ...this.defaults, params: list }];
  }

  /** The rule's name in messages. */
  get name(): string {
    return this.constructor.name;
  }

  /** Throws an ArgumentError for options outside their range. */
  protected abstract checkOptions(options: Options): void;

  /** Moves the parameters from a point; `lossAt` evaluates the loss again, once they have moved. */
  protected abstract move(point: Point, group: ParamGroup<Options>, closure: () => Tensor): void;

  /**
   * Updates the parameters once. `closure` evaluates the loss from the parameters as they are and returns it, one
   * element, without calling `backward()`; it may be called several times and must then give the same (no dropout).
   * No `grad` is read or written. Returns the loss before the update, detached.
   *
   * Errors: ArgumentError for what is no closure and for options outside their range; GradientError for a loss that
   * cannot be differentiated, and for a loss or a gradient that is not finite. Then nothing was updated.
   */
  step(closure: () => Tensor): Tensor {
    recorder()?.refuse(`${this.name}.step`, "call it outside of compiled functions: it decides by values");
    if (typeof closure !== "function") {
      throw new ArgumentError(
        `${this.name}.step: needs a closure that returns the loss, got ${describe(closure)}`,
      );
    }
    const [group] = this.paramGroups;
    this.checkOptions(group);
    const hessian = hessianOperator(() => this.checkLoss(closure()), group.params, `${this.name}.step`);
    const point: Point = {
      loss: hessian.value.item(),
      parameters: flatten(group.params),
      gradient: flatten(hessian.gradient),
      hessian,
    };
    if (!Number.isFinite(point.loss) || !point.gradient.every(Number.isFinite)) {
      throw new GradientError(
        `${this.name}.step: the loss is ${point.loss} and ${point.gradient.filter((g) => !Number.isFinite(g)).length} of ` +
          `${point.gradient.length} elements of its gradient are not finite; nothing was updated`,
      );
    }
    this.move(point, group, closure);
    return hessian.value;
  }

  /** Forgets the gradients of all parameters, which this optimizer does not use. */
  zeroGrad(): void {
    for (const parameter of this.paramGroups[0].params) parameter.zeroGrad();
  }

  /** The options as plain data; these rules keep no state between steps. */
  stateDict(): OptimizerStateDict {
    return saveOptimizer(this.paramGroups, new Map());
  }

  /** Takes over the options. StateError that lists all that does not fit; then nothing has changed. */
  loadStateDict(stateDict: OptimizerStateDict): void {
    const { options } = loadOptimizer(`${this.name}.loadStateDict`, stateDict, this.paramGroups, {
      checkOptions: (candidate) => this.checkOptions(candidate),
      newState: () => null,
    });
    Object.assign(this.paramGroups[0], options[0]);
  }

  /** The loss at the parameters as they are, not recorded. */
  protected lossNow(closure: () => Tensor): number {
    return noGrad(() => this.checkValue(closure()).item());
  }

  /** The Hessian at a point times v. GradientError where that is not finite; the parameters have not moved. */
  protected product({ hessian }: Point, v: Float64Array): Float64Array {
    const product = flatten(hessian.multiply(unflatten(v, this.paramGroups[0].params)));
    if (product.every(Number.isFinite)) return product;
    throw new GradientError(
      `${this.name}.step: the second derivatives of the loss are not finite here; nothing was updated`,
    );
  }

  private checkValue(loss: unknown): Tensor {
    if (!(loss instanceof Tensor) || loss.size !== 1) {
      throw new ArgumentError(
        `${this.name}.step: the closure must return the loss, one element, got ${describeResult(loss)}`,
      );
    }
    return loss;
  }

  private checkLoss(value: unknown): Tensor {
    const loss = this.checkValue(value);
    if (!loss.requiresGrad) {
      throw new GradientError(`${this.name}.step: the loss depends on nothing that requires a gradient`);
    }
    if (isReleased(loss)) {
      throw new GradientError(
        `${this.name}.step: the closure called backward(); it must only return the loss, which is differentiated twice here`,
      );
    }
    return loss;
  }
}

function isReleased({ node }: Tensor): boolean {
  try {
    return node !== null && node.inputs === undefined;
  } catch (error) {
    if (error instanceof GradientError) return true;
    throw error;
  }
}

function checkParameter(where: string, parameter: unknown): void {
  if (!(parameter instanceof Tensor)) {
    throw new ArgumentError(`${where} must be a Tensor, got ${describe(parameter)}`);
  }
  if (!parameter.isLeaf || !parameter.requiresGrad) {
    throw new ArgumentError(`${where} must be a leaf that requires a gradient`);
  }
}
