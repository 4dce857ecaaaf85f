/**
 * The drawn digits: the same on every machine, prefixes agree, classes are balanced, and the images are ink
 * on paper.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { DIGIT_SIZE, drawDigits } from "../../lib/data/digits_images.js";
import { ArgumentError } from "../../lib/errors.js";

const PIXELS = DIGIT_SIZE * DIGIT_SIZE;

describe("drawDigits", () => {
  it("draws the committed images on every machine", () => {
    const { images, labels } = drawDigits(64, 0);
    const hash = createHash("sha256").update(labels).update(images).digest("hex");
    expect(hash).toBe("8bb3f192ca8a31cfc323d4307ba852caa6390e91b242932a5621a4c230a70e77");
  });

  it("is a pure function whose image i depends on seed and i alone", () => {
    const long = drawDigits(50, 3);
    const short = drawDigits(20, 3);
    expect(drawDigits(50, 3)).toEqual(long);
    expect(short.images).toEqual(long.images.subarray(0, 20 * PIXELS));
    expect(short.labels).toEqual(long.labels.subarray(0, 20));
  });

  it("uses every bit of the seed", () => {
    const draws = [0, 1, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53 - 1].map((seed) =>
      drawDigits(8, seed).images.join(),
    );
    expect(new Set(draws).size).toBe(draws.length);
  });

  it("repeats no image within a set", () => {
    const { images } = drawDigits(300, 1);
    const seen = new Set(
      Array.from({ length: 300 }, (_, i) => images.subarray(i * PIXELS, (i + 1) * PIXELS).join()),
    );
    expect(seen.size).toBe(300);
  });

  it("draws the labels uniformly", () => {
    const n = 5000;
    const counts = new Array<number>(10).fill(0);
    for (const label of drawDigits(n, 5).labels) counts[label]++;
    const deviation = Math.sqrt(n * 0.1 * 0.9);
    for (const count of counts) expect(Math.abs(count - n / 10)).toBeLessThan(4 * deviation);
  });

  it("leaves the border nearly empty and writes a fair amount of dark ink", () => {
    const n = 500;
    const { images } = drawDigits(n, 2);
    for (let i = 0; i < n; i++) {
      const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
      const dark = image.filter((value) => value > 128).length;
      expect(dark).toBeGreaterThan(20);
      expect(dark).toBeLessThan(PIXELS / 2);
      const corners = [0, DIGIT_SIZE - 1, PIXELS - DIGIT_SIZE, PIXELS - 1].map((at) => image[at]);
      expect(Math.max(...corners)).toBeLessThan(16);
    }
  });

  it("can be told apart: the nearest class mean is right far more often than chance", () => {
    const n = 2000;
    const { images, labels } = drawDigits(n + 500, 4);
    const means = Array.from({ length: 10 }, () => new Float64Array(PIXELS));
    const counts = new Float64Array(10);
    for (let i = 0; i < n; i++) {
      counts[labels[i]]++;
      for (let p = 0; p < PIXELS; p++) means[labels[i]][p] += images[i * PIXELS + p];
    }
    let correct = 0;
    for (let i = n; i < n + 500; i++) {
      const distances = means.map((mean, label) => {
        let sum = 0;
        for (let p = 0; p < PIXELS; p++) sum += (images[i * PIXELS + p] - mean[p] / counts[label]) ** 2;
        return sum;
      });
      if (distances.indexOf(Math.min(...distances)) === labels[i]) correct++;
    }
    expect(correct).toBeGreaterThan(250);
    expect(correct).toBeLessThan(475);
  });

  it("draws no images for n = 0", () => {
    expect(drawDigits(0, 0)).toEqual({ images: new Uint8Array(0), labels: new Uint8Array(0) });
  });

  it.each([
    [-1, 0],
    [1.5, 0],
    [NaN, 0],
    [2 ** 22, 0],
    [1, -1],
    [1, 0.5],
    [1, 2 ** 53],
  ])("refuses n = %s, seed = %s", (n, seed) => {
    expect(() => drawDigits(n, seed)).toThrow(ArgumentError);
    expect(() => drawDigits(n, seed)).toThrow(
      /^drawDigits: (n|seed) is \S+; it must be an integer in \[0, 2\^\d+\)$/,
    );
  });
});
