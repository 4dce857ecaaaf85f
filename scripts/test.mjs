// `npm test`: on a fresh clone, installs and builds what is missing, then checks everything there is to check, and
// fails if any of it does. With arguments, runs only the tests that they select: `npm test -- test/cli`.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ensureBuilt, isOlder, OBJECTS, ROOT } from "./ensure_built.mjs";

const MISSING_TOOL = 3; // scripts/cmake.mjs

await ensureBuilt();
const selected = process.argv.slice(2);
const bin = (name, path) => [`node_modules/${name}/${path}`];
const vitest = ["unit tests", [...bin("vitest", "vitest.mjs"), "run", ...selected]];
const checks = [
  ["lint", [...bin("@biomejs/biome", "bin/biome"), "lint", "--error-on-warnings", "."]],
  ["format", [...bin("@biomejs/biome", "bin/biome"), "format", "."]],
  ["types", [...bin("typescript", "bin/tsc"), "--noEmit"]],
  vitest,
  ["native tests", ["scripts/cmake.mjs", "test"]],
  ["ARM tests", ["scripts/cmake.mjs", "test-arm"]],
];

/** Which instruction-set levels the tests covered, and which they could not. */
function levelsTested(armTests) {
  const built = { x64: ["scalar", "avx2", "avx512"], arm64: ["scalar", "neon"] }[process.arch] ?? ["scalar"];
  let levels;
  try {
    levels = createRequire(import.meta.url)(join(ROOT, "build/Release/thalweg.node")).info().levels;
  } catch {
    return "none: there is no native binary";
  }
  const untested = built.filter((level) => !levels.includes(level));
  const notes = untested.map((level) => `NOT ${level}, which this machine does not have`);
  if (process.arch !== "arm64") {
    notes.push(
      armTests === "passed" ? "neon in an emulator" : "NOT neon, for which there must be an emulator",
    );
  }
  return [levels.join(", "), ...notes].join("; ");
}

if (!isOlder(join(OBJECTS, "native", "program.o"), ["native"])) process.env.THALWEG_OBJECTS = OBJECTS;

const results = [];
for (const [name, args] of selected.length > 0 ? [vitest] : checks) {
  console.log(`\n> ${name}`);
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  const result = status === 0 ? "passed" : status === MISSING_TOOL ? "skipped, a tool is missing" : "FAILED";
  results.push({ name, result, seconds: (performance.now() - start) / 1000 });
}

console.log("");
for (const { name, result, seconds } of results) {
  console.log(`${name.padEnd(14)}${result} (${seconds.toFixed(1)} s)`);
}
if (selected.length === 0) {
  console.log(`levels tested ${levelsTested(results.find(({ name }) => name === "ARM tests")?.result)}`);
}
if (results.some(({ result }) => result === "FAILED")) process.exitCode = 1;
