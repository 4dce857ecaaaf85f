/** Checks of what reading and writing is given. */

import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";

/** The path. ArgumentError for anything but a string: a number would name an open file. */
export function checkPath(operation: string, path: unknown): string {
  if (typeof path === "string") return path;
  throw new ArgumentError(`${operation}: the path must be a string, got ${describe(path)}`);
}

/** The bytes. ArgumentError for anything but a Uint8Array, of which Buffer is one. */
export function checkBytes(operation: string, bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw new ArgumentError(`${operation}: the bytes must be a Uint8Array, got ${describe(bytes)}`);
}
