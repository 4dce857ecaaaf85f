// PyTorch in a process of its own (pytorch.py), asked by one JSON line at a time; arrays travel as files.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openblasEnvironment } from "./openblas_env.mjs";

const SCRIPT = fileURLToPath(new URL("pytorch.py", import.meta.url));
const KINDS = [
  "exp",
  "tanh",
  "sigmoid",
  "gelu",
  "add",
  "sum",
  "softmax",
  "cross_entropy",
  "adam",
  "sgd",
  "train",
];

/** The Python that has torch: the one on PATH or the system's, where Debian's python3-torch lives. */
const findPython = () =>
  ["python3", "/usr/bin/python3"].find((python) => spawnSync(python, ["-c", "import torch"]).status === 0);

const DTYPES = new Map([
  [Float32Array, "float32"],
  [Int32Array, "int32"],
  [Uint8Array, "uint8"],
]);

class Process {
  constructor(python) {
    // Threads are chosen below; the libraries must not limit themselves first.
    const env = { ...process.env, ...openblasEnvironment() };
    this.child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"], env });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.folder = mkdtempSync(join(tmpdir(), "thalweg-bench-"));
  }

  async ask(request) {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error("PyTorch's process ended");
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(`PyTorch: ${reply.error}`);
    return reply;
  }

  run = async (calls) => (await this.ask({ command: "run", calls })).nanoseconds;

  /** Writes an array for the other process to read. */
  send(name, data, shape = [data.length]) {
    const path = join(this.folder, name);
    writeFileSync(path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { path, shape, dtype: DTYPES.get(data.constructor) };
  }

  /** Reads back what it has written: float32 arrays by name. */
  receive(paths) {
    const read = (path) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);
    return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, read(path)]));
  }

  close() {
    this.child.kill();
    rmSync(this.folder, { recursive: true });
  }
}

const sendParameters = (torch, parameters) =>
  parameters.map(({ data, shape }, i) => torch.send(`p${i}`, data, shape));

/** What the other process needs for a case. */
function request(torch, work, inputs) {
  const { kind, shape, optimizer, lr, verifiedSteps } = work;
  const sent = {};
  if (kind === "train") {
    const { parameters, x, labels } = inputs;
    sent.parameters = sendParameters(torch, parameters);
    sent.inputs = { x: torch.send("x", x.data, x.shape), labels: torch.send("labels", labels) };
  } else {
    const shapeOf = (data) => (data.length === shape.reduce((a, b) => a * b) ? shape : undefined);
    const entries = Object.entries(inputs).map(([name, data]) => [
      name,
      torch.send(name, data, shapeOf(data)),
    ]);
    sent.inputs = Object.fromEntries(entries);
  }
  return { command: "prepare", kind, folder: torch.folder, optimizer, lr, verifiedSteps, ...sent };
}

/** Settles on the threads of PyTorch and of its BLAS, up to a count each, with which it is fastest; says which. */
async function chooseThreads(torch, most) {
  const counts = [...new Set([1, most])];
  const settings = counts.flatMap((threads) => counts.map((blas) => ({ threads, blas })));
  let best = { nanoseconds: Number.POSITIVE_INFINITY };
  for (const setting of settings) {
    const { library } = await torch.ask({ command: "threads", ...setting });
    const once = (await torch.run(2)) / 2;
    const calls = Math.max(2, Math.round(2e7 / once));
    let nanoseconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3 && settings.length > 1; i++) {
      nanoseconds = Math.min(nanoseconds, (await torch.run(calls)) / calls);
    }
    if (nanoseconds <= best.nanoseconds) best = { ...setting, library, nanoseconds };
  }
  const { threads, blas, library } = best;
  await torch.ask({ command: "threads", threads, blas });
  return most === 1 ? undefined : `threads ${threads}, of ${library} ${blas}`;
}

/**
 * Trains on images until an accuracy is reached on those for tests: `fit(parameters, seed)`, with the losses of the
 * first steps of `work` for a check and the threads that are fastest for them. `images` are arrays with their shapes.
 */
async function prepareFit(torch, work, inputs, threads, images) {
  const { losses } = await torch.ask(request(torch, work, inputs));
  const note = await chooseThreads(torch, threads);
  const sent = Object.entries(images).map(([name, { data, shape }]) => [name, torch.send(name, data, shape)]);
  await torch.ask({ command: "images", inputs: Object.fromEntries(sent) });
  const { optimizer, lr, samples: batch, accuracy, mostEpochs } = work;
  const fit = (parameters, seed) =>
    torch.ask({
      command: "fit",
      parameters: sendParameters(torch, parameters),
      ...{ optimizer, lr, batch, accuracy, mostEpochs, seed },
    });
  return { losses, note, fit };
}

export const pytorch = {
  name: "pytorch",
  install: "apt-get install python3-torch libopenblas0-pthread",
  open: async () => {
    const python = findPython();
    if (python === undefined) throw new Error("no Python here can import torch");
    const torch = new Process(python);
    const { version } = await torch.ask({ command: "version" });
    return {
      about: `${version} in a process of its own`,
      prepareFit: (work, inputs, threads, images) => prepareFit(torch, work, inputs, threads, images),
      prepare: async (work, inputs, threads) => {
        if (!KINDS.includes(work.kind) || work.pattern || work.unit === "us") return null;
        const { losses, outputs } = await torch.ask(request(torch, work, inputs));
        return {
          losses,
          // It has made its first call already.
          read: () => ({ ...inputs, ...torch.receive(outputs) }),
          hasThreads: threads > 1,
          note: await chooseThreads(torch, threads),
          run: torch.run,
        };
      },
      close: () => torch.close(),
    };
  },
};
