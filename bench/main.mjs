// npm run bench -- [--filter REGEX] [--threads 1,2] [--json FILE] [--report FILE.html]
// The native executor against the TypeScript one, and against what the machine can do at most; training steps called in
// one way against another. Every side of a row is verified before it is timed.
import { allCases } from "./cases/all.mjs";
import { eagerCases, onEagerOperation } from "./cases/eager.mjs";
import { callCases, trainCases } from "./cases/networks.mjs";
import { compareLosses, onTraining } from "./cases/train.mjs";
import { ceilingOf, ceilingRows } from "./ceilings/ceilings.mjs";
import { onNative, onTypeScript, verify } from "./executors.mjs";
import { parseOptions, Session } from "./session.mjs";

// A call of the TypeScript executor beyond these takes most of a second and more.
const MOST_FLOPS = 3e8;
const MOST_FLOPS_OF_STEP = 1e9;
const MOST_BYTES = 1e8;
const SCALED = ["matmul 1024x1024x1024 nn", "matmul 512x512x512 nn"];
const isQuick = ({ flops = 0, bytes }) => flops <= MOST_FLOPS && bytes <= MOST_BYTES;

/** Both executors on one case, verified; the ceiling is that of the kernel, and the public API has none. */
async function prepare(work, threads, keep) {
  const inputs = work.inputs();
  const side = (backend) => {
    if (work.call) return onEagerOperation(work, inputs, backend);
    return backend === "ts" ? onTypeScript(work, inputs) : onNative(work, inputs);
  };
  const ours = keep(side("native"));
  const residual = await verify(work, ours, "native");
  const ceiling = work.call ? undefined : ceilingOf(work, threads, ours.operands);
  if (!isQuick(work)) return { ours, ceiling, residual };
  const theirs = keep(side("ts"));
  await verify(work, theirs, "TypeScript");
  return { ours, theirs, ceiling, residual, against: "ts" };
}

/** Compiled steps on both executors. */
async function prepareTraining(work) {
  const floorNs = session.floorOf(work);
  const ours = await onTraining(work, "native");
  const isSlow = work.floor.flops > MOST_FLOPS_OF_STEP;
  // What is too slow on the TypeScript executor is held against the plain function, untimed.
  const theirs = await (isSlow ? onTraining(work, "native", "eager") : onTraining(work, "ts"));
  const residual = compareLosses(work, ours, theirs);
  return isSlow ? { ours, residual, floorNs } : { ours, theirs, residual, floorNs, against: "ts" };
}

/** One way to call a step against the plain row's. */
async function prepareCalls(work) {
  const ours = await onTraining(work, "native", work.way);
  const theirs = await onTraining(work, "native", "sync");
  const residual = compareLosses(work, ours, theirs);
  return { ours, theirs, residual, floorNs: session.floorOf(work), against: "sync" };
}

/** A product on all threads against one: their times are `ratio` apart, and rates are those of all. */
async function measureScaling(work, threads) {
  const on = (count, run) => (calls) => {
    session.setThreads(count);
    run(calls);
  };
  await session.measure({ ...work, name: `scaling ${work.name.replace("matmul ", "")}` }, async (keep) => {
    const one = keep(onNative(work, work.inputs()));
    const residual = await verify(work, one, "native");
    const sides = [threads, 1].map((count) => ({ run: on(count, one.run) }));
    const by = { ...session.native, threads };
    return { ours: sides[0], theirs: { ...sides[1], note: "over one thread" }, residual, by };
  });
}

const options = parseOptions();
const session = new Session({ rounds: 9, budgetNs: 1.2e9 });
const instructions = allCases();
const cases = [...instructions, ...eagerCases(instructions)].filter(options.selects);

for (const threads of options.threads) {
  session.setThreads(threads);
  for (const { work, side } of ceilingRows(threads)) await session.measure(work, () => ({ ours: side }));
  for (const work of cases) await session.measure(work, (keep) => prepare(work, threads, keep));
  for (const work of trainCases().filter(options.selects)) {
    await session.measure(work, () => prepareTraining(work));
  }
  for (const work of callCases().filter(options.selects)) {
    await session.measure(work, () => prepareCalls(work));
  }
}
const most = Math.max(...options.threads);
if (most > 1) {
  const chosen = instructions.filter(({ name }) => SCALED.includes(name)).filter(options.selects);
  for (const work of chosen) await measureScaling(work, most);
}
await session.finish(options);
