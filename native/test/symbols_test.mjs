// No level's instructions may leak into code that every processor runs: `node symbols_test.mjs avx2.o scalar.o ...`.
// A weak symbol is a function that the linker merges with its namesakes from other files. If the copy made in a
// level's file used wide registers and was the one kept, a processor without them would stop at it.
import { execFileSync } from "node:child_process";
import { basename } from "node:path";

const WIDE_REGISTER = /%[yz]mm\d|\bv[a-z0-9]+\s+.*%xmm\d/;

/** The functions of an object file: name, whether weak, and whether wide instructions are in it. */
function functionsOf(object) {
  const weak = new Set();
  for (const line of execFileSync("nm", [object], { encoding: "utf8" }).split("\n")) {
    const [, kind, name] = /^[0-9a-f]*\s+([A-Za-z])\s+(\S+)$/.exec(line.trim()) ?? [];
    if (kind === "W" || kind === "V" || kind === "u") weak.add(name);
  }
  const functions = [];
  const listing = execFileSync("objdump", ["-d", "--no-show-raw-insn", object], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  for (const line of listing.split("\n")) {
    const name = /^[0-9a-f]+ <(.+)>:$/.exec(line)?.[1];
    if (name !== undefined) functions.push({ name, isWeak: weak.has(name), isWide: false });
    else if (functions.length > 0 && WIDE_REGISTER.test(line)) functions[functions.length - 1].isWide = true;
  }
  return functions;
}

let failures = 0;
const check = (ok, text) => {
  if (!ok) failures++;
  console.log(`${ok ? "ok  " : "FAIL"} ${text}`);
};

let wide = 0;
for (const object of process.argv.slice(2)) {
  const functions = functionsOf(object);
  const isLevel = /^avx/.test(basename(object));
  if (isLevel) wide += functions.filter(({ isWide }) => isWide).length;
  const leaks = functions
    .filter(({ isWide, isWeak }) => isWide && (isWeak || !isLevel))
    .map(({ name }) => name);
  check(
    leaks.length === 0,
    `${basename(object)}: wide instructions ${leaks.length ? `in ${leaks.join(", ")}` : "stay inside"}`,
  );
}
check(wide > 100, `the levels have ${wide} functions with wide instructions`);
process.exit(failures > 0 ? 1 : 0);
