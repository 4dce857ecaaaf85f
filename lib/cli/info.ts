/** `thalweg info`: which executor runs here, at which level, with how many threads, and what did not load. */
import type { Command } from "commander";
import { type MachineInfo, machineInfo } from "./machine.js";

/** Adds `info` to the program. */
export function addInfoCommand(program: Command): void {
  program
    .command("info")
    .description(
      "show the executor in use, its instruction-set level and threads, and binaries that did not load",
    )
    .option("--json", "print one JSON object")
    .showHelpAfterError("Usage: thalweg info [--json]")
    .action((options: { json?: true }) => {
      const info = machineInfo();
      process.stdout.write(`${options.json ? JSON.stringify(info, null, 2) : describe(info)}\n`);
    });
}

function describe(info: MachineInfo): string {
  const rows = [
    ["thalweg", info.version],
    ["executor", info.backend === "native" ? "native" : "TypeScript"],
    ["level", `${info.isa} (available: ${info.levels.join(", ")})`],
    ["threads", `${info.threads} of ${info.cores} cores`],
    ["kernels", `${info.kernels}, table ${info.kernelTable}`],
    ["binary", info.binary ?? "none"],
    ["compiler", info.compiler ?? "none"],
    ...info.loadErrors.map(({ path, reason }) => ["not loaded", `${path}: ${reason}`]),
    ["node", `${info.node}, ${info.platform}`],
    ["processor", info.cpu],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
