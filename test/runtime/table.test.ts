import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { KERNELS, kernelId, ROWS, TABLE_VERSION } from "../../lib/runtime/table.js";

const definitions = readFileSync(new URL("../../native/kernels.def", import.meta.url), "utf8");

/** The rows of kernels.def, read without any code of the package. */
function definedRows(): Record<string, { dtypes: string; signature: string; scalars: string }> {
  const rows: Record<string, { dtypes: string; signature: string; scalars: string }> = {};
  for (const line of definitions.split("\n")) {
    if (!/^(KERNEL|MAP)\(/.test(line)) continue;
    const match = /^(?:KERNEL|MAP)\((\w+), *(\w+), *"([^"]*)", *"([^"]*)"\)$/.exec(line);
    expect(match, line).not.toBeNull();
    const [, name, dtypes, signature, scalars] = match as RegExpExecArray;
    rows[name] = { dtypes, signature, scalars };
  }
  return rows;
}

describe("the kernel table", () => {
  test("has the rows of native/kernels.def, in its order", () => {
    const ours = Object.entries(ROWS).map(([name, { dtypes, signature, scalars }]) => [
      name,
      { dtypes, signature, scalars },
    ]);
    expect(ours).toEqual(Object.entries(definedRows()));
  });

  test("lists every kernel once, sorted by name, and numbers it by its place", () => {
    const names = KERNELS.map(({ name }) => name);
    const expected = Object.entries(definedRows()).flatMap(([name, { dtypes }]) =>
      [...dtypes].map((letter) => `${name}_${{ F: "f32", D: "f64", I: "i32", U: "u8", L: "i64" }[letter]}`),
    );
    expect(names).toEqual(expected.sort());
    for (const [id, name] of names.entries()) expect(kernelId(name)).toBe(id);
  });

  test("substitutes T outside brackets only", () => {
    expect(KERNELS[kernelId("cast_from_f32_i32")].signatureText).toBe("f32[S] -> i32[S]");
    expect(KERNELS[kernelId("scatter_add_f64")].signatureText).toBe("i32[i], f64[id] -> &f64[nd]");
  });

  test("has the FNV-1a hash of its lines as version", () => {
    // FNV-1a with exact integers, over text made from the file.
    const tag: Record<string, string> = { F: "f32", D: "f64", I: "i32", U: "u8", L: "i64" };
    const lines = Object.entries(definedRows()).flatMap(([name, { dtypes, signature, scalars }]) =>
      [...dtypes].map((d) => `${name}_${tag[d]}:${signature.replaceAll("T[", `${tag[d]}[`)}:${scalars}\n`),
    );
    lines.sort((a, b) => (a.split(":")[0] < b.split(":")[0] ? -1 : 1));
    let hash = 0x811c9dc5n;
    for (const byte of Buffer.from(lines.join(""))) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n;
    expect(TABLE_VERSION).toBe(Number(hash));
  });

  test("names its scalars", () => {
    expect(KERNELS[kernelId("clip_i32")].scalars).toEqual(["low", "high"]);
    expect(KERNELS[kernelId("add_f32")].scalars).toEqual([]);
  });

  test("makes every kernel, once", () => {
    for (const kernel of KERNELS) {
      expect(typeof kernel.run, kernel.name).toBe("function");
      expect(kernel.run).toBe(kernel.run);
    }
  });

  test("knows at compile time which kernels there are", () => {
    // @ts-expect-error: addition has no kernel for u8
    expect(kernelId("add_u8")).toBeUndefined();
    // @ts-expect-error: there is no such row
    expect(kernelId("gadd_f32")).toBeUndefined();
  });
});
