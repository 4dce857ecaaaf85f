/** A tensor that a module learns. */

import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import { NDArray } from "../ndarray/ndarray.js";
import { checkBoolean, withDefaults } from "../options.js";
import { Tensor } from "../tensor.js";

/** A leaf that requires a gradient, and that a Module lists among its parameters. Shares the memory it is given. */
export class Parameter extends Tensor {
  constructor(value: Tensor | NDArray, options: { requiresGrad?: boolean } = {}) {
    if (!(value instanceof Tensor || value instanceof NDArray)) {
      throw new ArgumentError(`Parameter: needs a Tensor or an NDArray, got ${describe(value)}`);
    }
    const { requiresGrad } = withDefaults("Parameter", options, { requiresGrad: true });
    super(value instanceof Tensor ? value.array : value, {
      requiresGrad: checkBoolean("Parameter", "requiresGrad", requiresGrad),
    });
  }
}
