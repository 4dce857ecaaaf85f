/** The digits that the program draws itself, as datasets. */
import { ArgumentError } from "../errors.js";
import { fromTypedArray } from "../ndarray/creation.js";
import { withDefaults } from "../options.js";
import { DIGIT_SIZE, drawDigits } from "./digits_images.js";
import { ImageDataset } from "./image_dataset.js";
import type { ImageDatasets } from "./mnist.js";

/** Options of `digits`. */
export interface DigitsOptions {
  /** Number of training images, 1 to 1,000,000 (default 12,000); there are n / 5 test images, rounded up. */
  n?: number;
  /** An integer in [0, 2^53) (default 0). */
  seed?: number;
}

const TRAIN_PER_TEST = 5;
// Their pixels fill a gigabyte.
const MAX_DIGITS = 1_000_000;

/**
 * Handwritten-looking digits in the format of MNIST (28×28, labels 0 … 9), drawn on the spot: the same on
 * every machine for the same options. No test image is a training image.
 *
 * @throws ArgumentError for an option outside its range
 */
export function digits(options: DigitsOptions = {}): ImageDatasets {
  const { n, seed } = withDefaults<Required<DigitsOptions>>("digits", options, { n: 12_000, seed: 0 });
  if (!Number.isInteger(n) || n < 1 || n > MAX_DIGITS) {
    throw new ArgumentError(`digits: n must be an integer in [1, ${MAX_DIGITS}], got ${String(n)}`);
  }
  const total = n + Math.ceil(n / TRAIN_PER_TEST);
  const { images, labels } = drawDigits(total, seed);
  const allImages = fromTypedArray(images, [total, DIGIT_SIZE, DIGIT_SIZE]);
  const allLabels = fromTypedArray(labels, [total]);
  const part = (start: number, stop: number): ImageDataset =>
    new ImageDataset(allImages.slice([start, stop]), allLabels.slice([start, stop]));
  return { train: part(0, n), test: part(n, total) };
}
