/**
 * Safetensors files: named tensors and a map of strings, readable by every framework. Checkpoints, which hold
 * more than that, are in checkpoint.ts; the header's rules in safetensors_header.ts.
 */
import { readFileSync } from "node:fs";
import { Tensor } from "../autograd/tensor.js";
import { ArgumentError, FormatError } from "../errors.js";
import { fromTypedArray } from "../ndarray/creation.js";
import { bytesOf, type DType, zeroedStorage } from "../ndarray/dtype.js";
import { NDArray } from "../ndarray/ndarray.js";
import { sizeOf } from "../ndarray/shape.js";
import { checkRecord, withDefaults } from "../options.js";
import { checkBytes, checkPath } from "./arguments.js";
import { writeFileAtomicSync } from "./atomic.js";
import { littleEndianBytes, readLittleEndian } from "./byte_order.js";
import { widenBFloat16, widenFloat16 } from "./half.js";
import {
  ELEMENT_TYPES,
  type ElementType,
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  parseHeader,
  quote,
  type TensorEntry,
} from "./safetensors_header.js";

/** The content of a safetensors file. */
export interface Safetensors {
  /**
   * By name, in the order of their bytes. They share no memory with the file's bytes, and are leaves without
   * grad.
   */
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
}

/**
 * Reads the bytes of a safetensors file. F32, F64, I32, I64, U8 and BOOL keep their type; F16 and BF16 become
 * float32, which holds all their values.
 *
 * @param name what error messages call the file
 * @throws FormatError for anything but one whole, valid file, and for other element types. Memory use is
 *   bounded by a small multiple of the bytes.
 */
export function parseSafetensors(bytes: Uint8Array, name = "the safetensors data"): Safetensors {
  const { entries, metadata, dataStart } = parseHeader(checkBytes("parseSafetensors", bytes), name);
  const data = bytes.subarray(dataStart);
  const tensors = entries.map((entry): [string, Tensor] => [
    entry.name,
    new Tensor(decode(entry, data, name)),
  ]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** Reads a safetensors file, as `parseSafetensors` does. FormatError for a missing file too. */
export function loadSafetensors(path: string): Safetensors {
  checkPath("loadSafetensors", path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`loadSafetensors: cannot read ${path}: ${reason}`, { cause });
  }
  return parseSafetensors(bytes, path);
}

/** Named arrays to be written, for example a model's `stateDict()`. */
export type NamedArrays = Readonly<Record<string, Tensor | NDArray>>;

/**
 * The bytes of a safetensors file, as the reference implementation lays them out: tensors in falling order of
 * element size, then by name, the data aligned to 8 bytes.
 *
 * @throws ArgumentError for a name or metadata that the format cannot hold
 */
export const encodeSafetensors = (tensors: NamedArrays, metadata: Record<string, string> = {}): Uint8Array =>
  Buffer.concat(pieces("encodeSafetensors", tensors, metadata));

/**
 * Writes a safetensors file: after a crash there is the old file or the whole new one, and when the function
 * returns it is on the disk. A model is saved by `saveSafetensors(path, model.stateDict())` and restored by
 * `model.loadStateDict(loadSafetensors(path).tensors)`.
 *
 * @throws ArgumentError for a name or metadata that the format cannot hold; ThalwegError `ERR_WRITE`
 */
export function saveSafetensors(
  path: string,
  tensors: NamedArrays,
  options: { metadata?: Record<string, string> } = {},
): void {
  checkPath("saveSafetensors", path);
  const { metadata } = withDefaults("saveSafetensors", options, { metadata: {} });
  writeFileAtomicSync(path, pieces("saveSafetensors", tensors, metadata));
}

function decode({ name, type, shape, start, end }: TensorEntry, data: Uint8Array, file: string): NDArray {
  const bytes = data.subarray(start, end);
  const size = sizeOf(shape);
  if (type === "F16" || type === "BF16") {
    const halves = new Uint16Array(size);
    readLittleEndian(bytes, halves);
    return fromTypedArray(type === "F16" ? widenFloat16(halves) : widenBFloat16(halves), shape);
  }
  if (type === "BOOL") {
    const wrong = bytes.findIndex((byte) => byte > 1);
    if (wrong >= 0) {
      throw new FormatError(
        `parseSafetensors: ${file} tensor ${quote(name)} is BOOL, but element ${wrong} is the byte ` +
          `${bytes[wrong]}; needs 0 or 1`,
      );
    }
  }
  const { dtype } = ELEMENT_TYPES[type];
  const elements = zeroedStorage(dtype, size);
  readLittleEndian(bytes, elements);
  return fromTypedArray(elements, shape, dtype);
}

const TYPE_ORDER = Object.keys(ELEMENT_TYPES) as ElementType[];
const typeOf = (dtype: DType): ElementType =>
  TYPE_ORDER.find(
    (type) => ELEMENT_TYPES[type].dtype === dtype && ELEMENT_TYPES[type].bytes === bytesOf(dtype),
  )!;

/** Header and tensors, to be written one after the other, so that no second copy of a large model is made. */
function pieces(operation: string, tensors: NamedArrays, metadata: Record<string, string>): Uint8Array[] {
  checkRecord(operation, "tensors", tensors);
  checkRecord(operation, "metadata", metadata);
  for (const text of [...Object.entries(metadata).flat(), ...Object.keys(tensors)])
    checkText(operation, text);
  const arrays = Object.entries(tensors).map(([name, value]) => {
    const array = value instanceof Tensor ? value.array : value;
    if (name === METADATA_KEY || !(array instanceof NDArray)) {
      const problem =
        name === METADATA_KEY ? "is reserved for the metadata" : `is ${typeof value}, not an array`;
      throw new ArgumentError(`${operation}: tensor name ${JSON.stringify(name)} ${problem}`);
    }
    return { name, array, type: typeOf(array.dtype) };
  });
  // Names in the order of their UTF-8 bytes, which is not quite that of JavaScript's string comparison.
  arrays.sort(
    (a, b) =>
      TYPE_ORDER.indexOf(a.type) - TYPE_ORDER.indexOf(b.type) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA_KEY, metadata]] : [];
  let end = 0;
  for (const { name, array, type } of arrays) {
    const start = end;
    end += array.size * bytesOf(array.dtype);
    header.push([name, { dtype: type, shape: array.shape, data_offsets: [start, end] }]);
  }
  return [...headerBytes(operation, header), ...arrays.map(({ array }) => fileBytes(array))];
}

/** The elements as the file has them. In memory any byte but 0 is true; in a file only 1 is. */
function fileBytes({ dtype, data }: NDArray): Uint8Array {
  return dtype === "bool"
    ? Uint8Array.from(data as Uint8Array, (byte) => (byte ? 1 : 0))
    : littleEndianBytes(data);
}

function headerBytes(operation: string, header: readonly [string, unknown][]): Uint8Array[] {
  // Entry by entry, because a JavaScript object would move names such as "0" to the front.
  const json = `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const unpadded = Buffer.byteLength(json);
  const length = Math.ceil(unpadded / LENGTH_BYTES) * LENGTH_BYTES;
  if (length > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `${operation}: names, shapes and metadata take ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed`,
    );
  }
  const prefix = new Uint8Array(LENGTH_BYTES);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(length), true);
  return [prefix, Buffer.from(json + " ".repeat(length - unpadded))];
}

function checkText(operation: string, text: unknown): void {
  if (typeof text !== "string" || /\p{Surrogate}/u.test(text)) {
    const got =
      typeof text === "string" ? `${JSON.stringify(text)}, which has half a surrogate pair` : String(text);
    throw new ArgumentError(
      `${operation}: names and metadata must be strings that UTF-8 can hold, got ${got}`,
    );
  }
}
