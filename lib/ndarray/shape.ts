/** Arithmetic of shapes and axes, with errors that name the operation. Strides are in strides.ts. */
import { describe, shown } from "../describe.js";
import { ArgumentError, IndexError, ShapeError } from "../errors.js";

/** Sizes of the axes, outermost first. `[]` is the shape of a 0-d array, which has one element. */
export type Shape = readonly number[];

/** Largest number of axes; the kernels' fixed-size loops rely on it. */
export const MAX_RANK = 16;

const sizeText = (size: unknown): string => (size === undefined ? "" : shown(size));

/** `[2,3]`, as error messages print shapes. */
export const formatShape = (shape: Shape): string => `[${Array.from(shape, sizeText).join(",")}]`;

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Throws a ShapeError if an array would have more than 16 axes. */
export function checkRank(operation: string, rank: number): void {
  if (rank > MAX_RANK) {
    throw new ShapeError(
      `${operation}: the result would have ${rank} axes; at most ${MAX_RANK} are supported`,
    );
  }
}

/** Throws unless `shape` is a list of at most 16 non-negative integers whose product is a safe integer. */
export function checkShape(operation: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`${operation}: a shape must be an array of integers, got ${shown(shape)}`);
  }
  checkRank(operation, shape.length);
  for (let axis = 0; axis < shape.length; axis++) {
    if (!Number.isSafeInteger(shape[axis]) || shape[axis] < 0) {
      throw new ShapeError(
        `${operation}: shape ${formatShape(shape)} has ${sizeText(shape[axis])} on axis ${axis}; ` +
          "sizes must be non-negative integers",
      );
    }
  }
  if (!Number.isSafeInteger(sizeOf(shape))) {
    throw new ShapeError(`${operation}: shape ${formatShape(shape)} has more than 2^53 - 1 elements`);
  }
}

/** The axis counted from the front; negative axes count from the end. IndexError outside [-rank, rank). */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis)) {
    throw new ArgumentError(`${operation}: an axis must be an integer, got ${shown(axis)}`);
  }
  if (axis < -rank || axis >= rank) {
    throw new IndexError(
      rank === 0
        ? `${operation}: axis ${axis} was given, but a 0-d array has no axes`
        : `${operation}: axis ${axis} is outside [${-rank}, ${rank})`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Several axes counted from the front, in the order given. ArgumentError if one occurs twice. */
export function normalizeAxes(operation: string, axes: readonly number[], rank: number): number[] {
  if (!Array.isArray(axes)) {
    throw new ArgumentError(`${operation}: axes must be an array of integers, got ${describe(axes)}`);
  }
  const result = axes.map((axis) => normalizeAxis(operation, axis, rank));
  const repeated = result.find((axis, position) => result.indexOf(axis) !== position);
  if (repeated !== undefined) {
    throw new ArgumentError(`${operation}: axis ${repeated} occurs twice in ${formatShape(axes)}`);
  }
  return result;
}

/**
 * The shape in which `shapes` meet by NumPy's rule: aligned at the last axis, sizes equal or 1.
 * ShapeError naming the axis (counted from the end) on which they do not.
 */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): number[] {
  let rank = 0;
  for (const shape of shapes) if (shape.length > rank) rank = shape.length;
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const size = shape[axis];
      const met = result[lead + axis];
      if (size === met || size === 1) continue;
      if (met !== 1) {
        const all = shapes.map(formatShape);
        throw new ShapeError(
          `${operation}: shapes ${all.slice(0, -1).join(", ")} and ${all.at(-1)} do not broadcast: ` +
            `axis ${axis - shape.length} is ${met} and ${size}; sizes must be equal or 1`,
        );
      }
      result[lead + axis] = size;
    }
  }
  return result;
}

/** The shape asked for with its one -1, if any, replaced by what `size` elements leave for it. */
export function inferShape(operation: string, requested: Shape, from: Shape): number[] {
  const unknown = Array.isArray(requested) ? requested.indexOf(-1) : -1;
  const size = sizeOf(from);
  if (unknown < 0) {
    checkShape(operation, requested);
    if (sizeOf(requested) === size) return [...requested];
  } else {
    const known = requested.toSpliced(unknown, 1);
    if (known.includes(-1)) {
      throw new ShapeError(`${operation}: ${formatShape(requested)} has more than one -1`);
    }
    checkShape(operation, known);
    checkRank(operation, requested.length);
    const rest = sizeOf(known);
    if (rest === 0) {
      throw new ShapeError(
        `${operation}: the -1 in ${formatShape(requested)} is ambiguous beside a size of 0; give all sizes`,
      );
    }
    if (size % rest === 0) return requested.with(unknown, size / rest);
  }
  throw new ShapeError(
    `${operation}: shape ${formatShape(from)} has ${size} elements and cannot become ${formatShape(requested)}`,
  );
}
