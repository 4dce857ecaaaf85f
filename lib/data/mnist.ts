/** The four files of MNIST, and of the sets that come in its form (Fashion-MNIST, KMNIST), as datasets. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "../errors.js";
import { checkPath } from "../io/arguments.js";
import { readIdx } from "../io/idx_ndarray.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { formatShape } from "../ndarray/shape.js";
import { ImageDataset } from "./image_dataset.js";

/** A training and a test set. */
export interface ImageDatasets {
  train: ImageDataset;
  test: ImageDataset;
}

const CLASSES = 10;
const PARTS = { train: "train", test: "t10k" } as const;
const KINDS = { images: "idx3-ubyte", labels: "idx1-ubyte" } as const;

/**
 * Reads MNIST from a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 * `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`; a dot may stand for the second hyphen, and each may
 * be gzipped (`.gz`).
 *
 * @returns images uint8 [N, H, W], labels int32 [N] in 0 … 9
 * @throws FormatError for a missing or damaged file, and for images and labels that do not belong together
 */
export async function mnist(dir: string): Promise<ImageDatasets> {
  const paths = locate(checkPath("mnist", dir));
  const [train, test] = await Promise.all([readPart(paths.train), readPart(paths.test)]);
  return { train, test };
}

interface PartPaths {
  images: string;
  labels: string;
}

/** Finds the four files, or says all that is missing at once. */
function locate(dir: string): Record<keyof typeof PARTS, PartPaths> {
  const missing: string[] = [];
  const find = (part: string, kind: keyof typeof KINDS): string => {
    const name = `${part}-${kind}`;
    const candidates = ["-", "."].flatMap((joint) =>
      ["", ".gz"].map((end) => `${name}${joint}${KINDS[kind]}${end}`),
    );
    const found = candidates.find((candidate) => existsSync(join(dir, candidate)));
    if (found === undefined) missing.push(`${name} (${candidates.join(", ")})`);
    return join(dir, found ?? name);
  };
  const findPart = (part: string): PartPaths => ({
    images: find(part, "images"),
    labels: find(part, "labels"),
  });
  const paths = { train: findPart(PARTS.train), test: findPart(PARTS.test) };
  if (missing.length > 0) {
    throw new FormatError(`mnist: in ${dir} there is none of the files for ${missing.join("; nor for ")}`);
  }
  return paths;
}

async function readPart(paths: PartPaths): Promise<ImageDataset> {
  const [images, labels] = await Promise.all([readBytes(paths.images, 3), readBytes(paths.labels, 1)]);
  if (images.shape[0] !== labels.shape[0]) {
    throw new FormatError(
      `mnist: ${paths.images} has ${images.shape[0]} images, but ${paths.labels} has ${labels.shape[0]} labels; ` +
        "there must be one label for each image",
    );
  }
  const wrong = labels.data.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) {
    throw new FormatError(
      `mnist: ${paths.labels} has label ${labels.data[wrong]} at ${wrong}; labels are 0 … 9`,
    );
  }
  return new ImageDataset(images, labels);
}

async function readBytes(path: string, rank: number): Promise<NDArray> {
  const array = await readIdx(path);
  if (array.dtype !== "uint8" || array.ndim !== rank) {
    throw new FormatError(
      `mnist: ${path} holds ${array.dtype} of shape ${formatShape(array.shape)}; needs uint8 with ${rank} ` +
        `${rank === 1 ? "axis [N]" : "axes [N,H,W]"}`,
    );
  }
  return array;
}
