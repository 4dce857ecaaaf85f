/** Every kernel is reached from somewhere above the seam: a row that no operation, optimizer or generator uses is dead. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";
import { type KernelStem, ROWS } from "../../lib/runtime/table.js";

const LIB = join(PACKAGE_ROOT, "lib");

test("every row of the kernel table is used outside lib/runtime", () => {
  const sources = (readdirSync(LIB, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".ts") && !name.startsWith("runtime"))
    .map((name) => readFileSync(join(LIB, name), "utf8"))
    .join("\n");
  // Names appear whole, or before the dtype that completes them; all conversions go by one name.
  const isUsed = (stem: KernelStem): boolean =>
    new RegExp(`["'\`]${stem.replace(/^cast_from_.*/, "cast_from_")}(?:["'\`]|_?\\$\\{)`).test(sources);
  expect((Object.keys(ROWS) as KernelStem[]).filter((stem) => !isUsed(stem))).toEqual([]);
});
