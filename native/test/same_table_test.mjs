// The addon that CMake built and the one that node-gyp built report the same kernel table.
//   node same_table_test.mjs CMAKE_ADDON GYP_ADDON
// Ends with code 77 (skipped) where node-gyp has built nothing.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(import.meta.url);
const [cmake, gyp] = process.argv.slice(2).map((path) => resolve(path));
if (!existsSync(gyp)) {
  console.log(`skipped: ${gyp} does not exist; npm run build:native makes it`);
  process.exit(77);
}
const [ours, theirs] = [cmake, gyp].map((path) => require(path).info());
assert.deepEqual(ours.kernels, theirs.kernels);
assert.equal(ours.version, theirs.version);
assert.deepEqual(ours.levels, theirs.levels);
console.log(`${ours.kernels.length} kernels, version ${ours.version.toString(16)}, in both`);
