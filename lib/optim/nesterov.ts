/**
 * Nesterov's accelerated gradient (1983), in three forms. Two of them take the gradient at the look-ahead point itself,
 * for which `step` needs a closure; PyTorch's rewrites the first so that it does with the gradient where it stands.
 */
import { storageOf } from "../ndarray/dtype.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { BELOW_ONE, checkChoice, checkNumber } from "../options.js";
import { recorder } from "../runtime/recorder.js";
import { type Tensor, zeros } from "../tensor.js";
import { checkUsual } from "./checks.js";
import type { Update } from "./kernel.js";
import type { CommonOptions, ParamState, Params } from "./optimizer.js";
import { copyBack, type Target, UpdateRule } from "./rule.js";

const FORMS = ["first", "second", "pytorch"] as const;

/** Options of `Nesterov`. */
export interface NesterovOptions extends CommonOptions {
  /** β, how much of the last step's u is kept, in [0, 1) (default 0.9). */
  beta: number;
  /** `"first"`, `"second"` or `"pytorch"` (default). The first two need `step(closure)`. */
  form: (typeof FORMS)[number];
  /** Adds weightDecay·θ to the gradient, at the point where it is taken, ≥ 0 (default 0). */
  weightDecay: number;
  /** Ascend. */
  maximize: boolean;
}

interface State extends ParamState {
  momentum_buffer: Tensor;
}

const DEFAULTS: NesterovOptions = {
  lr: 1e-3,
  beta: 0.9,
  form: "pytorch",
  weightDecay: 0,
  maximize: false,
};

/**
 * First: u ← βu + ∇f(θ − lr·βu); θ ← θ − lr·u. Second: u ← βu + (1 − β)∇f(θ − lr·u); θ ← θ − lr·u. PyTorch's:
 * g ← ∇f(θ); u ← βu + g; θ ← θ − lr·(g + βu), which is the first form followed from look-ahead point to look-ahead
 * point: its θ is that of the first form minus lr·βu. u starts at 0.
 *
 * In the first two forms `step(closure)` moves the parameters to the look-ahead point, calls the closure, which
 * evaluates the loss there and calls `backward()`, moves them back and updates them.
 *
 * Source: Nesterov, 1983; PyTorch's form: Sutskever et al., "On the importance of initialization and momentum", 2013.
 */
export class Nesterov extends UpdateRule<NesterovOptions, State> {
  /** Where parameters stood before they looked ahead, by their states. */
  private readonly origins = new WeakMap<State, NDArray>();
  private ahead: Target<NesterovOptions, State>[] = [];

  constructor(params: Params<NesterovOptions>, options: Partial<NesterovOptions> = {}) {
    super(params, options, DEFAULTS);
  }

  /** The first and second form need one. */
  override get needsClosure(): boolean {
    return this.paramGroups.some(({ form }) => form !== "pytorch");
  }

  protected override checkOptions(options: NesterovOptions): void {
    checkUsual(this.name, options);
    checkNumber(this.name, "beta", options.beta, BELOW_ONE);
    checkChoice(this.name, "form", options.form, FORMS);
  }

  protected override newState({ shape, dtype }: Tensor): State {
    return { momentum_buffer: zeros(shape, { dtype }) };
  }

  protected override advance<Loss>(closure?: () => Loss): Loss | undefined {
    this.lookAhead();
    try {
      return super.advance(closure);
    } finally {
      // Whoever is still there was not updated: no gradient came for it, or an error.
      for (const { parameter, state } of this.ahead) {
        parameter.detach().assign(this.originOf(state as State));
      }
      this.ahead = [];
    }
  }

  private lookAhead(): void {
    this.ahead = this.paramGroups.flatMap((group) =>
      group.form === "pytorch" ? [] : group.params.map((parameter) => this.targetOf(parameter, group)),
    );
    this.run(
      this.ahead.map(({ group, array, state }) => {
        const { momentum_buffer: buffer } = state as State;
        const updated = [array, this.originOf(state as State)];
        const kernel = `look_ahead_${storageOf(array.dtype) as "f32" | "f64"}` as const;
        return {
          input: buffer.array,
          state,
          next: () => {
            const { lr, beta, form } = group;
            return { kernel, updated, scalars: [form === "first" ? lr * beta : lr] };
          },
        };
      }),
    );
    copyBack(this.ahead);
  }

  /** Memory for where the parameter of a state stood. */
  private originOf(state: State): NDArray {
    const known = this.origins.get(state);
    if (known !== undefined) return known;
    const { shape, dtype } = state.momentum_buffer;
    const make = (): NDArray => zeros(shape, { dtype }).array;
    const origin = recorder()?.outside(make) ?? make();
    this.origins.set(state, origin);
    return origin;
  }

  protected override updateAll(): void {
    super.updateAll();
    this.ahead = this.ahead.filter(({ parameter }) => parameter.grad === null);
  }

  protected override update(target: NDArray, state: State, options: NesterovOptions): Update {
    const { lr, beta, form, weightDecay, maximize } = options;
    const type = storageOf(target.dtype) as "f32" | "f64";
    const buffer = state.momentum_buffer.array;
    if (form === "pytorch") {
      return {
        kernel: `sgd_momentum_${type}`,
        updated: [target, buffer],
        scalars: [lr, beta, 0, weightDecay, 1, Number(maximize), 0],
      };
    }
    return {
      kernel: `nesterov_${type}`,
      updated: [target, buffer, this.originOf(state)],
      scalars: [lr, beta, form === "first" ? 0 : beta, weightDecay, Number(maximize)],
    };
  }
}
