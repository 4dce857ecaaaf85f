// npm run bench:peers -- [--filter REGEX] [--threads 1,2] [--peers NAME,…] [--json FILE]: the same work on every peer
// that is installed, one peer after the other, ours and theirs in turn.
import { matmulCases } from "../cases/matmul.mjs";
import { onNative, verify } from "../executors.mjs";
import { geometricMean } from "../harness.mjs";
import { parseOptions, Session } from "../session.mjs";
import { blis, openblas } from "./blas.mjs";

const PEERS = [openblas, blis];

const options = parseOptions({ peers: { type: "string", default: PEERS.map(({ name }) => name).join() } });
const names = options.peers.split(",");
const session = new Session();
const cases = matmulCases().filter(options.selects);
const missing = [];

for (const { name, install, open } of PEERS.filter((peer) => names.includes(peer.name))) {
  let peer;
  try {
    peer = await open();
  } catch (error) {
    missing.push(`${name} does not run here (${error.message.split("\n")[0]}); install it with: ${install}`);
    continue;
  }
  session.say(`-- ${name}: ${peer.about}`);
  for (const threads of options.threads) {
    session.setThreads(threads);
    for (const work of cases) {
      const inputs = work.inputs();
      const theirs = await peer.prepare(work, inputs, threads);
      if (theirs === null) continue;
      await session.measure(work, async (keep) => {
        keep(theirs);
        const ours = keep(onNative(work, inputs));
        const residual = await verify(work, ours, "native");
        await verify(work, theirs, name);
        return { ours, theirs, residual, against: name };
      });
    }
  }
  await peer.close?.();
}

/** The ratio to the better BLAS library: geometric mean over all products, and the worst. */
for (const threads of options.threads) {
  const worst = new Map();
  for (const row of session.rows) {
    if (row.threads !== threads || !["openblas", "blis"].includes(row.against)) continue;
    worst.set(row.name, Math.min(worst.get(row.name) ?? Number.POSITIVE_INFINITY, row.ratio));
  }
  if (worst.size === 0) continue;
  const [name, ratio] = [...worst].reduce((a, b) => (b[1] < a[1] ? b : a));
  session.say(
    `matmul against the better of OpenBLAS and BLIS, ${threads} thread(s): geometric mean ` +
      `${geometricMean([...worst.values()]).toFixed(3)} over ${worst.size} shapes; least ${ratio.toFixed(3)} at ${name}`,
  );
}
for (const line of missing) session.say(line);
session.finish(options.json);
