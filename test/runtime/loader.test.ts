/** Loading the native binary: what is tried, what is refused and why, and what the environment variables do. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { binaryCandidates, loadNativeAddon, PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";

const DIST = join(PACKAGE_ROOT, "dist", "index.js");
const BINARY = join(PACKAGE_ROOT, "build", "Release", "thalweg.node");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thalweg-loader-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("loadNativeAddon", () => {
  test("collects the reason for every candidate that does not load", () => {
    const missing = join(folder, "missing.node");
    const corrupt = file("corrupt.node", "this is no shared object");
    const empty = file("empty.node", "");
    const { addon, errors } = loadNativeAddon([missing, corrupt, empty]);
    expect(addon).toBeNull();
    expect(errors.map(({ path }) => path)).toEqual([missing, corrupt, empty]);
    for (const { reason } of errors) expect(reason.length).toBeGreaterThan(5);
  });

  test("refuses a binary with another kernel table, and says so", () => {
    const other = file("other.cjs", "exports.info = () => ({ version: 1, kernels: [], levels: [] });");
    const { addon, errors } = loadNativeAddon([other]);
    expect(addon).toBeNull();
    expect(errors[0].reason).toMatch(/kernel table has version 0x00000001, this package needs 0x[0-9a-f]{8}/);
  });

  test("refuses a module that is no addon of ours", () => {
    const { addon, errors } = loadNativeAddon([file("plain.cjs", "exports.answer = 42;")]);
    expect(addon).toBeNull();
    expect(errors[0].reason).toMatch(/version undefined/);
  });

  test.skipIf(!existsSync(BINARY))("goes on to the next candidate after a bad one", () => {
    const { addon, path, errors } = loadNativeAddon([file("bad.node", "no"), BINARY]);
    expect(addon).not.toBeNull();
    expect(path).toBe(BINARY);
    expect(errors).toHaveLength(1);
  });
});

test("candidates are the built binary, then prebuilt ones for this platform and C library", () => {
  const root = join(folder, "package");
  const prebuilds = join(root, "prebuilds", `${process.platform}-${process.arch}`);
  mkdirSync(prebuilds, { recursive: true });
  mkdirSync(join(root, "build", "Release"), { recursive: true });
  writeFileSync(join(root, "build", "Release", "thalweg.node"), "");
  for (const name of ["thalweg.glibc.node", "thalweg.musl.node", "thalweg.node", "notes.txt"]) {
    writeFileSync(join(prebuilds, name), "");
  }
  const names = (libc: string): string[] =>
    binaryCandidates(root, libc).map((path) => path.slice(root.length + 1));
  const folderName = `prebuilds/${process.platform}-${process.arch}`;
  expect(names("musl")).toEqual([
    "build/Release/thalweg.node",
    `${folderName}/thalweg.musl.node`,
    `${folderName}/thalweg.node`,
  ]);
  expect(names("glibc")[1]).toBe(`${folderName}/thalweg.glibc.node`);
});

describe.skipIf(!existsSync(DIST))("environment variables", () => {
  const run = (env: Record<string, string>, code = "console.log(JSON.stringify(t.backendInfo()))") => {
    const source = `import * as t from ${JSON.stringify(DIST)};\n${code}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
      env: { PATH: process.env.PATH, ...env },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  test("THALWEG_BACKEND=ts takes the TypeScript executor without a warning", () => {
    const { stdout, stderr } = run({ THALWEG_BACKEND: "ts" });
    expect(JSON.parse(stdout)).toMatchObject({ backend: "ts", isa: "js", threads: 1 });
    expect(stderr).toBe("");
  });

  test("without a binary: one warning, or an error where native is required", () => {
    const broken = file("broken.node", "no");
    const twice = "t.zeros([2]).add(1); t.zeros([2]).add(1); console.log(t.backendInfo().loadErrors[0].path)";
    const { stdout, stderr, status } = run({ THALWEG_BINARY: broken }, twice);
    expect([status, stdout.trim()]).toEqual([0, broken]);
    expect(stderr.match(/TypeScript executor/g)).toHaveLength(1);
    const required = run({ THALWEG_BINARY: broken, THALWEG_BACKEND: "native" });
    expect(required.status).toBe(1);
    expect(required.stderr).toMatch(
      /BackendError: THALWEG_BACKEND=native, but no native binary could be loaded/,
    );
  });

  test("unknown values are errors that list the known ones", () => {
    expect(run({ THALWEG_BACKEND: "gpu" }).stderr).toMatch(/THALWEG_BACKEND is "gpu"; use native or ts/);
  });

  test.skipIf(!existsSync(BINARY))("THALWEG_ISA and THALWEG_NUM_THREADS", () => {
    const { stdout } = run({ THALWEG_ISA: "scalar", THALWEG_NUM_THREADS: "3" });
    expect(JSON.parse(stdout)).toMatchObject({ backend: "native", isa: "scalar", threads: 3 });
    expect(run({ THALWEG_ISA: "mmx" }).stderr).toMatch(/BackendError: .*mmx.*scalar/);
    expect(run({ THALWEG_NUM_THREADS: "0" }).stderr).toMatch(
      /THALWEG_NUM_THREADS: 0 is not a number of threads/,
    );
    expect(run({ THALWEG_NUM_THREADS: "many" }).stderr).toMatch(/THALWEG_NUM_THREADS: many/);
  });
});
