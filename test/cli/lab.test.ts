/** `thalweg lab`: exit codes and files with studies made up here, what it refuses, and one whole run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { addLabCommand } from "../../lib/cli/lab.js";
import type { Check } from "../../lib/lab/checks.js";
import type { Study } from "../../lib/lab/experiment.js";
import { fakeStudy } from "../lab/fake_study.js";
import { isBuilt, scratch, thalweg } from "./run.js";

/** Runs the command in this process; its output and the exit code that it asks for. */
async function lab(
  studies: Study[],
  args: string[],
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      texts[name] += String(chunk);
      return true;
    });
  }
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    const program = new Command().exitOverride();
    addLabCommand(program, studies);
    await program.parseAsync(["lab", ...args], { from: "user" });
    return { code: process.exitCode, ...texts };
  } finally {
    process.exitCode = before;
    vi.restoreAllMocks();
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("thalweg lab, in this process", () => {
  it("writes page and results, a line per study, and succeeds where all numbers are met", async () => {
    const out = join(scratch(), "new", "folder");
    const { code, stdout, stderr } = await lab(
      [fakeStudy("one", true), fakeStudy("two", true)],
      ["--out", out],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(out).sort()).toEqual(["index.html", "results.json"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^thalweg .* executor.*; embedded digits$/);
    expect(lines[1]).toMatch(/^1\/2 {2}Figure one +1 of 1 numbers met {3}\d+\.\d s$/);
    expect(lines[2]).toMatch(/^2\/2 {2}Figure two/);
    expect(lines[3]).toMatch(/^wrote .*index\.html, .*results\.json in \d+\.\d s$/);
    expect(lines).toHaveLength(4);
  });

  it("fails where a number is not met, after writing both files, and names it", async () => {
    const out = scratch();
    const { code, stderr } = await lab([fakeStudy("one", true), fakeStudy("two", false)], ["--out", out]);
    expect(code).toBe(1);
    expect(stderr).toBe("thalweg lab: not met: answer: measured 42, needed 43 (± 0.5)\n");
    expect(readdirSync(out).sort()).toEqual(["index.html", "results.json"]);
    expect(readFileSync(join(out, "index.html"), "utf8")).toContain("not met");
  });

  it("replaces its files in an existing folder, and leaves others alone", async () => {
    const out = scratch();
    const old = {
      "index.html": "old",
      "results.json": "old",
      "notes.txt": "mine",
      ".index.html.1f.tmp": "half",
    };
    for (const [name, text] of Object.entries(old)) writeFileSync(join(out, name), text);
    await lab([fakeStudy("one", true)], ["--out", out]);
    expect(readdirSync(out).sort()).toEqual(["index.html", "notes.txt", "results.json"]);
    expect(readFileSync(join(out, "notes.txt"), "utf8")).toBe("mine");
    expect(readFileSync(join(out, "index.html"), "utf8")).toMatch(/^<!doctype html>/);
  });

  it("leaves the files of an earlier run where a study throws", async () => {
    const out = scratch();
    writeFileSync(join(out, "results.json"), "old");
    const broken: Study = { ...fakeStudy("one", true), run: () => Promise.reject(new Error("broken")) };
    await expect(lab([broken], ["--out", out])).rejects.toThrow("broken");
    expect(readFileSync(join(out, "results.json"), "utf8")).toBe("old");
    expect(readdirSync(out)).toEqual(["results.json"]);
  });
});

describe.skipIf(!isBuilt)("thalweg lab", () => {
  it.each([
    ["an empty folder name", ["--out="], /'--out <dir>'.*must not be empty/],
    ["an empty data name", ["--data="], /'--data <dir>'.*must not be empty/],
    ["an unknown option", ["--dat", "x"], /unknown option '--dat'/],
    ["an argument too many", ["now"], /too many arguments/],
    ["no threads", ["--threads", "0"], /'--threads <n>'.*1 to 256/],
  ])("refuses %s", async (_, args, message) => {
    const { code, stdout, stderr } = await thalweg(["lab", ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/Usage: thalweg lab/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it.each([
    ["a folder without images", "/nowhere/at/all", /in \/nowhere\/at\/all there is none of the files/],
    ["a file for a folder", "/etc/passwd", /in \/etc\/passwd there is none of the files/],
  ])("names what is wrong with %s, in one paragraph", async (_, data, message) => {
    const out = scratch();
    const { code, stdout, stderr } = await thalweg(["lab", "--out", out, "--data", data]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^thalweg lab: /);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect({ code, stdout, files: readdirSync(out) }).toEqual({ code: 1, stdout: "", files: [] });
  });

  it("needs images enough", async () => {
    const folder = scratch();
    const header = (magic: number, ...sizes: number[]): Buffer => {
      const bytes = Buffer.alloc(4 + 4 * sizes.length);
      [magic, ...sizes].forEach((value, i) => {
        bytes.writeUInt32BE(value, 4 * i);
      });
      return bytes;
    };
    const write = (part: string, count: number): void => {
      const images = Buffer.concat([header(0x803, count, 2, 2), Buffer.alloc(4 * count)]);
      writeFileSync(join(folder, `${part}-images-idx3-ubyte`), images);
      writeFileSync(
        join(folder, `${part}-labels-idx1-ubyte`),
        Buffer.concat([header(0x801, count), Buffer.alloc(count)]),
      );
    };
    write("train", 999);
    write("t10k", 100);
    const { code, stderr } = await thalweg(["lab", "--out", scratch(), "--data", folder]);
    expect(stderr).toBe("thalweg lab: --data: there are 999 training images; the lab needs 1000 or more\n");
    expect(code).toBe(1);
  });

  it("says that it cannot write into what is not a folder", async () => {
    const file = join(scratch(), "file");
    writeFileSync(file, "mine");
    const { code, stderr } = await thalweg(["lab", "--out", file]);
    expect(stderr).toMatch(/^thalweg lab: --out .*file cannot be used as a folder/);
    expect(code).toBe(1);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });
});

interface Results {
  seconds: number;
  numbers: { total: number; met: number };
  studies: Record<string, { checks: Check[]; data: unknown }>;
}

interface DeepNorms {
  c: number;
  growth: number;
  mean: { weightGradients: number[]; errors: number[] };
}

interface DeepRun {
  name: string;
  losses: (number | string)[];
  firstNaN: { step: number; operation: string } | null;
}

describe.skipIf(!isBuilt)("a whole run of thalweg lab in a pipe", () => {
  let out: string;
  let results: Results;
  let outcome: Awaited<ReturnType<typeof thalweg>>;

  beforeAll(async () => {
    out = mkdtempSync(join(tmpdir(), "thalweg-lab-"));
    outcome = await thalweg(["lab", "--out", out]);
    results = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as Results;
  }, 300_000);
  afterAll(() => rmSync(out, { recursive: true }));

  it("meets every number and succeeds, in plain lines", () => {
    const missed = Object.values(results.studies).flatMap(({ checks }) =>
      checks.filter(({ isMet }) => !isMet),
    );
    expect(missed).toEqual([]);
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code: 0, stderr: "" });
    expect(outcome.stdout.trimEnd().split("\n")).toHaveLength(12);
    expect(outcome.stdout).not.toContain("\u001b");
    expect(results.numbers.met).toBe(results.numbers.total);
    expect(results.numbers.total).toBeGreaterThan(100);
  });

  it("draws ten figures", () => {
    const html = readFileSync(join(out, "index.html"), "utf8");
    for (const name of Object.keys(results.studies)) {
      const section = html.split(`<section id="${name}">`)[1].split("</section>")[0];
      expect(section.match(/<svg /g)?.length).toBeGreaterThanOrEqual(4);
      expect(section).not.toMatch(/ (?:d|points|x|y|transform)="[^"]*(?:NaN|Infinity|undefined)/);
    }
    expect(Object.keys(results.studies)).toHaveLength(10);
  });

  it("finds the lecture's norms at depth 50", () => {
    const { variances } = results.studies.deepNorms.data as { variances: DeepNorms[] };
    const sizes = [1e-8, 0.5, 3e4];
    variances.forEach(({ c, growth, mean }, i) => {
      expect(c).toBe(i + 1);
      expect(Math.abs(growth / Math.sqrt(c / 2) - 1)).toBeLessThan(0.02);
      expect(mean.weightGradients).toHaveLength(50);
      // Three flat lines.
      for (const norm of mean.weightGradients) expect(Math.abs(Math.log10(norm / sizes[i]))).toBeLessThan(1);
    });
    const errorGrowth = variances.map(({ mean: { errors } }) => (errors[0] / errors[48]) ** (1 / 48));
    [Math.SQRT1_2, 1, Math.sqrt(1.5)].forEach((expected, i) => {
      expect(Math.abs(errorGrowth[i] / expected - 1)).toBeLessThan(0.05);
    });
  });

  it("trains from c = 2 alone, and names step and operation of the first NaN", () => {
    const { runs } = results.studies.deepTraining.data as { runs: DeepRun[] };
    const [one, two, three, zero] = runs;
    expect(Math.max(...one.losses.map((loss) => Math.abs(Number(loss) - Math.log(10))))).toBeLessThan(1e-3);
    const end = two.losses.slice(-50).map(Number);
    expect(end.reduce((sum, loss) => sum + loss, 0) / end.length).toBeLessThan(2);
    expect(three.losses[0]).toEqual(expect.any(Number));
    expect(three.losses[(three.firstNaN?.step ?? 0) - 1]).toBe("NaN");
    expect(three.losses[(three.firstNaN?.step ?? 0) - 2]).not.toBe("NaN");
    expect(three.firstNaN?.operation).toMatch(/^matmul .*produced NaN in \d+ of \d+ elements/);
    expect(zero.losses.every((loss) => Math.abs(Number(loss) - Math.log(10)) < 0.1)).toBe(true);
    expect(zero).toMatchObject({ firstNaN: null });
  });
});
