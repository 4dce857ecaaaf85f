/** Workers and processes that end in the middle of compiled steps and epochs: no crash, no hang, the same bits. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";

const DIST = join(PACKAGE_ROOT, "dist", "index.js");

/** A step and an epoch that take long; `t` is the package. */
const SETUP = `
  t.manualSeed(1);
  const g = new t.Generator(5);
  const model = new t.nn.Sequential(new t.nn.Linear(64, 256), new t.nn.ReLU(), new t.nn.Linear(256, 10));
  const optimizer = new t.optim.Adam(model.parameters(), { lr: 1e-3 });
  const step = t.compile((x, y) => {
    const loss = t.nn.functional.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const samples = (n) => new t.data.TensorDataset(g.normal([n, 64]), g.integers(0, 10, [n]));
  const [x, y] = samples(64).tensors;`;

const worker = (body: string): Worker =>
  new Worker(
    `const { parentPort: port } = require("node:worker_threads");
     import(${JSON.stringify(DIST)}).then(async (t) => { ${SETUP} ${body} });`,
    { eval: true, env: { ...process.env, THALWEG_NUM_THREADS: "2" } },
  );

const run = (body: string) =>
  spawnSync(
    process.execPath,
    ["--input-type=module", "-e", `import * as t from ${JSON.stringify(DIST)}; ${SETUP} ${body}`],
    { encoding: "utf8", timeout: 50_000 },
  );

const ENDLESS = {
  steps: "for (;;) await step(x, y);",
  epoch: "await step.epoch(samples(100000), { batchSize: 4 }); port.postMessage('too late');",
};

describe.skipIf(!existsSync(DIST))("the end comes in the middle", () => {
  test.each(Object.entries(ENDLESS))("of %s in a worker", async (_, body) => {
    for (let round = 0; round < 2; round++) {
      const doomed = [0, 1].map(() => worker(`port.postMessage("started"); ${body}`));
      await Promise.all(doomed.map((each) => once(each, "message")));
      await new Promise((resolve) => setTimeout(resolve, 10 * round));
      expect(await Promise.all(doomed.map((each) => each.terminate()))).toEqual([1, 1]);
    }
  });

  test("workers train side by side to the same bits", async () => {
    const train = `
      for (let i = 0; i < 10; i++) await step(x, y);
      await step.epoch(samples(256), { batchSize: 32, shuffle: true });
      port.postMessage([...model.parameters()].map((parameter) => parameter.data.slice()));`;
    const workers = Array.from({ length: 3 }, () => worker(train));
    const results = await Promise.all(workers.map(async (each) => (await once(each, "message"))[0]));
    for (const result of results) expect(result).toEqual(results[0]);
    await Promise.all(workers.map((each) => each.terminate()));
  });

  test.each([
    ["a step", "step(x, y);"],
    ["an epoch", "step.epoch(samples(100000), { batchSize: 4 });"],
    ["several", "step(x, y); step(x, y); step.epoch(samples(100000), { batchSize: 4 });"],
  ])("process.exit during %s", (_, body) => {
    for (const when of ["process.exit(7)", "setTimeout(() => process.exit(7), 30)"]) {
      const { status, signal, stderr } = run(`${body} ${when};`);
      expect([status, signal, stderr]).toEqual([7, null, ""]);
    }
  });

  test("a process waits for its run, and for nothing else", () => {
    const ended = run("step(x, y).then((loss) => console.log(loss.shape.length));");
    expect([ended.status, ended.stdout, ended.stderr]).toEqual([0, "0\n", ""]);
  });

  test("a failed run that nobody looks at is an unhandled rejection, as of any promise", () => {
    const bad = run("step(x, t.tensor(new Int32Array(64).fill(99)));");
    expect(bad.status).toBe(1);
    expect(bad.stderr).toContain("index 99 at position 0 is outside [0, 10)");
    expect(bad.signal).toBe(null);
  });
});
