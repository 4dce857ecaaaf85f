// The development build with CMake: `node scripts/cmake.mjs build | test | sanitize`.
//   build     the addon and the native tests, in build-cmake/
//   test      builds, then runs the tests with CTest
//   sanitize  the same with AddressSanitizer and UndefinedBehaviorSanitizer, in build-sanitize/
// Ends with code 3 where the tools for it are missing. What ships is built by node-gyp from binding.gyp.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MISSING_TOOL = 3;
const FOLDERS = { build: "build-cmake", test: "build-cmake", sanitize: "build-sanitize" };

function stop(message, code) {
  console.error(message);
  process.exit(code);
}

/** Runs a command and ends with its exit code if it fails. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit" });
  if (error) stop(`${command}: ${error.message}`, 1);
  if (status !== 0) process.exit(status ?? 1);
}

const works = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

function checkTools() {
  if (!works("cmake"))
    stop("CMake is not installed; install it (https://cmake.org) and run this again", MISSING_TOOL);
  const compilers = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"];
  if (process.platform !== "win32" && !compilers.some(works)) {
    stop(`There is no C++ compiler (${compilers.join(", ")}); install one and run this again`, MISSING_TOOL);
  }
}

function cmakeJs() {
  try {
    return createRequire(import.meta.url).resolve("cmake-js/bin/cmake-js");
  } catch {
    return stop("cmake-js is not installed; run `npm install` and then this again", MISSING_TOOL);
  }
}

const action = process.argv[2];
if (!(action in FOLDERS)) stop("Usage: node scripts/cmake.mjs build | test | sanitize", 2);
checkTools();
const folder = FOLDERS[action];
const options = [
  `--CDTHALWEG_SANITIZE=${action === "sanitize" ? "ON" : "OFF"}`,
  `--CDNODE=${process.execPath}`,
];
run(process.execPath, [
  cmakeJs(),
  "build",
  "--out",
  folder,
  "--parallel",
  `${availableParallelism()}`,
  ...options,
]);
if (action !== "build") run("ctest", ["--test-dir", folder, "--output-on-failure"]);
