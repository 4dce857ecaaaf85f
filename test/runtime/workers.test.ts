/** The package in many worker threads at once, and what a worker's violent end leaves behind. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";

const DIST = join(PACKAGE_ROOT, "dist", "index.js");
const NATIVE = existsSync(join(PACKAGE_ROOT, "build", "Release", "thalweg.node"));

/** A worker that runs `body` with the package as `t` and its port as `port`. */
const worker = (body: string): Worker =>
  new Worker(
    `const { parentPort: port } = require("node:worker_threads");
     import(${JSON.stringify(DIST)}).then(async (t) => { ${body} });`,
    { eval: true, env: { ...process.env, THALWEG_NUM_THREADS: "2" } },
  );

const PRODUCT = `
  const g = new t.Generator(1);
  const x = g.normal([200, 300]), y = g.normal([300, 100]);
  port.postMessage(x.matmul(y).data.slice());`;

describe.skipIf(!existsSync(DIST))("worker threads", () => {
  test("many at once compute the same bits, each with its own settings", async () => {
    const workers = Array.from({ length: 6 }, (_, i) => worker(`t.setNumThreads(${1 + (i % 3)});${PRODUCT}`));
    const results = await Promise.all(
      workers.map(async (w) => (await once(w, "message"))[0] as Float32Array),
    );
    for (const result of results) expect(result).toEqual(results[0]);
    await Promise.all(workers.map((w) => w.terminate()));
  });

  test("a worker terminated in mid-run takes nothing else down", async () => {
    const endless = `
      const x = new t.Generator(1).normal([256, 256]);
      port.postMessage("started");
      for (;;) x.matmul(x);`;
    for (let round = 0; round < 5; round++) {
      const doomed = [worker(endless), worker(endless)];
      await Promise.all(doomed.map((w) => once(w, "message")));
      const survivor = worker(PRODUCT);
      const [result] = (await once(survivor, "message")) as [Float32Array];
      expect(result).toHaveLength(20_000);
      await Promise.all(doomed.map((w) => w.terminate()));
      await survivor.terminate();
    }
  });

  test.skipIf(!NATIVE)("the process may exit while kernels run in a worker", () => {
    const source = `
      const { Worker } = require("node:worker_threads");
      const w = new Worker(${JSON.stringify(`
        import(${JSON.stringify(DIST)}).then((t) => {
          const x = new t.Generator(1).normal([512, 512]);
          require("node:worker_threads").parentPort.postMessage("started");
          for (;;) x.matmul(x);
        });`)}, { eval: true });
      w.on("message", () => setTimeout(() => process.exit(7), 20));`;
    for (let round = 0; round < 3; round++) {
      const { status, signal } = spawnSync(process.execPath, ["-e", source], {
        encoding: "utf8",
        timeout: 20_000,
      });
      expect({ status, signal }).toEqual({ status: 7, signal: null });
    }
  });
});
