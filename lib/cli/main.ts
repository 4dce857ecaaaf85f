#!/usr/bin/env node
/** The command `thalweg`: puts the commands together, each of which has its own file. */
import { Command } from "commander";
import { addBuildCommand } from "./build.js";
import { addInfoCommand } from "./info.js";
import { addLabCommand } from "./lab.js";
import { exitWithoutReader, reportError } from "./problems.js";
import { addTrainCommand } from "./train.js";
import { packageVersion } from "./version.js";

const program = new Command("thalweg")
  .description("Trains neural networks inside Node, with native SIMD kernels or in pure TypeScript.")
  .version(packageVersion())
  .showHelpAfterError("Usage: thalweg <command> [options]; thalweg --help lists the commands")
  .exitOverride();

let running = program.name();
program.hook("preAction", (_, command) => {
  running = `${program.name()} ${command.name()}`;
});

addTrainCommand(program);
addLabCommand(program);
addInfoCommand(program);
addBuildCommand(program);

process.stdout.on("error", exitWithoutReader);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(running, error);
}
