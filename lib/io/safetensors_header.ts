/**
 * The header of a safetensors file: eight bytes with the length of a JSON text (little-endian), and that
 * text, which gives each tensor's element type, shape and place in the rest of the file
 * (https://github.com/huggingface/safetensors, "Format"). The tensors' bytes are safetensors.ts's business.
 */
import { FormatError } from "../errors.js";
import type { DType } from "../ndarray/dtype.js";
import { formatShape, MAX_RANK, type Shape, sizeOf } from "../ndarray/shape.js";
import { duplicateKey } from "./json_keys.js";

/** Element types that can be read, the reference implementation's order of tensors in a file. */
export const ELEMENT_TYPES = {
  I64: { dtype: "int64", bytes: 8 },
  F64: { dtype: "float64", bytes: 8 },
  F32: { dtype: "float32", bytes: 4 },
  I32: { dtype: "int32", bytes: 4 },
  BF16: { dtype: "float32", bytes: 2 },
  F16: { dtype: "float32", bytes: 2 },
  U8: { dtype: "uint8", bytes: 1 },
  BOOL: { dtype: "bool", bytes: 1 },
} as const satisfies Record<string, { dtype: DType; bytes: number }>;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** The key that holds the metadata instead of a tensor. */
export const METADATA_KEY = "__metadata__";

/** Bytes before the JSON text. */
export const LENGTH_BYTES = 8;

/**
 * Longest JSON text, as in the reference implementation: a bound on the work that a hostile file can ask for.
 */
export const MAX_HEADER_BYTES = 100_000_000;

/** A tensor as the header describes it. */
export interface TensorEntry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  /** First byte and the byte after the last, counted from the end of the header. */
  readonly start: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Record<string, string>;
  /** Where the header ends. */
  readonly dataStart: number;
}

/**
 * Reads and checks the whole header; what it describes fills `bytes` exactly. `file` is its name in errors.
 */
export function parseHeader(bytes: Uint8Array, file: string): Header {
  const { json, dataStart } = readJson(bytes, file);
  const { [METADATA_KEY]: rawMetadata, ...rawEntries } = json;
  const metadata = parseMetadata(rawMetadata, file);
  const entries = Object.entries(rawEntries).map(([name, raw]) => parseEntry(name, raw, file));
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.start !== end) {
      const problem = entry.start > end ? "leaves a hole" : "overlaps another";
      throw fail(
        file,
        `tensor ${quote(entry.name)} starts at byte ${entry.start} and ${problem}: the bytes before it end at ${end}`,
      );
    }
    end = entry.end;
  }
  const available = bytes.length - dataStart;
  if (end !== available) {
    const problem = end > available ? "is truncated" : "has trailing bytes";
    throw fail(file, `${problem}: its tensors take ${end} bytes, but ${available} follow the header`);
  }
  return { entries, metadata, dataStart };
}

function readJson(bytes: Uint8Array, file: string): { json: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) {
    throw fail(
      file,
      `has ${bytes.length} bytes; a safetensors file starts with ${LENGTH_BYTES} for the header's length`,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw fail(file, `announces a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > bytes.length) {
    const available = bytes.length - LENGTH_BYTES;
    throw fail(file, `is truncated: it announces a header of ${length} bytes, but ${available} follow`);
  }
  const header = bytes.subarray(LENGTH_BYTES, dataStart);
  if (header[0] !== "{".charCodeAt(0)) {
    throw fail(
      file,
      `is no safetensors file: its header starts with ${header.length ? `byte ${header[0]}` : "nothing"}, not with "{"`,
    );
  }
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
    json = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail(file, `has a header that is not JSON in UTF-8: ${reason}`, cause);
  }
  const repeated = duplicateKey(text);
  if (repeated !== undefined)
    throw fail(file, `has the key ${quote(repeated)} twice in one object of its header`);
  return { json: json as Record<string, unknown>, dataStart };
}

function parseEntry(name: string, raw: unknown, file: string): TensorEntry {
  const bad = (problem: string): FormatError => fail(file, `tensor ${quote(name)} ${problem}`);
  if (!isObject(raw))
    throw bad(`is described by ${quote(raw)}; needs an object with dtype, shape and data_offsets`);
  const { dtype: type, shape, data_offsets: offsets } = raw;
  if (typeof type !== "string" || !Object.hasOwn(ELEMENT_TYPES, type)) {
    throw bad(`has dtype ${quote(type)}; supported are ${Object.keys(ELEMENT_TYPES).join(", ")}`);
  }
  if (!isSizes(shape)) throw bad(`has shape ${quote(shape)}; needs a list of integers from 0 to 2^53 - 1`);
  if (shape.length > MAX_RANK) throw bad(`has ${shape.length} axes; at most ${MAX_RANK} are supported`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw bad(`has data_offsets ${quote(offsets)}; needs two integers, 0 ≤ start ≤ end`);
  }
  const [start, end] = offsets;
  const { bytes } = ELEMENT_TYPES[type as ElementType];
  const needed = sizeOf(shape) * bytes;
  if (needed !== end - start) {
    throw bad(
      `is ${type} of shape ${formatShape(shape)}, ${needed} bytes, but its data_offsets span ${end - start}`,
    );
  }
  return { name, type: type as ElementType, shape, start, end };
}

function parseMetadata(raw: unknown, file: string): Record<string, string> {
  if (raw === undefined) return {};
  const isText = (value: unknown): value is string => typeof value === "string";
  if (!isObject(raw)) throw fail(file, `has ${METADATA_KEY} ${quote(raw)}; needs an object of strings`);
  for (const [key, value] of Object.entries(raw)) {
    if (!isText(value))
      throw fail(file, `has ${quote(value)} under ${quote(key)} in ${METADATA_KEY}; needs a string`);
  }
  return raw as Record<string, string>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.every((size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0));

const MAX_QUOTED = 80;
const MAX_LISTED = 20;

/** A piece of the header in an error, cut to a length one can read. */
export function quote(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value);
  }
  const isFlat = Array.isArray(value) && value.every((entry) => typeof entry !== "object" || entry === null);
  if (isFlat && value.length <= MAX_LISTED) return `[${value.map(quote).join(",")}]`;
  // Deep nesting would overflow the stack of JSON.stringify.
  if (Array.isArray(value)) return `a list of ${value.length} entries`;
  return isObject(value) ? "an object" : value === undefined ? "nothing" : String(value);
}

const fail = (file: string, problem: string, cause?: unknown): FormatError =>
  new FormatError(`parseSafetensors: ${file} ${problem}`, cause === undefined ? undefined : { cause });
