// PyTorch in a process of its own (peers/pytorch.py), asked by one JSON line at a time.
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

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

  /** Settles on the number of threads with which PyTorch is fastest. */
  async chooseThreads() {
    let best = { threads: 1, nanoseconds: Number.POSITIVE_INFINITY };
    for (const threads of new Set([1, availableParallelism()])) {
      await this.ask({ command: "threads", threads });
      await this.ask({ command: "run", calls: 20 });
      const runs = [];
      for (let i = 0; i < 3; i++) runs.push((await this.ask({ command: "run", calls: 20 })).nanoseconds);
      const nanoseconds = Math.min(...runs);
      if (nanoseconds < best.nanoseconds) best = { threads, nanoseconds };
    }
    await this.ask({ command: "threads", threads: best.threads });
    return best.threads;
  }

  close() {
    this.child.kill();
  }
}
