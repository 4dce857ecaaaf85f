/** A value in an error message: numbers as they are, all else described. Never throws, as `String(value)` may. */
export const shown = (value: unknown): string =>
  typeof value === "number" || typeof value === "bigint" ? String(value) : describe(value);

/** What an error message says of a value that should have been something else. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object")
    return `a value of class ${Object.getPrototypeOf(value)?.constructor?.name ?? "Object"}`;
  if (typeof value === "function") return "a function";
  return `${typeof value} ${typeof value === "string" ? JSON.stringify(value) : String(value)}`;
}
