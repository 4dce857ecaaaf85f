/** Where the tests find MNIST itself, which is not part of the project. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ImageDatasets, mnist } from "../lib/data/mnist.js";
import type { Tensor } from "../lib/tensor.js";

const FOLDER = process.env.THALWEG_MNIST ?? join(import.meta.dirname, "../../shared/data/mnist");

/** Whether tests on MNIST have to be skipped, and what their names say then. */
export const isMnistAbsent = !existsSync(FOLDER);
export const mnistNote = isMnistAbsent ? ` (skipped: there is no ${FOLDER})` : "";

let loaded: Promise<ImageDatasets> | undefined;

/** The first images of a part, float32 [count, 784] in [0, 1], and their labels, int32 [count]. */
export async function firstOfMnist(
  part: "train" | "test",
  count: number,
): Promise<[images: Tensor, labels: Tensor]> {
  loaded ??= mnist(FOLDER);
  return (await loaded)[part].batch(Int32Array.from({ length: count }, (_, i) => i));
}
