/** Iteration over strided views that share their axes, row by row. Knows no element types and no arithmetic. */

/** Sizes of some axes, and for each operand its strides along them (in elements). */
export interface Layout {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Number of index tuples. */
export function countOf(sizes: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < sizes.length; axis++) count *= sizes[axis];
  return count;
}

/**
 * The same elements in the same (row-major) order with as few axes as possible: axes of size 1 are dropped, and
 * two neighbours along which every operand moves evenly become one.
 */
export function collapse({ sizes, strides }: Layout): Layout {
  const newSizes: number[] = [];
  const newStrides: number[][] = strides.map(() => []);
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis];
    if (size === 1) continue;
    const last = newSizes.length - 1;
    let merges = last >= 0;
    for (let i = 0; merges && i < strides.length; i++) {
      merges = newStrides[i][last] === strides[i][axis] * size;
    }
    const at = merges ? last : last + 1;
    newSizes[at] = merges ? newSizes[last] * size : size;
    for (let i = 0; i < strides.length; i++) newStrides[i][at] = strides[i][axis];
  }
  return { sizes: newSizes, strides: newStrides };
}

// Below this length a row costs more to begin than to walk.
const SHORT_ROW = 16;

/** Where the order of elements is free: collapsed, and with the longest axis last if the last one is short. */
export function collapseFreely(layout: Layout): Layout {
  const collapsed = collapse(layout);
  const last = collapsed.sizes.length - 1;
  if (last < 1 || collapsed.sizes[last] >= SHORT_ROW) return collapsed;
  const longest = collapsed.sizes.indexOf(Math.max(...collapsed.sizes));
  const swap = (values: readonly number[]): number[] => {
    const swapped = values.slice();
    [swapped[longest], swapped[last]] = [values[last], values[longest]];
    return swapped;
  };
  return { sizes: swap(collapsed.sizes), strides: collapsed.strides.map(swap) };
}

/**
 * Visits every row (a run along the last axis) in row-major order: its length, each operand's position of its
 * first element, and each operand's step along it. `at` and `step` belong to the iteration: read, do not keep.
 * Without axes there is one row of one element; with a zero size there is none.
 */
export function forEachRow(
  { sizes, strides }: Layout,
  offsets: readonly number[],
  visit: (length: number, at: readonly number[], step: readonly number[]) => void,
): void {
  if (sizes.includes(0)) return;
  const last = sizes.length - 1;
  const at = offsets.slice();
  if (last < 0) {
    visit(
      1,
      at,
      at.map(() => 0),
    );
    return;
  }
  const step = strides.map((operand) => operand[last]);
  const index = new Array<number>(last).fill(0);
  for (;;) {
    visit(sizes[last], at, step);
    let axis = last - 1;
    for (; axis >= 0; axis--) {
      const turns = ++index[axis] === sizes[axis];
      const move = turns ? 1 - sizes[axis] : 1;
      for (let i = 0; i < at.length; i++) at[i] += move * strides[i][axis];
      if (!turns) break;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** Visits every index tuple in row-major order with each operand's position; `at` is reused between visits. */
export function forEachIndex(
  layout: Layout,
  offsets: readonly number[],
  visit: (at: readonly number[]) => void,
): void {
  const position = offsets.slice();
  forEachRow(collapse(layout), offsets, (length, at, step) => {
    for (let i = 0; i < position.length; i++) position[i] = at[i];
    for (let k = 0; k < length; k++) {
      visit(position);
      for (let i = 0; i < position.length; i++) position[i] += step[i];
    }
  });
}
