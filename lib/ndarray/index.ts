/** The array functions that are public as `ndarray.*`: creation and joining under NumPy's names. */
export {
  type ArrayOptions,
  type ArrayValue,
  arange,
  array,
  type DTypeOptions,
  empty,
  eye,
  fromFunction,
  fromTypedArray,
  full,
  linspace,
  ones,
  zeros,
} from "./creation.js";
export type { IndexArray } from "./indexing.js";
export { concat, split, stack } from "./joining.js";
export type { Element, NestedArray } from "./nested.js";
export type { Shape } from "./shape.js";
export type { Bounds } from "./slicing.js";
export { Storage } from "./storage.js";
