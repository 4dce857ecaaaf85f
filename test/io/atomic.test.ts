/**
 * Atomic writes: the content arrives whole, failures leave the old file and no temporary one, and the order
 * of the system calls is the durable one.
 */
import * as fs from "node:fs";
import * as promises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ThalwegError } from "../../lib/errors.js";
import { type FileContent, writeFileAtomic, writeFileAtomicSync } from "../../lib/io/atomic.js";

const calls: string[] = [];
const log = (call: string, path: unknown): void => {
  calls.push(`${call} ${/\.tmp$/.test(String(path)) ? "temporary" : String(path).split("/").at(-1)}`);
};
const pathOf = new Map<number, string>();

vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const openSync: typeof real.openSync = (path, ...rest) => {
    const file = real.openSync(path, ...rest);
    pathOf.set(file, String(path));
    return file;
  };
  const fsyncSync: typeof real.fsyncSync = (file) => {
    log("sync", pathOf.get(file));
    real.fsyncSync(file);
  };
  const renameSync: typeof real.renameSync = (from, to) => {
    log("rename", from);
    real.renameSync(from, to);
  };
  return { ...real, openSync, fsyncSync, renameSync };
});

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open: typeof real.open = async (path, ...rest) => {
    const file = await real.open(path, ...rest);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      log("sync", path);
      await sync();
    };
    return file;
  };
  const rename: typeof real.rename = async (from, to) => {
    log("rename", from);
    await real.rename(from, to);
  };
  return { ...real, open, rename };
});

let folder: string;
beforeEach(async () => {
  folder = await promises.mkdtemp(join(tmpdir(), "thalweg-atomic-"));
});
afterEach(() => promises.rm(folder, { recursive: true }));

const sync = async (path: string, content: FileContent): Promise<void> => writeFileAtomicSync(path, content);

describe.each([
  ["writeFileAtomic", writeFileAtomic],
  ["writeFileAtomicSync", sync],
] as const)("%s", (operation, write) => {
  it("writes text, bytes and pieces, and replaces what was there", async () => {
    const path = join(folder, "file");
    await write(path, "grüße");
    expect(await promises.readFile(path, "utf8")).toBe("grüße");
    await write(path, Uint8Array.of(1, 2));
    expect([...(await promises.readFile(path))]).toEqual([1, 2]);
    await write(path, [Uint8Array.of(3), new Uint8Array(0), Uint8Array.of(0, 4, 5, 0).subarray(1, 3)]);
    expect([...(await promises.readFile(path))]).toEqual([3, 4, 5]);
    expect(await promises.readdir(folder)).toEqual(["file"]);
  });

  it("syncs the file, renames it, syncs the folder", async () => {
    calls.length = 0;
    await write(join(folder, "file"), "x");
    const last = folder.split("/").at(-1);
    expect(calls).toEqual(["sync temporary", "rename temporary", `sync ${last}`]);
  });

  it("keeps the old file and removes the temporary one when the content breaks off", async () => {
    const path = join(folder, "file");
    await write(path, "old");
    const cause = new Error("no more");
    function* broken(): Generator<Uint8Array> {
      yield Uint8Array.of(1);
      throw cause;
    }
    const error = await write(path, broken()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ThalwegError);
    expect(error).toMatchObject({ code: "ERR_WRITE", cause });
    expect((error as Error).message).toBe(`${operation}: cannot write ${path}: no more`);
    expect(fs.readFileSync(path, "utf8")).toBe("old");
    expect(await promises.readdir(folder)).toEqual(["file"]);
  });

  it("removes the temporary file when the target cannot be replaced", async () => {
    const path = join(folder, "taken");
    await promises.mkdir(path);
    await expect(write(path, "x")).rejects.toMatchObject({ code: "ERR_WRITE" });
    expect(await promises.readdir(folder)).toEqual(["taken"]);
  });

  it("names the path when the folder is missing", async () => {
    const path = join(folder, "missing", "file");
    const failure = write(path, "x");
    await expect(failure).rejects.toThrow(path);
    await expect(failure).rejects.toMatchObject({ code: "ERR_WRITE", cause: { code: "ENOENT" } });
  });
});
