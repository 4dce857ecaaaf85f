import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DTypeError, FormatError } from "../../lib/errors.js";
import { parseIdx, readIdx, writeIdx } from "../../lib/io/index.js";
import { array } from "../../lib/ndarray/creation.js";
import { tensor } from "../../lib/tensor.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thalweg-idx-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("IDX files as arrays", () => {
  test.each(["uint8", "int32", "float32", "float64"] as const)(
    "%s arrays return as they were",
    async (dtype) => {
      const values = array([[1, 2, 3], [4, 5, 250]], { dtype }); // biome-ignore format: rows
      for (const name of ["plain", "packed.gz"]) {
        await writeIdx(join(folder, name), values);
        const back = await readIdx(join(folder, name));
        expect(back.dtype).toBe(dtype);
        expect(back.toArray()).toEqual(values.toArray());
      }
      expect(readFileSync(join(folder, "packed.gz"))[0]).toBe(0x1f);
      expect(parseIdx(readFileSync(join(folder, "plain"))).toArray()).toEqual(values.toArray());
    },
  );

  test("views are written in their own order, tensors as arrays", async () => {
    const path = join(folder, "x");
    await writeIdx(path, array([[1, 2], [3, 4]]).transpose()); // biome-ignore format: rows
    expect((await readIdx(path)).toArray()).toEqual([[1, 3], [2, 4]]); // biome-ignore format: rows
    await writeIdx(path, tensor(7), { gzip: true });
    expect((await readIdx(path)).toArray()).toBe(7);
    expect(readFileSync(path)[0]).toBe(0x1f);
  });

  test("dtypes without an IDX type are refused, and bad bytes", async () => {
    const bool = writeIdx(join(folder, "x"), array([true]));
    await expect(bool).rejects.toThrow(DTypeError);
    await expect(bool).rejects.toThrow(/no element type for bool; convert with astype/);
    await expect(writeIdx(join(folder, "x"), array([1n]))).rejects.toThrow(/no element type for int64/);
    expect(() => parseIdx(Uint8Array.of(1, 2, 3))).toThrow(FormatError);
  });
});
