/** Printing of arrays: a header with dtype and shape, then the elements in aligned columns as NumPy lays them out. */
import type { StridedView } from "./copy.js";
import { isFloat } from "./dtype.js";
import { type Element, elementAt } from "./nested.js";
import { sizeOf } from "./shape.js";

const SUMMARIZE_ABOVE = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 75;
const MAX_FRACTION_DIGITS = 8;
const MAX_FLOAT32_DIGITS = 9;
// NumPy's bounds outside which floats are printed with exponents (the ratio counts only beside fractions).
const LARGEST_FIXED = 1e8;
const SMALLEST_FIXED = 1e-4;
const WIDEST_FIXED_RATIO = 1e3;

type Format = (value: Element) => string;

/** `NDArray(float32)[2, 3]` and the elements; more than 1000 are cut to three at each end of an axis. */
export function formatArray(view: StridedView): string {
  const { shape } = view;
  const header = `NDArray(${view.dtype})[${shape.join(", ")}]`;
  const size = sizeOf(shape);
  if (size === 0) return `${header} []`;
  const summarize = size > SUMMARIZE_ABOVE;
  const shown: Element[] = [];
  visit(view, summarize, (value) => {
    shown.push(value);
    return "";
  });
  const body = visit(view, summarize, alignedFormat(shown, view.dtype === "float32", isFloat(view.dtype)));
  return body.includes("\n") ? `${header}\n${body}` : `${header} ${body}`;
}

/** The text of the elements shown, each passed through `format` in row-major order. */
function visit(view: StridedView, summarize: boolean, format: Format, axis = 0, at = view.offset): string {
  const { shape, strides } = view;
  if (axis === shape.length) return format(elementAt(view, at));
  const cut = summarize && shape[axis] > 2 * EDGE_ITEMS;
  const items: string[] = [];
  for (let i = 0; i < shape[axis]; i++) {
    if (cut && i === EDGE_ITEMS) {
      items.push("...");
      i = shape[axis] - EDGE_ITEMS;
    }
    items.push(visit(view, summarize, format, axis + 1, at + i * strides[axis]));
  }
  const indent = " ".repeat(axis + 1);
  const below = shape.length - axis - 1;
  return `[${below === 0 ? wrapLine(items, indent) : items.join(`,${"\n".repeat(below)}${indent}`)}]`;
}

/** Items separated by commas, broken into lines that keep within the width. */
function wrapLine(items: readonly string[], indent: string): string {
  let text = "";
  let width = indent.length;
  for (const [i, item] of items.entries()) {
    if (i > 0) {
      const fits = width + 2 + item.length < LINE_WIDTH;
      text += fits ? ", " : `,\n${indent}`;
      width = fits ? width + 2 : indent.length;
    }
    text += item;
    width += item.length;
  }
  return text;
}

/** A format under which all the given values come out equally wide. */
function alignedFormat(values: readonly Element[], single: boolean, float: boolean): Format {
  const plain = float ? floatFormat(values as readonly number[], single) : String;
  const width = largestOf(values.map((value) => plain(value).length));
  return (value) => plain(value).padStart(width);
}

/** Fixed or exponential notation with as many digits as the values need to be told apart, at most 8 after the point. */
function floatFormat(values: readonly number[], single: boolean): Format {
  const finite = values.filter(Number.isFinite);
  const magnitudes = finite.map(Math.abs).filter((value) => value > 0);
  const largest = largestOf(magnitudes);
  const smallest = -largestOf(magnitudes.map((value) => -value));
  const wide = largest / smallest > WIDEST_FIXED_RATIO && !finite.every(Number.isInteger);
  const exponential = wide || largest >= LARGEST_FIXED || smallest < SMALLEST_FIXED;
  const digits = finite.map((value) => fractionDigits(shortest(value, single), exponential));
  const fraction = Math.min(MAX_FRACTION_DIGITS, Math.max(0, largestOf(digits)));
  return (value) => {
    if (!Number.isFinite(value)) return String(value).toLowerCase().replace("infinity", "inf");
    const x = value as number;
    const text = exponential ? x.toExponential(fraction) : x.toFixed(fraction);
    return Object.is(x, -0) ? `-${text}` : text;
  };
}

/** The shortest decimal that reads back as the same number of its type. */
function shortest(value: number, single: boolean): number {
  if (!single) return value;
  for (let digits = 1; digits < MAX_FLOAT32_DIGITS; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(MAX_FLOAT32_DIGITS));
}

/** Digits after the point that a number needs in the given notation. */
function fractionDigits(value: number, exponential: boolean): number {
  const [mantissa, exponent] = value.toExponential().split("e");
  const digits = mantissa.split(".")[1]?.length ?? 0;
  return exponential ? digits : Math.max(0, digits - Number(exponent));
}

// Math.max(...values) overflows the stack for the many elements that a high-rank array shows.
const largestOf = (values: readonly number[]): number =>
  values.reduce((largest, value) => Math.max(largest, value), -Infinity);
