import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { array } from "../../lib/ndarray/creation.js";
import { concat, split, stack } from "../../lib/ndarray/joining.js";
import type { NDArray } from "../../lib/ndarray/ndarray.js";
import type { NestedArray } from "../../lib/ndarray/nested.js";
import type { SliceRange } from "../../lib/ndarray/slicing.js";
import { bounds, build, fill, flat, pick, pythonRange, views } from "./model.js";

function expectArray(x: NDArray, shape: readonly number[], nested: NestedArray) {
  expect(x.shape).toEqual(shape);
  expect(x.toArray()).toEqual(nested);
  expect([...x.data]).toEqual(flat(nested));
}

describe("views and selections equal the nested-list model", () => {
  test("toArray and data of any view", () => {
    fc.assert(fc.property(views(), ({ x, nested, shape }) => expectArray(x, shape, nested)));
  });

  test("slice with bounds, integers and missing ranges", () => {
    const property = fc.property(
      views(1).chain((view) =>
        fc.record({
          view: fc.constant(view),
          ranges: fc
            .tuple(
              ...view.shape.map((size) =>
                fc.oneof(
                  bounds as fc.Arbitrary<SliceRange>,
                  fc.constant(null),
                  size > 0 ? fc.integer({ min: -size, max: size - 1 }) : fc.constant(null),
                ),
              ),
            )
            .chain((all) => fc.nat({ max: all.length }).map((count) => all.slice(0, count))),
        }),
      ),
      ({ view: { x, nested, shape }, ranges }) => {
        const kept = shape.map((size, axis) => {
          const range = ranges[axis] ?? null;
          if (typeof range === "number") return [range < 0 ? range + size : range];
          return pythonRange(Array.isArray(range) ? (range as never) : [], size);
        });
        const open = shape.map((_, axis) => axis).filter((axis) => typeof ranges[axis] !== "number");
        const result = open.map((axis) => kept[axis].length);
        const expected = build(result, (index) =>
          pick(
            nested,
            shape.map((_, axis) => kept[axis][open.includes(axis) ? index[open.indexOf(axis)] : 0]),
          ),
        );
        expectArray(x.slice(...ranges), result, expected);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("permute", () => {
    const property = fc.property(
      views().chain((view) => fc.tuple(fc.constant(view), shuffled(view.shape.length))),
      ([{ x, nested, shape }, axes]) => {
        const result = axes.map((axis) => shape[axis]);
        const expected = build(result, (index) =>
          pick(
            nested,
            shape.map((_, axis) => index[axes.indexOf(axis)]),
          ),
        );
        expectArray(x.permute(axes), result, expected);
      },
    );
    fc.assert(property);
  });

  test("reshape keeps the row-major order, and shares memory where it says so", () => {
    const property = fc.property(
      views().chain((view) => fc.tuple(fc.constant(view), factorizations(view.x.size))),
      ([{ x, nested }, shape]) => {
        const y = x.reshape(shape);
        expectArray(y, shape, fill(shape, flat(nested)));
        if (x.isContiguous) expect(y.storage).toBe(x.storage);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("broadcastTo", () => {
    const property = fc.property(
      views().chain((view) =>
        fc.tuple(
          fc.constant(view),
          fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
          fc.tuple(
            ...view.shape.map((size) => (size === 1 ? fc.integer({ min: 0, max: 3 }) : fc.constant(size))),
          ),
        ),
      ),
      ([{ x, nested, shape }, lead, sizes]) => {
        const result = [...lead, ...sizes];
        const expected = build(result, (index) =>
          pick(
            nested,
            shape.map((size, axis) => (size === 1 ? 0 : index[lead.length + axis])),
          ),
        );
        const y = x.broadcastTo(result);
        expectArray(y, result, expected);
        expect(y.storage).toBe(x.storage);
      },
    );
    fc.assert(property);
  });

  test("flatten merges a run of axes", () => {
    const property = fc.property(
      views(1).chain((view) =>
        fc.tuple(
          fc.constant(view),
          fc.nat({ max: view.shape.length - 1 }),
          fc.nat({ max: view.shape.length - 1 }),
        ),
      ),
      ([{ x, nested, shape }, a, b]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const merged = shape.slice(start, end + 1).reduce((p, s) => p * s, 1);
        const result = [...shape.slice(0, start), merged, ...shape.slice(end + 1)];
        expectArray(x.flatten(start, end - shape.length), result, fill(result, flat(nested)));
      },
    );
    fc.assert(property);
  });

  test("concat undoes split", () => {
    const property = fc.property(
      views(1).chain(({ x, nested, shape }) =>
        fc.nat({ max: shape.length - 1 }).chain((axis) =>
          fc.record({
            x: fc.constant(x),
            nested: fc.constant(nested),
            axis: fc.constant(axis),
            sizes: fc
              .array(fc.nat({ max: shape[axis] }), { maxLength: 3 })
              .map((cuts) => [0, ...cuts.sort((a, b) => a - b), shape[axis]])
              .map((cuts) => cuts.slice(1).map((cut, i) => cut - cuts[i])),
          }),
        ),
      ),
      ({ x, nested, axis, sizes }) => {
        const parts = split(x, sizes, axis);
        expect(parts.map((part) => part.shape[axis])).toEqual(sizes);
        for (const part of parts) expect(part.storage).toBe(x.storage);
        expectArray(concat(parts, axis), x.shape, nested);
      },
    );
    fc.assert(property);
  });

  test("stack puts array i at index i of the new axis", () => {
    const property = fc.property(
      views().chain((view) => fc.tuple(fc.constant(view), fc.nat({ max: view.shape.length }))),
      ([{ x, nested, shape }, axis]) => {
        const other = array(
          flat(nested).map((value) => -(value as number)),
          { shape },
        );
        const result = shape.toSpliced(axis, 0, 2);
        const expected = build(result, (index) => {
          const value = pick(nested, index.toSpliced(axis, 1)) as number;
          return index[axis] === 0 ? value : -value;
        });
        expectArray(stack([x, other], axis), result, expected);
      },
    );
    fc.assert(property);
  });

  test("take along any axis", () => {
    const property = fc.property(
      views(1)
        .chain((view) => fc.tuple(fc.constant(view), fc.nat({ max: view.shape.length - 1 })))
        .chain(([view, axis]) =>
          fc.record({
            view: fc.constant(view),
            axis: fc.constant(axis),
            indices: fc
              .array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 })
              .map((shape) => (view.shape[axis] === 0 ? [...shape, 0] : shape))
              .chain((shape) => {
                const size = view.shape[axis];
                const index = size === 0 ? fc.constant(0) : fc.integer({ min: -size, max: size - 1 });
                const count = shape.reduce((p, s) => p * s, 1);
                return fc
                  .array(index, { minLength: count, maxLength: count })
                  .map((values) => ({ shape, values }));
              }),
            dtype: fc.constantFrom("int32" as const, "int64" as const),
          }),
        ),
      ({ view: { x, nested, shape }, axis, indices, dtype }) => {
        const result = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
        const chosen = fill(indices.shape, indices.values);
        const expected = build(result, (index) => {
          const i = pick(chosen, index.slice(axis, axis + indices.shape.length)) as number;
          const from = i < 0 ? i + shape[axis] : i;
          return pick(nested, [...index.slice(0, axis), from, ...index.slice(axis + indices.shape.length)]);
        });
        expectArray(x.take(array(indices.values, { shape: indices.shape, dtype }), axis), result, expected);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("mask over the leading axes", () => {
    const property = fc.property(
      views()
        .chain((view) => fc.tuple(fc.constant(view), fc.nat({ max: view.shape.length })))
        .chain(([view, rank]) => {
          const count = view.shape.slice(0, rank).reduce((p, s) => p * s, 1);
          const bits = fc.array(fc.boolean(), { minLength: count, maxLength: count });
          return fc.tuple(fc.constant(view), fc.constant(rank), bits);
        }),
      ([{ x, nested, shape }, rank, bits]) => {
        const kept: NestedArray[] = [];
        let position = 0;
        build(shape.slice(0, rank), (index) => {
          if (bits[position++]) kept.push(pick(nested, index));
          return 0;
        });
        const mask = array(bits, { shape: shape.slice(0, rank), dtype: "bool" });
        expectArray(x.mask(mask), [kept.length, ...shape.slice(rank)], kept);
      },
    );
    fc.assert(property);
  });

  test("contiguous, clone and array give the same values on fresh or own memory", () => {
    const property = fc.property(views(), ({ x, nested, shape }) => {
      for (const copy of [x.clone(), array(x), x.astype("float32")]) {
        expectArray(copy, shape, nested);
        expect(copy.isContiguous).toBe(true);
        expect(copy.storage).not.toBe(x.storage);
      }
      const compact = x.contiguous();
      expectArray(compact, shape, nested);
      expect(compact === x).toBe(x.isContiguous);
    });
    fc.assert(property);
  });
});

function shuffled(rank: number): fc.Arbitrary<number[]> {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return fc.shuffledSubarray(axes, { minLength: rank, maxLength: rank });
}

/** Shapes of at most 4 axes with the given number of elements. */
function factorizations(size: number): fc.Arbitrary<number[]> {
  if (size === 0) return fc.constantFrom([0], [2, 0], [0, 3, 1]);
  return fc.array(fc.nat(), { minLength: 3, maxLength: 3 }).map((choices) => {
    const shape: number[] = [];
    let rest = size;
    for (const choice of choices) {
      const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
      const factor = divisors[choice % divisors.length];
      shape.push(factor);
      rest /= factor;
    }
    return [...shape, rest];
  });
}
