/**
 * Ink on pixels: draws the straight pieces of a path, anti-aliased, and adds what a scanner adds. Uses + − ×
 * ÷ √ only, so the pixels are the same on every engine.
 */
import type { InkPath } from "./handwriting.js";
import type { ImageRandom } from "./image_random.js";

const SOFTNESS = [1.4, 2.2] as const; // width of an edge from full ink to none, pixels: above 1 is blur
const DARKNESS = [0.85, 1] as const; // of full ink
const GRAIN = 0.15; // the share of a pixel's ink that may be missing
const SPECKLE = 0.03; // largest grey value of empty paper

/**
 * Draws `path` over all size·size grey values (0 paper, 255 full ink) of `image`, row-major. `ink` is
 * scratch.
 */
export function drawInk(
  path: InkPath,
  size: number,
  random: ImageRandom,
  ink: Float64Array,
  image: Uint8Array,
): void {
  const softness = random.uniform(...SOFTNESS);
  const darkness = random.uniform(...DARKNESS);
  ink.fill(0);
  for (let i = 0; i < path.length; i += 6) {
    drawPiece(path[i], path[i + 1], path[i + 2], path[i + 3], path[i + 4], path[i + 5], softness, size, ink);
  }
  let bits = 0;
  for (let i = 0; i < ink.length; i++) {
    bits = i % 4 === 0 ? random.word() : bits >>> 8; // a byte of noise per pixel
    const noise = (bits & 255) / 255;
    const value = darkness * ink[i] * (1 - GRAIN * noise) + SPECKLE * (1 - ink[i]) * noise;
    image[i] = Math.floor(255 * value + 0.5);
  }
}

/**
 * One straight piece with round ends. A pixel's coverage falls linearly with its distance from the edge of
 * the ink, over `softness` pixels; where pieces overlap the larger coverage counts.
 */
function drawPiece(
  x0: number,
  y0: number,
  radius0: number,
  x1: number,
  y1: number,
  radius1: number,
  softness: number,
  size: number,
  ink: Float64Array,
): void {
  const reach = Math.max(radius0, radius1) + softness / 2;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(size - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(size - 1, Math.floor(Math.max(y0, y1) + reach));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const lengthSquared = dx * dx + dy * dy;
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - y0;
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0;
      const along = lengthSquared > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / lengthSquared)) : 0;
      const ox = px - along * dx;
      const oy = py - along * dy;
      const radius = radius0 + along * (radius1 - radius0);
      const coverage = 0.5 + (radius - Math.sqrt(ox * ox + oy * oy)) / softness;
      const at = row * size + column;
      if (coverage > ink[at]) ink[at] = Math.min(1, coverage);
    }
  }
}
