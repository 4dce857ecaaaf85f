// Timing: ours and theirs alternate within one run, and the ratio is taken pair by pair.

const now = () => Number(process.hrtime.bigint());

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Threads of the other side spin for some tens of milliseconds before they sleep; they must not spin on our time. */
const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
const SETTLE_MS = 60;

/** Nanoseconds per call of `body`, over `calls` calls. `body` may instead return the nanoseconds it measured. */
async function time(body, calls) {
  const start = now();
  const measured = await body(calls);
  return (measured ?? now() - start) / calls;
}

/** How many calls take about `target` ns. */
async function calibrate(body, target) {
  for (let calls = 1; ; calls *= 2) {
    const perCall = await time(body, calls);
    if (perCall * calls > 2e6 || calls >= 1 << 20) return Math.max(1, Math.round(target / perCall));
  }
}

/**
 * Times two bodies in turn (with a pause between where the second is another process); each takes a number of calls to make. Returns nanoseconds per call of the first (median
 * and best) and the median ratio second / first.
 */
export async function compare(ours, theirs, { pairs = 15, isOtherProcess = false } = {}) {
  const turn = isOtherProcess ? settle : () => {};
  // After a pause caches are cold and threads asleep: a turn is long enough that this does not count.
  const target = isOtherProcess ? 2e8 : 2e7;
  await turn();
  const ourCalls = await calibrate(ours, target);
  await turn();
  const theirCalls = theirs ? await calibrate(theirs, target) : 0;
  const times = [];
  const ratios = [];
  for (let pair = 0; pair < pairs; pair++) {
    await turn();
    const a = await time(ours, ourCalls);
    times.push(a);
    await turn();
    if (theirs) ratios.push((await time(theirs, theirCalls)) / a);
  }
  return { median: median(times), best: Math.min(...times), ratio: theirs ? median(ratios) : null };
}

/** Calls a synchronous function a number of times. */
export const repeat = (body) => (calls) => {
  for (let i = 0; i < calls; i++) body();
};
