/** A small run from end to end: what it prints and what it writes. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadSafetensors } from "../../lib/io/index.js";
import { isBuilt, metricsOf, scratch, thalweg } from "./run.js";

const SMALL = ["--limit", "120", "--layers", "784,16,10", "--batch-size", "32", "--epochs", "2"];
const STEPS_PER_EPOCH = 4;

describe.skipIf(!isBuilt)("thalweg train", () => {
  it("prints lines, the test accuracy last, and writes four files", async () => {
    const out = join(scratch(), "new", "folder");
    const { code, stdout, stderr } = await thalweg(["train", ...SMALL, "--out", out]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^thalweg .*(native|TypeScript) executor.*\d+ threads?$/);
    expect(lines[1]).toMatch(
      /120 training and 24 test images; 784-16-10, 12,730 parameters; adam, lr 0.001$/,
    );
    expect(
      lines.filter((line) => /^epoch \d\/2 .*train loss .*test loss .*test accuracy/.test(line)),
    ).toHaveLength(2);
    const metrics = metricsOf(out);
    expect(metrics.map(({ epoch, steps }) => [epoch, steps])).toEqual([
      [1, STEPS_PER_EPOCH],
      [2, 2 * STEPS_PER_EPOCH],
    ]);
    const accuracy = (100 * Number(metrics[1].testAccuracy)).toFixed(2);
    expect(lines.at(-1)).toBe(`test accuracy ${accuracy} %`);
    expect(readdirSync(out).sort()).toEqual([
      "checkpoint",
      "metrics.jsonl",
      "model.safetensors",
      "report.html",
    ]);
  });

  it("saves the model under PyTorch's names", async () => {
    const out = scratch();
    await thalweg(["train", ...SMALL, "--dropout", "0.2", "--epochs", "1", "--out", out]);
    const { tensors } = loadSafetensors(join(out, "model.safetensors"));
    const shapes = Object.entries(tensors).map(([name, { shape }]) => [name, [...shape]]);
    expect(Object.fromEntries(shapes)).toEqual({
      "0.weight": [16, 784],
      "0.bias": [16],
      "3.weight": [10, 16],
      "3.bias": [10],
    });
  });

  it("prints one JSON object with --json, and progress on stderr", async () => {
    const out = scratch();
    const args = ["--optimizer", "sgd", "--momentum", "0.9", "--init", "kaiming-normal", "--seed", "7"];
    const { code, stdout, stderr } = await thalweg(["train", ...SMALL, ...args, "--json", "--out", out]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^epoch 2\/2 /m);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(result).toMatchObject({
      command: "train",
      data: "digits",
      layers: [784, 16, 10],
      epochs: 2,
      optimizer: "sgd",
      lr: 0.1,
      momentum: 0.9,
      init: "kaiming-normal",
      seed: 7,
      threads: expect.any(Number),
      steps: 2 * STEPS_PER_EPOCH,
      seconds: expect.any(Number),
      files: { model: join(out, "model.safetensors"), report: join(out, "report.html") },
    });
    const history = result.history as Record<string, number>[];
    expect(history).toHaveLength(2);
    expect(history[1]).toMatchObject({ testLoss: result.testLoss, testAccuracy: result.testAccuracy });
    expect(history[1].trainLoss).toBeLessThan(history[0].trainLoss);
  });

  it("writes a report that stands alone", async () => {
    const out = scratch();
    await thalweg(["train", ...SMALL, "--epochs", "1", "--out", out]);
    const html = readFileSync(join(out, "report.html"), "utf8");
    expect(html.match(/<svg /g)?.length).toBe(4);
    expect(html.match(/<script|<link|@import|url\((?!#)|src="(?!data:image\/png)/g)).toBeNull();
    expect(html.includes("prefers-color-scheme: dark")).toBe(true);
    const [, wrong, total] = html.match(/([\d,]+) of ([\d,]+) test images are misclassified/) ?? [];
    expect(html.match(/<figure>/g)?.length).toBe(Number(wrong));
    const [{ testAccuracy }] = metricsOf(out);
    expect(1 - Number(wrong) / Number(total)).toBeCloseTo(Number(testAccuracy), 12);
  });

  it("gives the same model for the same seed, and another for another", async () => {
    const model = async (seed: string): Promise<Buffer> => {
      const out = scratch();
      await thalweg(["train", ...SMALL, "--dropout", "0.5", "--seed", seed, "--out", out]);
      return readFileSync(join(out, "model.safetensors"));
    };
    const [first, second, other] = await Promise.all([model("1"), model("1"), model("2")]);
    expect(first.equals(second)).toBe(true);
    expect(first.equals(other)).toBe(false);
  });

  it("stops at a loss that is not finite, and names the step and with --detect-anomaly the operation", async () => {
    const out = scratch();
    const args = ["train", ...SMALL, "--optimizer", "sgd", "--lr", "1e30", "--out", out];
    const plain = await thalweg(args);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(
      /^thalweg train: step \d+ \(epoch 1\): .*checkpoint holds the last good state/,
    );
    const detected = await thalweg([...args, "--detect-anomaly"]);
    expect(detected.code).toBe(1);
    expect(detected.stderr).toMatch(/step \d+ \(epoch 1\): .*NaN/);
    expect(existsSync(join(out, "model.safetensors"))).toBe(false);
    const { code } = await thalweg(["train", "--resume", "--out", out, "--lr", "0.1"]);
    expect(code).toBe(1); // the step size is the run's own
  });

  it("says that it cannot write into what is not a folder", async () => {
    const file = join(scratch(), "file");
    writeFileSync(file, "mine");
    const { code, stderr } = await thalweg(["train", ...SMALL, "--out", file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/--out .*file cannot be used as a folder/);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });
});
