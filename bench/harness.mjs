// Timing: sides take turns within one run, and ratios are taken turn by turn, so that what the machine does meanwhile
// meets all. A body takes a number of calls to make and returns nothing, or the nanoseconds it measured.

const now = () => Number(process.hrtime.bigint());
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);

/** A body that calls a synchronous function. */
export const repeat = (call) => (calls) => {
  for (let i = 0; i < calls; i++) call();
};

// A turn is long against the clock and the first call after a change of sides, short against drifts of the machine.
const TURN_NS = 2e7;
const WARM_UP_NS = 2e6;
const MOST_CALLS = 1 << 20;
const FEWEST_ROUNDS = 3;
// Threads of one side must not spin on the other's time: libgomp's do so for some milliseconds after a call.
const SETTLE_MS = 40;
// After a rest the system may keep all threads of a side on one core for about 10 ms, until it balances its load.
const WARM_UP_AFTER_REST_NS = 2e7;
const TURN_AFTER_REST_NS = 4e7;

/** Nanoseconds per call. */
async function time(body, calls) {
  const start = now();
  const measured = await body(calls);
  return (measured ?? now() - start) / calls;
}

/** Nanoseconds of one call, roughly; the body is warm afterwards, having run for as long and longer. */
async function estimate(body, warmUpNs) {
  for (let calls = 1; ; calls *= 2) {
    const perCall = await time(body, calls);
    if (perCall * calls >= warmUpNs || calls >= MOST_CALLS) return perCall;
  }
}

/** Prepares a side for turns: `take()` gives nanoseconds per call over one turn, `cost` about what it takes. */
async function turns({ run, turnNs = TURN_NS }, rests, warmUpNs) {
  const length = rests ? TURN_AFTER_REST_NS : turnNs;
  const rest = async () => {
    if (rests) await sleep(SETTLE_MS);
  };
  await rest();
  const perCall = await estimate(run, warmUpNs);
  const callsIn = (ns) => Math.min(MOST_CALLS, Math.max(1, Math.round(ns / perCall)));
  return {
    cost:
      Math.max(perCall, length) + (rests ? SETTLE_MS * 1e6 + Math.max(perCall, WARM_UP_AFTER_REST_NS) : 0),
    take: async () => {
      await rest();
      // Those calls do not count.
      if (rests) await time(run, callsIn(WARM_UP_AFTER_REST_NS));
      return time(run, callsIn(length));
    },
  };
}

/**
 * Times sides in turn. A side is `{ run, turnNs?, hasThreads? }`: `run(calls)` is its body, and `hasThreads` says that
 * it leaves threads behind that spin for a while; then all sides rest before their turns, but those with `isCeiling`,
 * which follow ours at once. Slow sides get fewer rounds than `rounds`, so as to take no more than `budgetNs` if
 * possible; before the first round each runs for `warmUpNs`. Returns for each side the nanoseconds per call, turn by turn.
 */
export async function takeTurns(sides, pace = {}) {
  const { rounds: most = 15, budgetNs = 2.5e9, warmUpNs = WARM_UP_NS } = pace;
  const rests = sides.some(({ hasThreads }) => hasThreads);
  const prepared = [];
  for (const side of sides) prepared.push(await turns(side, rests && !side.isCeiling, warmUpNs));
  const cost = prepared.reduce((sum, side) => sum + side.cost, 0);
  const rounds = Math.min(most, Math.max(FEWEST_ROUNDS, Math.floor(budgetNs / cost)));
  const times = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of prepared.entries()) times[i].push(await side.take());
  }
  return times;
}

/** Median of b over a, turn by turn. */
export const medianRatio = (a, b) => median(b.map((ns, i) => ns / a[i]));
