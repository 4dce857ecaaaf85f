// npm run bench:peers -- [--filter REGEX] [--threads 1,2] [--peers NAME,…] [--json FILE] [--report FILE.html]
// The same work on every peer that is installed, one peer after the other, ours and theirs in turn.
import { allCases } from "../cases/all.mjs";
import { trainCases } from "../cases/networks.mjs";
import { compareLosses, onTraining, trainInputs } from "../cases/train.mjs";
import { ceilingOf, ceilingRows } from "../ceilings/ceilings.mjs";
import { onNative, onTypeScript, verify } from "../executors.mjs";
import { parseOptions, Session } from "../session.mjs";
import { betterBlas } from "../summary.mjs";
import { blis, openblas } from "./blas.mjs";
import { installPackages } from "./install.mjs";
import { jaxJs } from "./jax_js.mjs";
import { onnxruntime } from "./onnxruntime.mjs";
import { pytorch } from "./pytorch.mjs";
import { tfjsCpu, tfjsWasm } from "./tfjs.mjs";

// A peer: name, how to install it, `threads` if it has no choice, `backend` of ours to hold it against if not native,
// and open() → { about, prepare(work, inputs, threads) → its side, or null where it cannot do that work, close() }.
const PEERS = [openblas, blis, pytorch, onnxruntime, tfjsWasm, tfjsCpu, jaxJs];

const TYPESCRIPT = { backend: "ts", isa: "js", threads: 1 };

/** Times one case against an opened peer, if that can do it. */
async function measure(session, work, { name, backend = "native" }, peer, threads) {
  const isTrain = work.kind === "train";
  const inputs = isTrain ? trainInputs(work) : work.inputs();
  let theirs;
  try {
    theirs = await peer.prepare(work, inputs, threads);
  } catch (error) {
    theirs = {
      run: () => {
        throw error;
      },
    };
  }
  if (theirs === null) return;
  await session.measure(work, async (keep) => {
    keep(theirs);
    const common = { theirs, against: name, ...(backend === "ts" && { by: TYPESCRIPT }) };
    if (isTrain) {
      const ours = await onTraining(work, backend);
      return { ...common, ours, residual: compareLosses(work, ours, theirs), floorNs: session.floorOf(work) };
    }
    const ours = keep((backend === "ts" ? onTypeScript : onNative)(work, inputs));
    const residual = await verify(work, ours, backend);
    await verify(work, theirs, name);
    const ceiling = backend === "native" && ceilingOf(work, threads, ours.operands);
    return { ...common, ours, ceiling, residual };
  });
}

async function open(peer, missing) {
  try {
    return await peer.open();
  } catch (error) {
    missing.push(
      `${peer.name} does not run here (${error.message.split("\n")[0]}); to install it: ${peer.install}`,
    );
    return null;
  }
}

const options = parseOptions({ peers: { type: "string", default: PEERS.map(({ name }) => name).join() } });
const names = options.peers.split(",");
const chosen = PEERS.filter(({ name }) => names.includes(name));
if (chosen.length < names.length) {
  console.error(
    `bench:peers: --peers ${options.peers}; there are ${PEERS.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}
installPackages();
const session = new Session({ rounds: 15, budgetNs: 1.8e9 });
const cases = [...allCases(), ...trainCases()].filter(options.selects);
const missing = [];

for (const threads of options.threads) {
  session.setThreads(threads);
  for (const { work, side } of ceilingRows(threads)) await session.measure(work, () => ({ ours: side }));
}
for (const description of chosen) {
  const peer = await open(description, missing);
  if (peer === null) continue;
  session.say(`-- ${description.name}: ${peer.about}`);
  for (const threads of options.threads.filter(
    (n) => !description.threads || description.threads.includes(n),
  )) {
    session.setThreads(threads);
    for (const work of cases) await measure(session, work, description, peer, threads);
  }
  await peer.close?.();
}
for (const line of [...betterBlas(session.rows), ...missing]) session.say(line);
await session.finish(options);
process.exit(); // some peers leave threads that would keep the process
