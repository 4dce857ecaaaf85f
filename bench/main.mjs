// npm run bench -- [--filter REGEX] [--threads N] [--json FILE]: the native executor against the TypeScript one, and
// the eager training step against PyTorch's where python3-torch is installed. Every row is verified, then timed.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { backendInfo, setNumThreads } from "../dist/index.js";
import { compare } from "./harness.mjs";
import { kernelRows } from "./rows/kernels.mjs";
import { trainRows } from "./rows/train.mjs";

const { values: options } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    threads: { type: "string" },
    json: { type: "string" },
  },
});
const filter = new RegExp(options.filter);
if (options.threads) setNumThreads(Number(options.threads));
const { backend, isa, threads } = backendInfo();
if (backend !== "native") {
  console.error("bench: the native binary is not loaded (see thalweg info); there is nothing to compare");
  process.exit(1);
}

const perUnit = {
  "GFLOP/s": (work, ns) => work / ns,
  "GB/s": (work, ns) => work / ns,
  us: (_work, ns) => ns / 1e3,
  "samples/s": (work, ns) => (work / ns) * 1e9,
};

console.log(`native (${isa}, ${threads} threads); ratio = the other's time over ours, median of pairs`);
console.log(
  `${"name".padEnd(44)}${"median".padStart(10)}${"best".padStart(10)} ${"unit".padEnd(10)}${"ratio".padStart(8)}  against`,
);
const rows = [];
for (const row of [...kernelRows(), ...trainRows()]) {
  if (!filter.test(row.name)) continue;
  const prepared = await row.prepare();
  if (prepared.missing) {
    console.log(`${row.name.padEnd(44)}${prepared.missing}`);
    continue;
  }
  try {
    const measured = await compare(prepared.ours, prepared.theirs, prepared);
    const convert = (ns) => perUnit[row.unit](row.work, ns);
    const result = {
      name: row.name,
      shape: row.shape,
      dtype: row.dtype,
      backend,
      isa,
      threads,
      median: convert(measured.median),
      best: convert(measured.best),
      unit: row.unit,
      peakFraction: null,
      residual: prepared.residual,
      ratio: measured.ratio,
      against: prepared.against,
    };
    rows.push(result);
    const number = (x) => x.toPrecision(4).padStart(10);
    console.log(
      `${row.name.padEnd(44)}${number(result.median)}${number(result.best)} ${row.unit.padEnd(10)}` +
        `${result.ratio.toFixed(2).padStart(8)}  ${result.against}${prepared.note ? ` (${prepared.note})` : ""}`,
    );
  } finally {
    await prepared.close?.();
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
