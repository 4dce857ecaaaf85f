/** Between nested JavaScript arrays and flat elements: their shape and kind, reading, and writing back. */
import { DTypeError, ShapeError } from "../errors.js";
import type { StridedView } from "./copy.js";
import { MAX_RANK } from "./shape.js";

/** One element outside an array: boolean for bool, bigint for int64, else number. */
export type Element = number | boolean | bigint;

/** Nested arrays of elements; an element itself stands for a 0-d array. */
export type NestedArray = Element | readonly NestedArray[];

/** The kinds of element that can make up an array, by their `typeof`. */
export type Kind = "number" | "boolean" | "bigint";

const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Shape of a nested array by its first entries, and the kind of its first element (number if it is empty). */
export function probeNested(operation: string, value: unknown): { shape: number[]; kind: Kind } {
  const shape: number[] = [];
  let first = value;
  while (isArray(first)) {
    if (shape.length === MAX_RANK) {
      throw new ShapeError(`${operation}: arrays are nested more than ${MAX_RANK} deep`);
    }
    shape.push(first.length);
    if (first.length === 0) return { shape, kind: "number" };
    first = first[0];
  }
  return {
    shape,
    kind: kindOf(
      operation,
      first,
      shape.map(() => 0),
    ),
  };
}

/**
 * Calls `write` with every element in row-major order. ShapeError where the nesting departs from `shape`,
 * DTypeError where an element departs from `kind`; both name the place.
 */
export function readNested(
  operation: string,
  value: unknown,
  shape: readonly number[],
  kind: Kind,
  write: (element: Element, position: number) => void,
): void {
  const index = new Array<number>(shape.length).fill(0);
  let position = 0;
  const visit = (node: unknown, depth: number) => {
    if (depth === shape.length && typeof node === kind) {
      write(node as Element, position++);
      return;
    }
    if (depth === shape.length || !isArray(node) || node.length !== shape[depth]) {
      throw misfit(operation, node, index.slice(0, depth), shape, kind);
    }
    for (let i = 0; i < node.length; i++) {
      index[depth] = i;
      visit(node[i], depth + 1);
    }
  };
  visit(value, 0);
}

/** The error for a node that is not what the first node of its depth was. */
function misfit(operation: string, node: unknown, path: number[], shape: readonly number[], kind: Kind) {
  const first = formatPath(path.map(() => 0));
  const depth = path.length;
  if (!isArray(node)) {
    const found = kindOf(operation, node, path);
    if (depth === shape.length) {
      return new DTypeError(
        `${operation}: mixed kinds: ${formatPath(path)} is a ${found}, ${first} is a ${kind}; ` +
          "all elements must be of one kind",
      );
    }
  }
  const innermost = depth === shape.length;
  const sizes = isArray(node) && !innermost;
  const got = sizes ? `has length ${node.length}` : describe(node);
  const wanted = sizes ? `has length ${shape[depth]}` : innermost ? `is a ${kind}` : "is an array";
  return new ShapeError(`${operation}: ragged nested array: ${formatPath(path)} ${got}, ${first} ${wanted}`);
}

/** The kind of an element. DTypeError naming the place of what cannot be one. */
export function kindOf(operation: string, value: unknown, path: readonly number[] = []): Kind {
  const kind = typeof value;
  if (kind === "number" || kind === "boolean" || kind === "bigint") return kind;
  throw new DTypeError(
    `${operation}: ${formatPath(path)} ${describe(value)}; elements must be numbers, booleans or bigints`,
  );
}

const formatPath = (path: readonly number[]): string =>
  path.length === 0 ? "the value" : path.map((index) => `[${index}]`).join("");

function describe(value: unknown): string {
  if (value === null || value === undefined) return `is ${value}`;
  if (isArray(value)) return "is an array";
  if (typeof value === "string") return `is the string ${JSON.stringify(value)}`;
  return typeof value === "object" ? `is an object (${value.constructor?.name})` : `is a ${typeof value}`;
}

/** The element at a position of the storage. */
export function elementAt(view: StridedView, position: number): Element {
  const value = view.storage.data[position];
  return view.dtype === "bool" ? value !== 0 : value;
}

/** The elements of a view as nested arrays. */
export function toNested(view: StridedView): NestedArray {
  const { shape, strides } = view;
  const visit = (axis: number, position: number): NestedArray =>
    axis === shape.length
      ? elementAt(view, position)
      : Array.from({ length: shape[axis] }, (_, i) => visit(axis + 1, position + i * strides[axis]));
  return visit(0, view.offset);
}
