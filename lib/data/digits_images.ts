/**
 * Handwritten-looking digits that the program draws itself, so that training, tests and the quickstart need
 * no files. A set in the format of MNIST: 28×28 grey values and a label.
 */
import { ArgumentError } from "../errors.js";
import { SKELETONS } from "./digits/glyphs.js";
import { write } from "./digits/handwriting.js";
import { ImageRandom } from "./digits/image_random.js";
import { drawInk } from "./digits/raster.js";

/** Width and height of an image. */
export const DIGIT_SIZE = 28;

/**
 * Draws `n` labelled digits. Image i is a function of (seed, i) alone, the same on every machine: a longer
 * set starts with the shorter one, and `drawDigits(n + m, seed)` splits into n training and m test images.
 *
 * @param n number of images, an integer in [0, 2^22): 3 GiB of pixels
 * @param seed an integer in [0, 2^53)
 * @returns `images`: uint8 n·28·28, row-major, 0 is paper and 255 full ink; `labels`: uint8 n, 0 … 9, uniform
 * @throws ArgumentError
 */
export function drawDigits(n: number, seed: number): { images: Uint8Array; labels: Uint8Array } {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 22) {
    throw new ArgumentError(`drawDigits: n is ${String(n)}; it must be an integer in [0, 2^22)`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`drawDigits: seed is ${String(seed)}; it must be an integer in [0, 2^53)`);
  }
  const pixels = DIGIT_SIZE * DIGIT_SIZE;
  const images = new Uint8Array(n * pixels);
  const labels = new Uint8Array(n);
  const random = new ImageRandom(seed);
  const ink = new Float64Array(pixels);
  for (let i = 0; i < n; i++) {
    random.seek(i);
    const label = random.below(SKELETONS.length);
    const ways = SKELETONS[label];
    const path = write(ways[random.below(ways.length)], DIGIT_SIZE, random);
    drawInk(path, DIGIT_SIZE, random, ink, images.subarray(i * pixels, (i + 1) * pixels));
    labels[i] = label;
  }
  return { images, labels };
}
