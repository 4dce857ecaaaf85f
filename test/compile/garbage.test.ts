/** What compiled functions no longer need is freed, also in a loop that never gives the event loop a turn. */
import { expect, test } from "vitest";
import { compile, ones } from "../../lib/index.js";

const MIB = 2 ** 20;
/** Elements of a temporary, one MiB of float32. */
const SIZE = MIB / 4;
const ROUNDS = 400;
/** All that the rounds use is so many MiB and more; the garbage collector lets some of it gather. */
const MOST_MIB = 200;

/** The most memory of typed arrays while `body` is called again and again. */
function peak(body: (round: number) => unknown): number {
  let most = 0;
  for (let round = 0; round < ROUNDS; round++) {
    body(round);
    if (round % 10 === 9) most = Math.max(most, process.memoryUsage().arrayBuffers / MIB);
  }
  return most;
}

test("the memory of programs that others have replaced", () => {
  const step = compile((x) => x.softmax(0).square().sum());
  // More sizes than programs are kept.
  const xs = Array.from({ length: 12 }, (_, i) => ones([SIZE + i]));
  expect(peak((round) => step.sync(xs[round % xs.length]))).toBeLessThan(MOST_MIB);
});

test("the memory of compiled functions that are gone", () => {
  const x = ones([SIZE]);
  expect(peak(() => compile((y) => y.softmax(0).square().sum()).sync(x))).toBeLessThan(MOST_MIB);
});
