// `npm run test:exhaustive [-- NAME]`: what takes too long for every run.
//   ulp      largest error of every float32 function over all inputs (an hour and more); ulp=STRIDE takes every n-th
//   memory   100,000 eager training steps with a flat resident set
//   digits   the drawn digits are hard for a linear model and learnable for an MLP
//   newton   Newton-CG solves logistic regression on all of MNIST in under 30 steps
//   valgrind the native tests under memcheck, at the levels that valgrind knows (it has no AVX-512)
//   kill     50 training runs killed at random moments and resumed
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, ROOT } from "./ensure_built.mjs";

const node = (file, ...flags) => run(process.execPath, [...flags, join("test", "exhaustive", file)]);

function run(command, args) {
  return spawnSync(command, args, { cwd: ROOT, stdio: "inherit" }).status === 0;
}

/** Compiled here, since only this needs it. */
function ulp(stride = "1") {
  mkdirSync(join(ROOT, "build-exhaustive"), { recursive: true });
  const program = join("build-exhaustive", "ulp");
  const flags = [
    "-O2",
    "-fpeel-loops",
    "-fvect-cost-model=dynamic",
    "-std=c++17",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-pthread",
  ];
  const sources = [
    "test/ulp_exhaustive",
    "dispatch",
    "parallel",
    "system",
    "isa/scalar",
    "isa/avx2",
    "isa/avx512",
  ].map((name) => `native/${name}.cc`);
  return run("c++", [...flags, ...sources, "-o", program]) && run(program, ["all", stride]);
}

/** The native tests that CMake built; a processor without AVX-512 is what valgrind shows them. */
function valgrind() {
  if (!run(process.execPath, ["scripts/cmake.mjs", "build"])) return false;
  const flags = [
    "-q",
    "--error-exitcode=1",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
  ];
  return [
    ["table_test"],
    ["program_test"],
    ["merged_test"],
    ["parallel_test"],
    ["kernels_test", "quick"],
  ].every(([program, ...args]) => run("valgrind", [...flags, join("build-cmake", program), ...args]));
}

const checks = {
  memory: () => node("memory.mjs", "--min-semi-space-size=16", "--max-semi-space-size=16"),
  digits: () => node("digits.mjs"),
  newton: () => node("newton.mjs"),
  kill: () => node("kill.mjs"),
  valgrind,
  ulp,
};

await ensureBuilt();
const selected = process.argv.slice(2);
const failed = [];
for (const choice of selected.length > 0 ? selected : Object.keys(checks)) {
  const [name, argument] = choice.split("=");
  if (!(name in checks)) {
    console.error(`unknown check ${name}; there are ${Object.keys(checks).join(", ")}`);
    process.exit(2);
  }
  console.log(`\n> ${name}`);
  if (!checks[name](argument)) failed.push(name);
}
console.log(failed.length === 0 ? "\nall passed" : `\nFAILED: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
