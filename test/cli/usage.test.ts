/** What the command says to command lines that it cannot follow, and to its informative options. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";
import { isBuilt, scratch, thalweg } from "./run.js";

const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
  version: string;
};

describe.skipIf(!isBuilt)("thalweg", () => {
  it.each([
    ["an unknown command", ["tarin"], /unknown command 'tarin'[\s\S]*Did you mean train/],
    ["no command", [], /Usage: thalweg/],
    ["an unknown option", ["train", "--epoch", "3"], /unknown option '--epoch'[\s\S]*--epochs/],
    ["an argument too many", ["info", "now"], /too many arguments/],
    ["a missing value", ["train", "--epochs"], /'--epochs <n>' argument missing/],
    ["zero epochs", ["train", "--epochs", "0"], /'--epochs <n>' argument '0' is invalid.*a positive integer/],
    ["an empty value", ["train", "--lr", ""], /'--lr <x>'.*a number above 0/],
    ["a hexadecimal step size", ["train", "--lr", "0x10"], /'--lr <x>'.*a number above 0/],
    ["an empty folder name", ["train", "--out="], /'--out <dir>'.*must not be empty/],
    ["an empty data name", ["train", "--data="], /'--data <source>'.*must not be empty/],
    ["an infinite step size", ["train", "--lr", "Infinity"], /'--lr <x>'.*a number above 0/],
    ["a fractional batch size", ["train", "--batch-size", "1.5"], /'--batch-size <n>'.*a positive integer/],
    ["one layer", ["train", "--layers", "784"], /'--layers <sizes>'.*two or more positive integers/],
    ["a hole in the layers", ["train", "--layers", "784,,10"], /'--layers <sizes>'.*two or more/],
    ["all units dropped", ["train", "--dropout", "1"], /'--dropout <p>'.*\[0, 1\)/],
    [
      "an unknown optimizer",
      ["train", "--optimizer", "adm"],
      /'--optimizer <name>'.*sgd, momentum, nesterov, adam, adamw/,
    ],
    ["an unknown rule", ["train", "--init", "he"], /'--init <name>'.*kaiming-uniform/],
    ["an unknown activation", ["train", "--activation", "step"], /'--activation <name>'.*relu, tanh/],
    ["too many threads", ["train", "--threads", "300"], /'--threads <n>'.*1 to 256/],
    [
      "momentum for Adam",
      ["train", "--momentum", "0.9"],
      /'--momentum <x>' is for --optimizer sgd, momentum, nesterov, rmsprop, muon, not adam/,
    ],
  ])("refuses %s", async (_, args, message) => {
    const { code, stdout, stderr } = await thalweg(args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/Usage: thalweg/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it.each([
    ["layers that do not take the images", ["--layers", "100,10"], /--layers starts with 100.*28×28.*784/],
    ["too few classes", ["--layers", "784,9"], /--layers ends with 9.*10 or more/],
    ["a folder without images", ["--data", "/nowhere/at/all"], /\/nowhere\/at\/all.*train-images/],
  ])("names what is wrong with %s, in one paragraph", async (_, args, message) => {
    const { code, stdout, stderr } = await thalweg(["train", "--limit", "50", "--out", scratch(), ...args]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^thalweg train: /);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  it("resumes nothing when it does not know what", async () => {
    const { code, stderr } = await thalweg(["train", "--resume", "--out", scratch()]);
    expect(stderr).toMatch(/^thalweg train: --resume: there is no checkpoint at .*checkpoint/);
    expect(code).toBe(1);
  });

  it("refuses a folder that cannot be made, and ends", async () => {
    const { code, stderr } = await thalweg(["train", "--limit", "50", "--out", "/proc/thalweg/run"]);
    expect(stderr).toMatch(/^thalweg train: --out \/proc\/thalweg\/run cannot be used as a folder/);
    expect(code).toBe(1);
  });

  it("shows the stack only when asked to", async () => {
    const { stderr } = await thalweg(["train", "--out", scratch(), "--data", "/nowhere"], {
      THALWEG_DEBUG: "1",
    });
    expect(stderr).toMatch(/\n {4}at /);
  });

  it("prints its version and its help", async () => {
    expect((await thalweg(["--version"])).stdout).toBe(`${version}\n`);
    const { code, stdout } = await thalweg(["train", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/--optimizer <name>.*\n?.*sgd.*adam/);
  });

  it("describes the executor as JSON and as text", async () => {
    const { code, stdout } = await thalweg(["info", "--json"], { THALWEG_BACKEND: "ts" });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version,
      backend: "ts",
      isa: "js",
      threads: 1,
      node: process.version,
      binary: null,
      loadErrors: [],
      cpu: expect.any(String),
      cores: expect.any(Number),
    });
    expect((await thalweg(["info"], { THALWEG_BACKEND: "ts" })).stdout).toMatch(/^executor +TypeScript$/m);
  });

  it("reports an environment that it cannot serve", async () => {
    const { code, stderr } = await thalweg(["info"], { THALWEG_BACKEND: "gpu" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^thalweg info: THALWEG_BACKEND is "gpu"/);
  });
});
