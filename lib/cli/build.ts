/** `thalweg build`: compiles the native executor from the sources in the package, where no prebuilt binary serves. */
import type { Command } from "commander";
import { PACKAGE_ROOT } from "../runtime/native_addon.js";
import { buildNative } from "./native_build.js";

/** Adds `build` to the program. */
export function addBuildCommand(program: Command): void {
  program
    .command("build")
    .description("compile the native executor from source; needs a C++17 compiler, make and Python 3")
    .option("--verbose", "show the compiler's output")
    .showHelpAfterError("Usage: thalweg build [--verbose]")
    .action(async (options: { verbose?: true }) => {
      process.stdout.write("compiling the native executor; this takes about a minute\n");
      const path = await buildNative({ root: PACKAGE_ROOT, isVerbose: options.verbose === true });
      process.stdout.write(`built ${path}\n`);
    });
}
