// npm run bench:readme -- [--rows FILE,…] [--mnist FILE]: runs both benchmarks and writes bench/README.md and
// runs/bench/report.html. With --rows it takes the rows that were written with --json on this machine, instead of
// running. MNIST, which needs its files, is never run: what bench:mnist has written with --json is taken.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.mjs";
import { labelOf, threadsOf } from "./report/names.mjs";
import { reportPage } from "./report/report.mjs";
import { betterBlas } from "./summary.mjs";

const BENCH = fileURLToPath(new URL(".", import.meta.url));
const OUTPUT = join(BENCH, "..", "runs", "bench");

/** Rows of a benchmark that runs in a process of its own. */
function runBenchmark(script) {
  const file = join(OUTPUT, `${script.replace(/\W/g, "_")}.json`);
  const { status } = spawnSync(process.execPath, [join(BENCH, script), "--json", file], { stdio: "inherit" });
  if (status !== 0) throw new Error(`${script} ended with ${status}`);
  return readRows(file);
}

const readRows = (file) => JSON.parse(readFileSync(file, "utf8"));

const markdownTable = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");

const fixed = (x, digits = 2) => (x === undefined || x === null ? "" : x.toFixed(digits));
const speed = (row) => (row ? row.median.toPrecision(3) : "");
const namesOf = (rows) => [...new Set(rows.map(({ name }) => name))];

/** Looks rows up by name, threads and whom they are against. */
const finder = (rows) => (name, threads, against) =>
  rows.find(
    (row) =>
      row.name === name && row.threads === threads && (against === undefined || row.against === against),
  );

/** Name, then for each count of threads: speed (with its unit, where `unit` names none) and the ratio to the others. */
function ratioTable(rows, unit, others, columns = []) {
  const speedOf = (row) => (row && unit === null ? `${speed(row)} ${row.unit}` : speed(row));
  const find = finder(rows);
  const threads = [...new Set(rows.map((row) => row.threads))].sort((a, b) => a - b);
  const head = threads.flatMap((n) => [
    `${unit ?? "ours"}, ${n} thr`,
    ...columns.map(({ title }) => title),
    ...others.map((other) => labelOf(other)),
  ]);
  const body = namesOf(rows).map((name) => [
    name,
    ...threads.flatMap((n) => [
      speedOf(find(name, n)),
      ...columns.map(({ value }) => value(find(name, n))),
      ...others.map((other) => fixed(find(name, n, other)?.ratio)),
    ]),
  ]);
  return markdownTable(["", ...head], body);
}

const ofPeak = { title: "of peak", value: (row) => fixed(row?.peakFraction) };
const ofFloor = { ...ofPeak, title: "of floor" };
const isProduct = ({ name }) => name.startsWith("matmul");
const isTraining = ({ name }) => name.startsWith("train");
const isMnist = ({ name }) => name.startsWith("mnist");
const isScaling = ({ name }) => name.startsWith("scaling");
const isCeiling = ({ name }) => name.startsWith("peak");

const WAYS = ["async", "eager", "epoch"];

/** Rows of ways to call a step, each as a row of that step against its way, after the steps themselves. */
function rowsOfWays(rows) {
  const ways = rows
    .filter(({ against }) => against === "sync")
    .map((row) => {
      const way = WAYS.find((name) => row.name.endsWith(` ${name}`));
      return { ...row, name: row.name.slice(0, -way.length - 1), against: way };
    });
  const names = new Set(namesOf(ways));
  const plain = ({ name, against }) => names.has(name) && (against === "ts" || against === null);
  return [...rows.filter(plain), ...ways];
}

/** A line for every run until the accuracy was reached. */
function mnistTable(rows) {
  const head = ["threads", "", "seconds", "epochs", "s per epoch", "evaluation, s", "accuracy, %", "PyTorch"];
  const line = ({ threads }, who, { seconds, evaluation, accuracies }, ratio) => [
    threads,
    who,
    fixed(seconds),
    accuracies.length,
    fixed(seconds / accuracies.length),
    fixed(evaluation),
    fixed(100 * accuracies.at(-1)),
    fixed(ratio),
  ];
  const body = rows.flatMap((row) =>
    row.runs.flatMap(({ ours, theirs }) => [
      line(row, "thalweg", ours, theirs && theirs.seconds / ours.seconds),
      ...(theirs ? [line(row, "PyTorch", theirs)] : []),
    ]),
  );
  return markdownTable(head, body);
}

function mnistText(rows) {
  const means = rows
    .filter(({ ratio }) => ratio !== null)
    .map(
      ({ name, threads, ratio, ratioPerEpoch, note }) =>
        `\`${name}\`, ${threadsOf(threads)}: median ratio ${fixed(ratio)}, of an epoch ${fixed(ratioPerEpoch)}${note ? ` (PyTorch: ${note})` : ""}.`,
    );
  return (
    "Training until the test accuracy is reached, evaluated after every epoch; the evaluation is not counted. Ours is " +
    "`step.epoch` on the images as bytes, with compiling, shuffling, batches and the conversion to floats; PyTorch has " +
    "floats in memory, and shuffles and indexes them. Both begin with the same weights; the orders are their own.\n\n" +
    means.join("  \n")
  );
}

function tables(rows) {
  const against = (...others) => rows.filter((row) => others.includes(row.against));
  const ceilings = rows.filter(isCeiling);
  const streams = rows.filter((row) => row.unit === "GB/s" && row.peakFraction !== null);
  const javascript = ["onnxruntime", "tfjs-wasm", "tfjs-cpu", "jax-js"];
  const notProduct = (row) => !isProduct(row) && !isTraining(row) && !isMnist(row);
  const notTraining = (row) => !isTraining(row);
  const trainers = ["pytorch", "tfjs-wasm", "jax-js"];
  return [
    {
      title: "The machine's ceilings",
      command: "npm run bench -- --filter '^$'",
      text: "Chains of fused multiply-adds in registers, and copying of 128 MiB by the fastest of several loops.",
      body: markdownTable(
        ["", "type", "threads", "median", "best", "unit"],
        namesOf(ceilings).flatMap((name) =>
          ceilings
            .filter(
              (row, i) => row.name === name && ceilings.findIndex((other) => isSameCeiling(row, other)) === i,
            )
            .map((row) => [name, row.dtype, row.threads, speed(row), row.best.toPrecision(3), row.unit]),
        ),
      ),
    },
    {
      title: "Matrix products against OpenBLAS and BLIS",
      command: "npm run bench:peers -- --peers openblas,blis --filter '^matmul'",
      text: betterBlas(rows).join(".  \n"),
      body: ratioTable(against("openblas", "blis"), "GFLOP/s", ["openblas", "blis"], [ofPeak]),
    },
    {
      title: "All threads over one",
      command: "npm run bench -- --filter '^matmul (512|1024)x.* nn$'",
      text: "The same product on all threads and on one, in turn.",
      body: markdownTable(
        ["", "threads", "times faster"],
        rows.filter(isScaling).map((row) => [row.name, row.threads, fixed(row.ratio)]),
      ),
    },
    {
      title: "Functions, losses and updates against PyTorch",
      command: "npm run bench:peers -- --peers pytorch --filter '^(?!train)'",
      text: "PyTorch runs with the threads with which it is fastest, at most as many as ours.",
      body: ratioTable(against("pytorch").filter(notProduct), "GB/s", ["pytorch"]),
    },
    {
      title: "Training steps",
      command: `npm run bench:peers -- --peers ${trainers.join()} --filter '^train'`,
      text:
        "Forward, loss, backward, update, the loss read; ours through the public API, `compile(step).sync`. `of floor` is " +
        "the share of our time that is left where the step's products run at the peak of fused multiply-adds, and " +
        "parameters, optimizer state and batch move at the speed of copying (what caches hold may move faster); two thirds " +
        "is the aim. TensorFlow.js and jax-js have one thread; where TensorFlow.js takes seconds for a step there is no figure.",
      body: ratioTable(against(...trainers).filter(isTraining), "samples/s", trainers, [ofFloor]),
    },
    {
      title: "Ways of calling a step",
      command: "npm run bench -- --filter '^train'",
      text:
        "The step by `sync`, and the time of that over the time of other ways (above 1: the way is faster). `async` awaits a " +
        "run in the background, `eager` is the plain function, not compiled, and `epoch` goes through shuffled samples in " +
        "memory, about 4,096 of them in an epoch, timed per step.",
      body: ratioTable(rowsOfWays(rows), "samples/s", WAYS, [ofFloor]),
    },
    {
      title: "MNIST",
      command: "npm run bench:mnist -- --data DIR --json runs/bench/mnist.json",
      text: mnistText(rows.filter(isMnist)),
      body: mnistTable(rows.filter(isMnist)),
    },
    {
      title: "Beyond the caches",
      command: "npm run bench -- --filter ' [0-9]{8}$'",
      text: "`of peak` is the share of what the fastest loop by hand of the same access pattern gets in the same run.",
      body: ratioTable(streams, "GB/s", [], [ofPeak]),
    },
    {
      title: "Against what else runs in Node",
      command: `npm run bench:peers -- --peers ${javascript.join()}`,
      text: "TensorFlow.js's cpu backend is held against our TypeScript executor, the others against the native one.",
      body: ratioTable(against(...javascript).filter(notTraining), null, javascript),
    },
    {
      title: "Native against TypeScript",
      command: "npm run bench",
      text: "Rows with `eager` and training steps go through the public API, the others through the runtime seam.",
      body: ratioTable(against("ts"), null, ["ts"]),
    },
  ].filter(({ body }) => body.split("\n").length > 2);
}

const isSameCeiling = (a, b) => a.name === b.name && a.dtype === b.dtype && a.threads === b.threads;

const INTRODUCTION = `# Benchmarks

\`npm run bench:readme\` runs everything and writes this file and \`runs/bench/report.html\` (a roofline plot and bars).

| command | what it does |
| --- | --- |
| \`npm run bench\` | the native executor against the TypeScript one, and against the machine's ceilings; ways of calling a training step |
| \`npm run bench:peers\` | the same work on OpenBLAS, BLIS, PyTorch, ONNX Runtime, TensorFlow.js and jax-js; says which are missing and how to install them; \`--peers NAME,…\` |
| \`npm run bench:mnist -- --data DIR\` | seconds until 97 % test accuracy on MNIST, against PyTorch; \`--threads N\`, \`--json FILE\` |

The first two take \`--filter REGEX\`, \`--threads 1,2\`, \`--json FILE\` and \`--report FILE.html\`. The peers that npm has are
installed into \`bench/peers\` when they are first needed, and are no dependency of the package.

Both sides of a row are verified before they are timed, against a plain float64 reference (products by Freivalds'
check), and training by its first five losses, from steps called as they are timed. They take turns of 20 to 40 ms
within one run, and the ratio (the other's time over ours, above 1: ours is faster) is the median over pairs of turns.
Where a side leaves threads that spin, all rest and warm up before their turns. Ours is timed through Node-API, one call
of a prepared program for each operation, and training through the public API; BLAS in C++ in the same process; PyTorch
by a loop in Python; the others as a program in Node uses them.

A row of \`--json\` has \`name, shape, dtype, backend, isa, threads, median, best, unit, peakFraction, residual, ratio,
against\`. \`peakFraction\` is the share of the measured peak of fused multiply-adds for rows in GFLOP/s, and for arrays
beyond the caches that of the fastest loop by hand of the same access pattern; both taken right after ours, turn by
turn. For training steps it is the share of the floor, the time that their operations take at the run's \`peak fma\` and
their bytes at its \`peak copy\` on as many threads, over ours. \`against\` is a peer or \`ts\`, and \`sync\` for another way of
calling the same step. Beyond these a row has \`theirs\` (the other's median in the row's unit), \`flops\` and \`bytes\` of
a call, and a \`note\` (the other's setting, or the loop). Bytes are those of the operands, counted once for each read and write.
`;

const { values: options } = parseArgs({ options: { rows: { type: "string" }, mnist: { type: "string" } } });
const ofMnist = options.mnist ?? join(OUTPUT, "mnist.json");
mkdirSync(OUTPUT, { recursive: true });
const rows = options.rows
  ? options.rows.split(",").flatMap(readRows)
  : ["main.mjs", "peers/main.mjs"].flatMap(runBenchmark);
if (options.mnist || existsSync(ofMnist)) rows.push(...readRows(ofMnist));
const sections = tables(rows).map(
  ({ title, command, text, body }) => `## ${title}\n\n    ${command}\n\n${text}\n\n${body}\n`,
);
const machine = `## Machine\n\n${markdownTable(["", ""], describeMachine()).replace("---:", "---")}\n`;
writeFileSync(join(BENCH, "README.md"), [INTRODUCTION, machine, ...sections].join("\n"));
writeFileSync(join(OUTPUT, "report.html"), reportPage(rows));
console.log("wrote bench/README.md and runs/bench/report.html");
