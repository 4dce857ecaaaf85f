import { describe, expect, test } from "vitest";
import {
  collapse,
  collapseFreely,
  forEachIndex,
  forEachRow,
  type Layout,
} from "../../../lib/runtime/kernels/strided.js";

/** The positions of all operands in row-major order, by nested counting. */
function positions({ sizes, strides }: Layout, offsets: readonly number[]): number[][] {
  let tuples: number[][] = [[]];
  for (const size of sizes) {
    tuples = tuples.flatMap((tuple) => Array.from({ length: size }, (_, i) => [...tuple, i]));
  }
  return tuples.map((tuple) =>
    offsets.map((offset, operand) =>
      tuple.reduce((sum, i, axis) => sum + i * strides[operand][axis], offset),
    ),
  );
}

function visited(layout: Layout, offsets: readonly number[]): number[][] {
  const seen: number[][] = [];
  forEachRow(layout, offsets, (length, at, step) => {
    for (let k = 0; k < length; k++) seen.push(at.map((position, i) => position + k * step[i]));
  });
  return seen;
}

const layouts: [string, Layout, number[]][] = [
  ["no axes", { sizes: [], strides: [[], []] }, [3, 4]],
  ["one axis", { sizes: [4], strides: [[2], [-1]] }, [0, 3]],
  [
    "contiguous",
    {
      sizes: [2, 3, 4],
      strides: [
        [12, 4, 1],
        [12, 4, 1],
      ],
    },
    [0, 7],
  ],
  [
    "transposed",
    {
      sizes: [3, 2, 4],
      strides: [
        [4, 12, 1],
        [8, 4, 1],
      ],
    },
    [0, 0],
  ],
  [
    "broadcast",
    {
      sizes: [2, 3, 4],
      strides: [
        [0, 1, 0],
        [12, 4, 1],
      ],
    },
    [5, 0],
  ],
  [
    "reversed",
    {
      sizes: [2, 3],
      strides: [
        [-3, -1],
        [3, 1],
      ],
    },
    [5, 0],
  ],
  [
    "axes of size 1",
    {
      sizes: [1, 3, 1, 2, 1],
      strides: [
        [99, 2, 99, 1, 99],
        [7, 4, 7, 2, 7],
      ],
    },
    [1, 2],
  ],
  [
    "a long first axis",
    {
      sizes: [40, 2, 3],
      strides: [
        [6, 3, 1],
        [1, 40, 80],
      ],
    },
    [0, 0],
  ],
  [
    "a zero size",
    {
      sizes: [2, 0, 3],
      strides: [
        [1, 1, 1],
        [1, 1, 1],
      ],
    },
    [0, 0],
  ],
];

describe.each(layouts)("%s", (_, layout, offsets) => {
  const expected = positions(layout, offsets);

  test("forEachRow and forEachIndex visit in row-major order", () => {
    expect(visited(layout, offsets)).toEqual(expected);
    const seen: number[][] = [];
    forEachIndex(layout, offsets, (at) => seen.push([...at]));
    expect(seen).toEqual(expected);
  });

  test("collapse keeps elements and order", () => {
    expect(visited(collapse(layout), offsets)).toEqual(expected);
  });

  test("collapseFreely keeps elements", () => {
    const sorted = (all: number[][]): string[] => all.map(String).sort();
    expect(sorted(visited(collapseFreely(layout), offsets))).toEqual(sorted(expected));
  });
});

test("collapse makes one axis of contiguous operands and no more of others than needed", () => {
  expect(
    collapse({
      sizes: [2, 3, 4],
      strides: [
        [12, 4, 1],
        [24, 8, 2],
      ],
    }),
  ).toEqual({
    sizes: [24],
    strides: [[1], [2]],
  });
  expect(
    collapse({
      sizes: [2, 3, 4],
      strides: [
        [12, 4, 1],
        [0, 4, 1],
      ],
    }).sizes,
  ).toEqual([2, 12]);
  expect(collapse({ sizes: [1, 1], strides: [[5, 5]] }).sizes).toEqual([]);
});

test("collapseFreely puts the longest axis last where the last one is short", () => {
  expect(
    collapseFreely({
      sizes: [500, 3],
      strides: [
        [3, 1],
        [1, 500],
      ],
    }),
  ).toEqual({
    sizes: [3, 500],
    strides: [
      [1, 3],
      [500, 1],
    ],
  });
  expect(
    collapseFreely({
      sizes: [500, 16],
      strides: [
        [16, 1],
        [1, 500],
      ],
    }).sizes,
  ).toEqual([500, 16]);
});
