/** Runs the built command in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";

const MAIN = join(PACKAGE_ROOT, "dist", "cli", "main.js");

/** Whether there is something to test; says so if not. */
export const isBuilt = existsSync(MAIN);
if (!isBuilt) console.warn(`skipped: ${MAIN} is missing; npm run build:ts makes it`);

/** What a command did. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Starts `thalweg` with arguments. `env` adds to the environment. */
export function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
}

/** Waits for the end of a command. */
export function finish(child: ChildProcess): Promise<Outcome> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...text }));
  });
}

/** Runs `thalweg` to its end. */
export const thalweg = (args: string[], env?: Record<string, string>): Promise<Outcome> =>
  finish(start(args, env));

/** An empty folder, removed after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "thalweg-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The lines of a run's metrics, without what differs from run to run: times. */
export function metricsOf(out: string): Record<string, unknown>[] {
  const lines = readFileSync(join(out, "metrics.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => {
    const { seconds, samplesPerSecond, ...rest } = JSON.parse(line) as Record<string, unknown>;
    return rest;
  });
}
