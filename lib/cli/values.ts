/** Readers of option values. Each refuses what it cannot take and says what it needs; commander names the option. */
import { InvalidArgumentError } from "commander";

function number(text: string, isGood: (value: number) => boolean, needed: string): number {
  const value = decimal(text);
  if (!isGood(value)) throw new InvalidArgumentError(`It takes ${needed}.`);
  return value;
}

/** NaN for what is no decimal number: `Number` alone reads "" as 0 and "0x10" as 16. */
const decimal = (text: string): number =>
  /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/** 1, 2, 3, … */
export const positiveInteger = (text: string): number => number(text, isCount, "a positive integer");

/** An integer in [0, 2⁵³). */
export const seed = (text: string): number =>
  number(text, (value) => Number.isSafeInteger(value) && value >= 0, "an integer in [0, 2^53)");

/** A number of threads. */
export const threads = (text: string): number =>
  number(text, (value) => isCount(value) && value <= 256, "an integer from 1 to 256");

/** A finite number above 0. */
export const positiveNumber = (text: string): number =>
  number(text, (value) => value > 0 && value < Infinity, "a number above 0");

/** A finite number of 0 or more. */
export const nonNegativeNumber = (text: string): number =>
  number(text, (value) => value >= 0 && value < Infinity, "a number of 0 or more");

/** A probability below 1. */
export const fraction = (text: string): number =>
  number(text, (value) => value >= 0 && value < 1, "a number in [0, 1)");

/** Any text but the empty one. */
export function nonEmpty(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("It must not be empty.");
}

/** `784,256,10`: the sizes of the layers, inputs first. */
export function layerSizes(text: string): number[] {
  const sizes = text.split(",").map(decimal);
  if (sizes.length >= 2 && sizes.every(isCount)) return sizes;
  throw new InvalidArgumentError(
    "It takes two or more positive integers with commas between, inputs first: 784,256,128,10.",
  );
}
