// Timing: ours and theirs alternate within one run, and the ratio is taken pair by pair.

const now = () => Number(process.hrtime.bigint());

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Nanoseconds per call of `body`, over `calls` calls. `body` may instead return the nanoseconds it measured. */
async function time(body, calls) {
  const start = now();
  const measured = await body(calls);
  return (measured ?? now() - start) / calls;
}

/** How many calls take about 20 ms. */
async function calibrate(body) {
  for (let calls = 1; ; calls *= 2) {
    const perCall = await time(body, calls);
    if (perCall * calls > 2e6 || calls >= 1 << 20) return Math.max(1, Math.round(2e7 / perCall));
  }
}

/**
 * Times two bodies in turn; each takes a number of calls to make. Returns nanoseconds per call of the first (median
 * and best) and the median ratio second / first.
 */
export async function compare(ours, theirs, { pairs = 15 } = {}) {
  const ourCalls = await calibrate(ours);
  const theirCalls = theirs ? await calibrate(theirs) : 0;
  const times = [];
  const ratios = [];
  for (let pair = 0; pair < pairs; pair++) {
    const a = await time(ours, ourCalls);
    times.push(a);
    if (theirs) ratios.push((await time(theirs, theirCalls)) / a);
  }
  return { median: median(times), best: Math.min(...times), ratio: theirs ? median(ratios) : null };
}

/** Calls a synchronous function a number of times. */
export const repeat = (body) => (calls) => {
  for (let i = 0; i < calls; i++) body();
};
