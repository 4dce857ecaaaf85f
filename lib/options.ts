/** Checks of options, shared by layers, initializers and optimizers: names, kinds and ranges, in one wording. */
import { describe, shown } from "./describe.js";
import { ArgumentError } from "./errors.js";

/** A set of numbers, and how an error message puts it. */
export interface Range {
  readonly text: string;
  readonly holds: (value: number) => boolean;
}

export const FINITE: Range = { text: "a finite number", holds: Number.isFinite };
export const NON_NEGATIVE: Range = { text: "a number ≥ 0", holds: (x) => x >= 0 && x < Infinity };
export const POSITIVE: Range = { text: "a number > 0", holds: (x) => x > 0 && x < Infinity };
/** What decay rates of running averages are: 1 would never forget. */
export const BELOW_ONE: Range = { text: "a number in [0, 1)", holds: (x) => x >= 0 && x < 1 };
export const UNIT_INTERVAL: Range = { text: "a number in [0, 1]", holds: (x) => x >= 0 && x <= 1 };
export const POSITIVE_INTEGER: Range = {
  text: "a positive integer",
  holds: (x) => Number.isSafeInteger(x) && x > 0,
};
export const INTEGER: Range = { text: "an integer", holds: Number.isSafeInteger };

/** In defaults, the place of a number that has none; whoever leaves it out is told that it is undefined. */
export const REQUIRED = undefined as unknown as number;

/** The value if it is a number of the range, else an ArgumentError that names owner and option. */
export function checkNumber(owner: string, name: string, value: unknown, range: Range): number {
  if (typeof value === "number" && range.holds(value)) return value;
  const kind =
    value === Number.POSITIVE_INFINITY && range !== FINITE ? `finite and ${range.text}` : range.text;
  const got = typeof value === "number" ? String(value) : describe(value);
  throw new ArgumentError(`${owner}: ${name} must be ${kind}, got ${got}`);
}

/** The value if it is true or false. */
export function checkBoolean(owner: string, name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new ArgumentError(`${owner}: ${name} must be true or false, got ${shown(value)}`);
}

/** The value if it is one of the choices. */
export function checkChoice<Choice extends string>(
  owner: string,
  name: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const got = typeof value === "string" ? `"${value}"` : shown(value);
  throw new ArgumentError(
    `${owner}: ${name} must be ${choices.map((c) => `"${c}"`).join(" or ")}, got ${got}`,
  );
}

/** The items of an array or another iterable object; `items` names them in the message. */
export function listOf<Item>(owner: string, name: string, value: Iterable<Item>, items: string): Item[] {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return [...value];
  throw new ArgumentError(`${owner}: ${name} must be an array of ${items}, got ${describe(value)}`);
}

/** Throws an ArgumentError unless the value is an object that holds values by name. */
export function checkRecord(owner: string, name: string, value: unknown): void {
  if (typeof value === "object" && value !== null && !(Symbol.iterator in value)) return;
  throw new ArgumentError(`${owner}: ${name} must be a plain object, got ${shown(value)}`);
}

/**
 * The options with the defaults where they are left out or undefined. The defaults list all names there are
 * (undefined where there is no default); ArgumentError for any other.
 */
export function withDefaults<Options extends object>(
  owner: string,
  options: Readonly<Partial<Options>>,
  defaults: Options,
): Options {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ArgumentError(`${owner}: options must be an object, got ${shown(options)}`);
  }
  const resolved = { ...defaults };
  for (const name of Object.keys(options) as (keyof Options)[]) {
    if (!Object.hasOwn(defaults, name)) throw unknownOptions(owner, options, defaults);
    const value = options[name];
    if (value !== undefined) resolved[name] = value;
  }
  return resolved;
}

function unknownOptions(owner: string, options: object, defaults: object): ArgumentError {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(defaults, name));
  const known = Object.keys(defaults).join(", ") || "none";
  return new ArgumentError(`${owner}: unknown option ${unknown.join(", ")}; it takes ${known}`);
}
