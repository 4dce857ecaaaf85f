// Two architectures give the same bits: `node same_bits_test.mjs HERE THERE...`, HERE being this machine's kernels_test
// and THERE the command that runs the other's. Ends with code 77 (skipped) where HERE has not been built.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

// What calls the C library, whose compiler may fuse a multiplication and an addition on one architecture only.
const FROM_THE_C_LIBRARY = new Set(["erf_f64", "gelu_f64"]);

function fingerprint([command, ...args]) {
  const { status, stdout, error } = spawnSync(command, [...args, "fingerprint", ...FROM_THE_C_LIBRARY], {
    encoding: "utf8",
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with code ${status}: ${stdout}`);
  return new Map(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(" ")),
  );
}

const [here, ...there] = process.argv.slice(2);
if (!existsSync(here)) {
  console.log(`skipped: ${here} does not exist; npm run test:native makes it`);
  process.exit(77);
}
const ours = fingerprint([here]);
const theirs = fingerprint(there);
const names = new Set([...ours.keys(), ...theirs.keys()]);
const differ = [...names].filter((name) => ours.get(name) !== theirs.get(name));
const wrong = differ.filter((name) => !FROM_THE_C_LIBRARY.has(name));
console.log(`${names.size} kernels, not compared: ${[...FROM_THE_C_LIBRARY].join(", ")}`);
if (names.size < 100) throw new Error("there are too few kernels");
if (wrong.length > 0) throw new Error(`other bits: ${wrong.join(", ")}`);
