/** What the command line says when something is wrong, and the exit code it ends with. */
import { type Command, CommanderError } from "commander";

/** The work failed. */
export const EXIT_FAILURE = 1;
/** The command line asks for something that does not exist. */
export const EXIT_USAGE = 2;
/** A shell's code for a process that a signal ended is this plus the signal's number. */
export const EXIT_SIGNAL = 128;
const SIGPIPE = 13;

/** Ends the command as one that was called wrongly: message and usage on stderr, exit code 2. */
export function usageError(command: Command, message: string): never {
  return command.error(`error: ${message}`, { code: "thalweg.usage", exitCode: EXIT_USAGE });
}

/**
 * Reports what a command threw, as one paragraph on stderr; with THALWEG_DEBUG set, the stack too. Commander has
 * printed its own errors before it throws them.
 *
 * @returns the exit code
 */
export function reportError(command: string, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${command}: ${message}\n`);
  if (process.env.THALWEG_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return EXIT_FAILURE;
}

/** Ends quietly when whoever read our output is gone (`thalweg train | head`), with a message when a disk is full. */
export function exitWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(EXIT_SIGNAL + SIGPIPE);
  process.stderr.write(`thalweg: standard output cannot be written: ${error.message}\n`);
  process.exit(EXIT_FAILURE);
}
