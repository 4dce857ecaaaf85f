// PyTorch in a process of its own (peers/pytorch.py), asked by one JSON line at a time.
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { median } from "../harness.mjs";

const SCRIPT = fileURLToPath(new URL("pytorch.py", import.meta.url));

/** The Python that has torch: the one on PATH or the system's, where Debian's python3-torch lives. */
const findPython = () =>
  ["python3", "/usr/bin/python3"].find((python) => spawnSync(python, ["-c", "import torch"]).status === 0);

export class PyTorch {
  static async start() {
    const python = findPython();
    return python === undefined ? null : new PyTorch(python);
  }

  constructor(python) {
    // Threads are chosen below; the libraries must not limit themselves first.
    this.child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async ask(request) {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error("PyTorch's process ended");
    return JSON.parse(value);
  }

  /** Settles on the threads of PyTorch and of its BLAS with which it is fastest, and says which. */
  async chooseThreads() {
    const counts = [...new Set([1, availableParallelism()])];
    let best = { nanoseconds: Number.POSITIVE_INFINITY };
    for (const [threads, blas] of counts.flatMap((a) => counts.map((b) => [a, b]))) {
      const { library } = await this.ask({ command: "threads", threads, blas });
      await this.ask({ command: "run", calls: 20 });
      const runs = [];
      for (let i = 0; i < 7; i++) runs.push((await this.ask({ command: "run", calls: 20 })).nanoseconds);
      const nanoseconds = median(runs);
      if (nanoseconds < best.nanoseconds) best = { threads, blas, library, nanoseconds };
    }
    const { threads, blas, library } = best;
    await this.ask({ command: "threads", threads, blas });
    return `${library}, threads ${threads}, of BLAS ${blas}`;
  }

  close() {
    this.child.kill();
  }
}
