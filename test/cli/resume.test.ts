/** A run that was stopped, one way or another, goes on as if it had not been. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { finish, isBuilt, metricsOf, type Outcome, scratch, start, thalweg } from "./run.js";

// Dropout, Adam's moments and an incomplete last batch: everything that has a state. Many short epochs, so that a
// signal after some of them comes before the last.
const EPOCHS = 12;
const CONFIG = [
  "train",
  ...["--limit", "300", "--layers", "784,32,10", "--batch-size", "16", "--epochs", String(EPOCHS)],
  ...["--dropout", "0.3", "--seed", "5", "--checkpoint-every", "7"],
];

const modelOf = (out: string): Buffer => readFileSync(join(out, "model.safetensors"));

describe.skipIf(!isBuilt)("thalweg train --resume", () => {
  let reference: { model: Buffer; metrics: Record<string, unknown>[] };

  beforeAll(async () => {
    const out = mkdtempSync(join(tmpdir(), "thalweg-cli-"));
    const { code, stderr } = await thalweg([...CONFIG, "--out", out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    reference = { model: modelOf(out), metrics: metricsOf(out) };
    rmSync(out, { recursive: true });
  }, 60_000);

  /** Starts a run and sends it a signal when it has its first checkpoint and so many epochs. */
  async function interrupted(out: string, signal: NodeJS.Signals, epochs: number): Promise<Outcome> {
    const child = start([...CONFIG, "--out", out]);
    const outcome = finish(child);
    while (!existsSync(join(out, "metrics.jsonl")) || metricsOf(out).length < epochs) await sleep(1);
    child.kill(signal);
    return outcome;
  }

  async function expectSameEnd(out: string): Promise<void> {
    const { code, stderr } = await thalweg(["train", "--resume", "--out", out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(modelOf(out).equals(reference.model)).toBe(true);
    expect(metricsOf(out)).toEqual(reference.metrics);
  }

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("goes on after %s with the same bits", async (signal, exitCode) => {
    const out = scratch();
    const { code, stdout } = await interrupted(out, signal, 2);
    expect(code).toBe(exitCode);
    expect(stdout).toMatch(new RegExp(`stopped by ${signal} after step \\d+ \\(epoch \\d+ of ${EPOCHS}\\)`));
    expect(stdout).toContain(`thalweg train --resume --out ${out}`);
    expect(existsSync(join(out, "model.safetensors"))).toBe(false);
    await expectSameEnd(out);
  });

  it.each([0, 1, 4])("goes on with the same bits after kill -9 with %i epochs done", async (epochs) => {
    const out = scratch();
    const { signal } = await interrupted(out, "SIGKILL", epochs);
    expect(signal).toBe("SIGKILL");
    await expectSameEnd(out);
  });

  it("starts a run that was killed before its first checkpoint", async () => {
    const out = scratch();
    const { code, stdout } = await thalweg([...CONFIG, "--resume", "--out", out]);
    expect(stdout).toMatch(/no checkpoint at .* yet: starts from the beginning/);
    expect(code).toBe(0);
    expect(modelOf(out).equals(reference.model)).toBe(true);
  });

  it("only reports when the run is complete, and trains more epochs when asked to", async () => {
    const [short, long] = [scratch(), scratch()];
    const args = [...CONFIG, "--epochs", "1"];
    await Promise.all([
      thalweg([...args, "--out", short]),
      thalweg([...CONFIG, "--epochs", "2", "--out", long]),
    ]);
    const before = modelOf(short);
    writeFileSync(join(short, "metrics.jsonl"), "");
    const again = await thalweg(["train", "--resume", "--out", short, "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ epochs: 1, layers: [784, 32, 10], seed: 5 });
    expect(modelOf(short).equals(before)).toBe(true);
    expect(metricsOf(short)).toHaveLength(1);
    await thalweg(["train", "--resume", "--out", short, "--epochs", "2"]);
    expect(modelOf(short).equals(modelOf(long))).toBe(true);
    expect(metricsOf(short)).toEqual(metricsOf(long));
  });

  it("refuses options that contradict the checkpoint, and changes nothing", async () => {
    const out = scratch();
    await thalweg([...CONFIG, "--epochs", "2", "--out", out]);
    const before = readFileSync(join(out, "checkpoint"));
    const args = [
      "--layers",
      "784,64,10",
      "--lr",
      "0.01",
      "--seed",
      "6",
      "--epochs",
      "1",
      "--batch-size",
      "16",
    ];
    const { code, stderr } = await thalweg(["train", "--resume", "--out", out, ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/--layers is 784,64,10, the checkpoint's is 784,32,10/);
    expect(stderr).toMatch(/--lr is 0.01, the checkpoint's is 0.001/);
    expect(stderr).toMatch(/--seed is 6, the checkpoint's is 5/);
    expect(stderr).toMatch(/--epochs is 1, the checkpoint's is 2 and can only grow/);
    expect(stderr).not.toMatch(/--batch-size/);
    expect(readFileSync(join(out, "checkpoint")).equals(before)).toBe(true);
  });

  it("refuses a file that is no checkpoint", async () => {
    const out = scratch();
    writeFileSync(join(out, "checkpoint"), "not a checkpoint at all");
    const { code, stderr } = await thalweg(["train", "--resume", "--out", out]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^thalweg train: .*checkpoint/);
    expect(readFileSync(join(out, "checkpoint"), "utf8")).toBe("not a checkpoint at all");
  });
});
