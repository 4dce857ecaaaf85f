// The development build with CMake: `node scripts/cmake.mjs ACTION`.
//   build     the addon and the native tests, in build-cmake/
//   test      builds, then runs the tests with CTest
//   sanitize  the same with AddressSanitizer and UndefinedBehaviorSanitizer, in build-sanitize/
//   tsan      the native tests without the addon, with ThreadSanitizer, in build-tsan/
//   test-arm  the native tests for AArch64, by a cross compiler and in an emulator, in build-arm/
// Ends with code 3 where the tools for it are missing. What ships is built by node-gyp from binding.gyp.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MISSING_TOOL = 3;
const JOBS = `${availableParallelism()}`;

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

/** Builds the addon and the tests in a folder. */
function build(folder, sanitizer = "") {
  // Where node-gyp has just made them (`npm test` sees to that), the kernels need not be compiled again.
  const objects = process.env.THALWEG_OBJECTS ?? "";
  const options = [
    `--CDTHALWEG_SANITIZE=${sanitizer}`,
    `--CDNODE=${process.execPath}`,
    `--CDTHALWEG_OBJECTS=${objects}`,
  ];
  run(process.execPath, [cmakeJs(), "build", "--out", folder, "--parallel", JOBS, ...options]);
}

/** Builds the tests alone. */
function buildTests(folder, ...options) {
  run("cmake", ["-S", ".", "-B", folder, `-DNODE=${process.execPath}`, ...options]);
  run("cmake", ["--build", folder, "--parallel", JOBS]);
}

const test = (folder, ...options) => run("ctest", ["--test-dir", folder, "--output-on-failure", ...options]);

function testArm() {
  if (process.arch === "arm64") return console.log("This machine is AArch64: `test` is this test");
  for (const tool of ["aarch64-linux-gnu-g++", "qemu-aarch64"]) {
    if (works(tool)) continue;
    stop(
      `${tool} is not installed; on Debian: apt-get install g++-aarch64-linux-gnu qemu-user. ` +
        "NEON is not tested",
      MISSING_TOOL,
    );
  }
  build("build-cmake"); // whose results are compared with those of AArch64
  buildTests("build-arm", "-DCMAKE_TOOLCHAIN_FILE=scripts/aarch64.cmake");
  test("build-arm", "--parallel", JOBS); // an emulator keeps few threads busy
}

const ACTIONS = {
  build: () => build("build-cmake"),
  test() {
    build("build-cmake");
    test("build-cmake");
  },
  sanitize() {
    build("build-sanitize", "address");
    test("build-sanitize");
  },
  tsan() {
    buildTests("build-tsan", "-DTHALWEG_SANITIZE=thread");
    test("build-tsan");
  },
  "test-arm": testArm,
};

const action = process.argv[2];
if (!(action in ACTIONS)) stop(`Usage: node scripts/cmake.mjs ${Object.keys(ACTIONS).join(" | ")}`, 2);
checkTools();
ACTIONS[action]();
