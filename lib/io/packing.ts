/**
 * Plain data with tensors in it, taken apart into JSON and named tensors, and put together again. Numbers
 * that JSON does not know (NaN, infinities, −0) survive.
 */
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, FormatError } from "../errors.js";

// What stands in the JSON for what it cannot hold: an object with this one key.
const TENSOR = "$tensor";
const NUMBER = "$number";

// Far above any honest nesting, far below where recursion runs out of stack.
const MAX_DEPTH = 100;

/**
 * Returns `value` as JSON in which `{ "$tensor": name }` stands for a tensor, and adds the tensor to
 * `tensors` under that name: the path to it, keys joined by dots. Properties that are undefined are left out,
 * as JSON does.
 *
 * @param operation named in errors
 * @throws ArgumentError naming the path of what is neither plain data nor a tensor
 */
export function pack(operation: string, value: unknown, tensors: Record<string, Tensor>): unknown {
  const bad = (path: string, problem: string): ArgumentError =>
    new ArgumentError(
      `${operation}: ${path} ${problem}; needs plain objects, lists, strings, numbers and tensors`,
    );
  const visit = (item: unknown, path: string, depth: number): unknown => {
    if (item === null || typeof item === "string" || typeof item === "boolean") return item;
    if (typeof item === "number") {
      return Number.isFinite(item) && !Object.is(item, -0)
        ? item
        : { [NUMBER]: Object.is(item, -0) ? "-0" : `${item}` };
    }
    if (item instanceof Tensor) {
      if (Object.hasOwn(tensors, path)) throw bad(path, "is the name of two tensors");
      tensors[path] = item;
      return { [TENSOR]: path };
    }
    if (depth > MAX_DEPTH)
      throw bad(path.slice(0, MAX_DEPTH), `is nested deeper than ${MAX_DEPTH}, or holds itself`);
    const below = (key: string | number, child: unknown) =>
      visit(child, path ? `${path}.${key}` : `${key}`, depth + 1);
    if (Array.isArray(item)) return item.map((child, i) => below(i, child));
    if (!isPlainObject(item)) throw bad(path, `is ${describe(item)}`);
    const entries = Object.entries(item).filter(([, child]) => child !== undefined);
    const reserved = entries.find(([key]) => key === TENSOR || key === NUMBER);
    if (reserved) throw bad(path, `has the key ${reserved[0]}, which is reserved`);
    return Object.fromEntries(entries.map(([key, child]) => [key, below(key, child)]));
  };
  return visit(value, "", 0);
}

/** Undoes `pack`. FormatError, naming `file`, for a tensor that is not among `tensors`. */
export function unpack(value: unknown, tensors: Readonly<Record<string, Tensor>>, file: string): unknown {
  const visit = (item: unknown, depth: number): unknown => {
    if (typeof item !== "object" || item === null) return item;
    if (depth > MAX_DEPTH) throw new FormatError(`unpack: ${file} has data nested deeper than ${MAX_DEPTH}`);
    if (Array.isArray(item)) return item.map((child) => visit(child, depth + 1));
    const { [TENSOR]: name, [NUMBER]: number } = item as Record<string, unknown>;
    if (typeof number === "string") return Number(number);
    if (name === undefined) {
      return Object.fromEntries(Object.entries(item).map(([key, child]) => [key, visit(child, depth + 1)]));
    }
    if (typeof name === "string" && Object.hasOwn(tensors, name)) return tensors[name];
    throw new FormatError(`unpack: ${file} refers to tensor ${JSON.stringify(name)}, which it does not hold`);
  };
  return visit(value, 0);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
