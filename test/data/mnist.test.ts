import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mnist } from "../../lib/data/mnist.js";
import { FormatError } from "../../lib/errors.js";
import { encodeIdx, type IdxArray } from "../../lib/io/idx.js";
import type { NDArray } from "../../lib/ndarray/ndarray.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thalweg-mnist-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const bytes = (shape: number[], data: number[]): IdxArray => ({
  dtype: "uint8",
  shape,
  data: Uint8Array.from(data),
});
const put = (name: string, array: IdxArray): void => {
  const plain = encodeIdx(array);
  writeFileSync(join(folder, name), name.endsWith(".gz") ? gzipSync(plain) : plain);
};

/** Two training images and one test image of 1×2 pixels, with some files replaced or left out. */
function putSet(changes: Record<string, IdxArray | null> = {}): void {
  const files: Record<string, IdxArray | null> = {
    "train-images-idx3-ubyte": bytes([2, 1, 2], [0, 255, 51, 102]),
    "train-labels-idx1-ubyte": bytes([2], [7, 9]),
    "t10k-images-idx3-ubyte": bytes([1, 1, 2], [255, 0]),
    "t10k-labels-idx1-ubyte": bytes([1], [0]),
    ...changes,
  };
  for (const [name, array] of Object.entries(files)) if (array) put(name, array);
}

async function failure(): Promise<string> {
  const error: unknown = await mnist(folder).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FormatError);
  return (error as FormatError).message;
}

describe("small files", () => {
  test("are read as uint8 images and int32 labels", async () => {
    putSet();
    const { train, test: held } = await mnist(folder);
    expect(train.images.toArray()).toEqual([[[0, 255]], [[51, 102]]]);
    expect(train.labels).toMatchObject({ dtype: "int32", shape: [2] });
    const [x, y] = train.get(1);
    expect(x.toArray()).toEqual([0.2, 0.4].map(Math.fround));
    expect(y.item()).toBe(9);
    expect(held.shape).toEqual([1, 1, 2]);
    expect(held.labels.toArray()).toEqual([0]);
  });

  test("may be gzipped and have a dot in their names", async () => {
    putSet({
      "train-images-idx3-ubyte": null,
      "t10k-labels-idx1-ubyte": null,
      "train-labels-idx1-ubyte": null,
    });
    put("train-images-idx3-ubyte.gz", bytes([2, 1, 2], [1, 2, 3, 4]));
    put("train-labels.idx1-ubyte", bytes([2], [1, 2]));
    put("t10k-labels.idx1-ubyte.gz", bytes([1], [5]));
    const { train, test: held } = await mnist(folder);
    expect(train.images.toArray()).toEqual([[[1, 2]], [[3, 4]]]);
    expect(train.labels.toArray()).toEqual([1, 2]);
    expect(held.labels.toArray()).toEqual([5]);
  });
});

describe("errors", () => {
  test("list every missing file and the names looked for", async () => {
    putSet({ "train-labels-idx1-ubyte": null, "t10k-images-idx3-ubyte": null });
    const message = await failure();
    expect(message).toContain(folder);
    expect(message).toContain(
      "train-labels (train-labels-idx1-ubyte, train-labels-idx1-ubyte.gz, train-labels.idx1-ubyte, train-labels.idx1-ubyte.gz)",
    );
    expect(message).toContain("t10k-images (");
    expect(message).not.toContain("train-images");
    expect(message).not.toContain("t10k-labels");
  });

  test("name both files and both counts where they disagree", async () => {
    putSet({ "t10k-labels-idx1-ubyte": bytes([3], [1, 2, 3]) });
    const message = await failure();
    expect(message).toContain(`${join(folder, "t10k-images-idx3-ubyte")} has 1 images`);
    expect(message).toContain(`${join(folder, "t10k-labels-idx1-ubyte")} has 3 labels`);
  });

  test("name a label outside 0 … 9", async () => {
    putSet({ "train-labels-idx1-ubyte": bytes([2], [9, 10]) });
    expect(await failure()).toMatch(/train-labels-idx1-ubyte has label 10 at 1; labels are 0 … 9/);
  });

  test("name a file of another shape or dtype", async () => {
    putSet({ "train-images-idx3-ubyte": bytes([2, 2], [0, 1, 2, 3]) });
    expect(await failure()).toMatch(
      /train-images-idx3-ubyte holds uint8 of shape \[2,2\]; needs uint8 with 3 axes/,
    );
    putSet({ "train-labels-idx1-ubyte": { dtype: "int32", shape: [2], data: Int32Array.of(1, 2) } });
    expect(await failure()).toMatch(
      /train-labels-idx1-ubyte holds int32 of shape \[2\]; needs uint8 with 1 axis/,
    );
  });

  test("of a damaged file name it", async () => {
    putSet();
    writeFileSync(
      join(folder, "t10k-images-idx3-ubyte"),
      encodeIdx(bytes([1, 1, 2], [1, 2])).subarray(0, -1),
    );
    expect(await failure()).toMatch(/t10k-images-idx3-ubyte is truncated/);
  });
});

const real = process.env.THALWEG_MNIST ?? join(import.meta.dirname, "../../../shared/data/mnist");
const absent = !existsSync(real);

describe("MNIST itself", () => {
  const sha256 = (array: NDArray): string =>
    createHash("sha256")
      .update(
        encodeIdx({ dtype: "uint8", shape: array.shape, data: array.astype("uint8").data as Uint8Array }),
      )
      .digest("hex");

  // Encoded again, what was read has the sums of the original files.
  test.skipIf(absent)(`is read byte by byte${absent ? ` (skipped: there is no ${real})` : ""}`, async () => {
    const { train, test: held } = await mnist(real);
    expect(train.shape).toEqual([60_000, 28, 28]);
    expect(held.shape).toEqual([10_000, 28, 28]);
    expect([train.images, train.labels, held.images, held.labels].map(sha256)).toEqual([
      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ]);
    expect(train.get(0)[1].item()).toBe(5);
  });
});
