// No level's instructions may leak into code that every processor runs: `node symbols_test.mjs avx2.o scalar.o ...`.
// A weak symbol is a function that the linker merges with its namesakes from other files. If the copy made in a
// level's file used wide registers and was the one kept, a processor without them would stop at it. So it would at an
// initializer that runs when the library is loaded, and at an instruction of a higher level in a lower one's file.
import { execFileSync } from "node:child_process";
import { basename } from "node:path";

const AVX = /%[yz]mm\d|\bv[a-z0-9]+\s+.*%xmm\d/;
const AVX512 = /%zmm\d|%k[0-7]\b|%[xy]mm(1[6-9]|2\d|3[01])\b/;

/** The functions of an object file: name, whether weak, and whether instructions of AVX and AVX-512 are in it. */
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
    if (name !== undefined) functions.push({ name, isWeak: weak.has(name), avx: false, avx512: false });
    else if (functions.length > 0) {
      const last = functions[functions.length - 1];
      last.avx ||= AVX.test(line);
      last.avx512 ||= AVX512.test(line);
    }
  }
  return functions;
}

let failures = 0;
const check = (ok, text) => {
  if (!ok) failures++;
  console.log(`${ok ? "ok  " : "FAIL"} ${text}`);
};

const counts = { avx2: 0, avx512: 0 };
for (const object of process.argv.slice(2)) {
  const functions = functionsOf(object);
  const level = /^avx\d+/.exec(basename(object))?.[0];
  if (level === "avx2") counts.avx2 += functions.filter(({ avx }) => avx).length;
  if (level === "avx512") counts.avx512 += functions.filter(({ avx512 }) => avx512).length;
  const leaks = functions
    .filter(({ name, avx, avx512, isWeak }) => {
      const isShared = isWeak || level === undefined || name.startsWith("_GLOBAL__");
      return (avx && isShared) || (avx512 && level !== "avx512");
    })
    .map(({ name }) => name);
  check(
    leaks.length === 0,
    `${basename(object)}: wide instructions ${leaks.length ? `in ${leaks.join(", ")}` : "stay inside"}`,
  );
}
for (const [level, count] of Object.entries(counts)) {
  check(count > 100, `${level} has ${count} functions with its instructions`);
}
process.exit(failures > 0 ? 1 : 0);
