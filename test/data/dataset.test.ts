import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dataset, randomSplit, Subset, TensorDataset } from "../../lib/data/dataset.js";
import { ArgumentError, IndexError, ShapeError } from "../../lib/errors.js";
import { Generator } from "../../lib/random/generator.js";
import { arange, type Tensor, tensor, zeros } from "../../lib/tensor.js";
import { thrown } from "../ndarray/thrown.js";

const range = (n: number): TensorDataset<[Tensor]> => new TensorDataset(arange(0, n, 1, { dtype: "int32" }));

describe("TensorDataset", () => {
  const x = tensor([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: rows
  const y = tensor([10, 20, 30], { dtype: "int32" });

  test("gathers rows of every tensor", () => {
    const dataset = new TensorDataset(x, y);
    expect(dataset.length).toBe(3);
    const [rows, labels] = dataset.batch(Int32Array.of(2, 0, 2));
    expect(rows.toArray()).toEqual([[5, 6], [1, 2], [5, 6]]); // biome-ignore format: rows
    expect(labels.toArray()).toEqual([30, 10, 30]);
    expect(labels.dtype).toBe("int32");
  });

  test("gives one sample without the batch axis", () => {
    const [row, label] = new TensorDataset(x, y).get(1);
    expect(row.toArray()).toEqual([3, 4]);
    expect(label.toArray()).toBe(20);
  });

  test("gives an empty batch for no indices", () => {
    expect(new TensorDataset(x, y).batch(new Int32Array(0)).map((part) => part.shape)).toEqual([[0, 2], [0]]);
  });

  test("refuses tensors of different lengths, and none", () => {
    const error = thrown(() => new TensorDataset(x, zeros([2, 4])));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe(
      "TensorDataset: tensor 1 has 2 rows, not 3: shapes are [3,2], [2,4]; all must have the same size on axis 0",
    );
    expect(() => new TensorDataset(tensor(1))).toThrow(/tensor 0 has no axis 0/);
    expect(() => new TensorDataset()).toThrow(ArgumentError);
  });

  test.each([-1, 3, 0.5])("refuses position %s", (index) => {
    expect(() => new TensorDataset(x).get(index)).toThrow(IndexError);
    if (Number.isInteger(index)) {
      expect(() => new TensorDataset(x).batch(Int32Array.of(0, index))).toThrow(/\[0, 3\)/);
    }
  });

  test("a dataset of one's own needs length and batch only", () => {
    class Squares extends Dataset<[Tensor]> {
      readonly length = 5;
      override batch(indices: Int32Array): [Tensor] {
        return [tensor(indices.map((i) => i * i))];
      }
    }
    expect(new Squares().get(3)[0].toArray()).toBe(9);
    expect(() => new Squares().get(5)).toThrow(IndexError);
  });
});

describe("Subset", () => {
  test("maps its positions to the dataset's, subsets of subsets too", () => {
    const evens = new Subset(range(10), [0, 2, 4, 6, 8]);
    const last = new Subset(evens, [4, 3]);
    expect(last.length).toBe(2);
    expect(last.batch(Int32Array.of(1, 0, 0))[0].toArray()).toEqual([6, 8, 8]);
    expect(evens.get(1)[0].toArray()).toBe(2);
  });

  test("copies its indices", () => {
    const indices = Int32Array.of(1, 2);
    const subset = new Subset(range(3), indices);
    indices[0] = 0;
    expect(subset.get(0)[0].toArray()).toBe(1);
  });

  test("refuses positions outside", () => {
    expect(() => new Subset(range(3), [0, 3])).toThrow(IndexError);
    // Position 2 exists in the dataset, but not in the subset.
    expect(() => new Subset(range(3), [0, 1]).batch(Int32Array.of(2))).toThrow(IndexError);
  });
});

describe("randomSplit", () => {
  const everything = (parts: Subset<[Tensor]>[]): number[] => parts.flatMap((part) => [...part.indices]);

  test("parts are disjoint, complete and of the lengths asked for", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), fc.nat(), (lengths, seed) => {
        const total = lengths.reduce((a, b) => a + b, 0);
        const parts = randomSplit(range(total), lengths, { generator: new Generator(seed) });
        expect(parts.map((part) => part.length)).toEqual(lengths);
        expect(everything(parts).sort((a, b) => a - b)).toEqual([...Array(total).keys()]);
      }),
      { numRuns: 50 },
    );
  });

  test("fractions: rounded down, the rest to the first parts", () => {
    const lengths = (n: number, fractions: number[]) =>
      randomSplit(range(n), fractions).map((part) => part.length);
    expect(lengths(10, [0.7, 0.2, 0.1])).toEqual([7, 2, 1]);
    expect(lengths(11, [0.5, 0.5])).toEqual([6, 5]);
    expect(lengths(10, [1 / 3, 1 / 3, 1 / 3])).toEqual([4, 3, 3]);
    expect(lengths(7, [0, 1])).toEqual([0, 7]);
  });

  test("the generator decides", () => {
    const split = (seed: number) =>
      everything(randomSplit(range(50), [25, 25], { generator: new Generator(seed) }));
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
    expect(split(1)).not.toEqual([...Array(50).keys()]);
  });

  test.each([[[5, 4]], [[0.5, 0.4]], [[-1, 11]], [[]], [[Number.NaN]]])("refuses %j of 10", (parts) => {
    const error = thrown(() => randomSplit(range(10), parts));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain(`[${parts}]`);
  });
});
