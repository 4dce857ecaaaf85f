// 50 runs of `thalweg train` killed with SIGKILL at random moments: every checkpoint on disk must load, and the
// resumed run must end with the weights of the uninterrupted one, bit for bit.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROUNDS = 50;
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "thalweg-kill-"));
const train = (out, ...more) => [
  MAIN,
  "train",
  "--data",
  "digits",
  "--limit",
  "1500",
  "--layers",
  "784,32,10",
  "--epochs",
  "6",
  "--batch-size",
  "50",
  "--dropout",
  "0.1",
  "--checkpoint-every",
  "7",
  "--seed",
  "3",
  "--out",
  join(root, out),
  ...more,
];

const start = Date.now();
const whole = spawnSync(process.execPath, train("whole"), { encoding: "utf8" });
if (whole.status !== 0) throw new Error(whole.stderr);
const duration = Date.now() - start;
const weights = (out) => readFileSync(join(root, out, "model.safetensors"));

/** Runs until killed after `delay` ms; true if it ended by itself. */
const killedRun = (args, delay) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), delay);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });

let kills = 0;
for (let round = 0; kills < ROUNDS; round++) {
  const out = `run${round}`;
  let done = false;
  let resumed = [];
  while (!done && kills < ROUNDS) {
    done = await killedRun(train(out, ...resumed), duration * (0.2 + 0.8 * Math.random()));
    if (!done) kills++;
    resumed = ["--resume"];
  }
  const last = spawnSync(process.execPath, train(out, ...resumed), { encoding: "utf8" });
  if (last.status !== 0) throw new Error(`round ${round}: the checkpoint does not resume: ${last.stderr}`);
  if (!weights(out).equals(weights("whole"))) throw new Error(`round ${round}: the weights differ`);
  rmSync(join(root, out), { recursive: true });
}
console.log(`${kills} kills: every checkpoint loaded, all final weights equal`);
rmSync(root, { recursive: true });
