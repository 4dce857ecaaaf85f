import { describe, expect, test } from "vitest";
import { ImageDataset } from "../../lib/data/image_dataset.js";
import { DTypeError, IndexError, ShapeError } from "../../lib/errors.js";
import { array, zeros } from "../../lib/ndarray/creation.js";
import { thrown } from "../ndarray/thrown.js";

const bytes = array(
  Uint8Array.from({ length: 256 }, (_, i) => i),
  { shape: [64, 2, 2] },
);
const labels = array(Uint8Array.from({ length: 64 }, (_, i) => i % 10));

describe("ImageDataset", () => {
  test("flattens images and divides bytes by 255, correctly rounded", () => {
    const dataset = new ImageDataset(bytes, labels);
    const [x, y] = dataset.batch(Int32Array.from({ length: 64 }, (_, i) => 63 - i));
    expect(x).toMatchObject({ shape: [64, 4], dtype: "float32" });
    expect(y).toMatchObject({ shape: [64], dtype: "int32" });
    const rows = Array.from({ length: 64 }, (_, row) =>
      [0, 1, 2, 3].map((i) => Math.fround((4 * (63 - row) + i) / 255)),
    );
    expect(x.toArray()).toEqual(rows);
    expect(y.toArray()).toEqual(Array.from({ length: 64 }, (_, row) => (63 - row) % 10));
  });

  test("keeps bytes and shape within reach, and gives single samples", () => {
    const dataset = new ImageDataset(bytes, labels);
    expect(dataset.length).toBe(64);
    expect(dataset.shape).toEqual([64, 2, 2]);
    expect(dataset.images).toBe(bytes);
    expect(dataset.labels).toMatchObject({ dtype: "int32", shape: [64] });
    const [x, y] = dataset.get(63);
    expect(x.shape).toEqual([4]);
    expect(x.toArray()).toEqual([252, 253, 254, 255].map((byte) => Math.fround(byte / 255)));
    expect(y.toArray()).toBe(3);
  });

  test("takes views, and an empty batch", () => {
    const dataset = new ImageDataset(bytes.slice([10, 20]), labels.slice([10, 20]));
    expect(dataset.get(0)[0].toArray()).toEqual([40, 41, 42, 43].map((byte) => Math.fround(byte / 255)));
    expect(dataset.batch(new Int32Array(0)).map((part) => part.shape)).toEqual([[0, 4], [0]]);
    expect(() => dataset.batch(Int32Array.of(10))).toThrow(IndexError);
    expect(() => dataset.batch(Int32Array.of(-1))).toThrow(IndexError);
  });

  test("refuses what is no set of labelled images", () => {
    expect(() => new ImageDataset(zeros([2, 3, 3]), labels)).toThrow(DTypeError);
    expect(() => new ImageDataset(bytes, zeros([64]))).toThrow(DTypeError);
    const error = thrown(() => new ImageDataset(bytes, labels.slice([0, 63])));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe("ImageDataset: images are [64,2,2] and labels [63]; needs [N,H,W] and [N]");
    expect(() => new ImageDataset(bytes.reshape([64, 4]), labels)).toThrow(ShapeError);
  });
});
