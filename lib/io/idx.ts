/**
 * IDX files, the format of MNIST, plain or gzipped: two zero bytes, a byte for the element type, a byte for
 * the number of axes, one big-endian uint32 per axis, then the elements in row-major order, big-endian
 * (http://yann.lecun.com/exdb/mnist/). Plain objects only: arrays and datasets are made from them elsewhere.
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { constants, gunzip, gunzipSync, gzip } from "node:zlib";
import { ArgumentError, DTypeError, FormatError, ShapeError } from "../errors.js";
import { writeFileAtomic } from "./atomic.js";
import { convertByteOrder } from "./byte_order.js";

export type IdxDType = "uint8" | "int32" | "float32" | "float64";
export type IdxData = Uint8Array | Int32Array | Float32Array | Float64Array;

/** The content of an IDX file: `data` holds the product of `shape` elements in row-major order. */
export interface IdxArray {
  readonly dtype: IdxDType;
  readonly shape: readonly number[];
  readonly data: IdxData;
}

interface ElementType {
  readonly code: number;
  readonly bytes: 1 | 4 | 8;
  readonly storage: new (buffer: ArrayBuffer) => IdxData;
}

const TYPES: Record<IdxDType, ElementType> = {
  uint8: { code: 0x08, bytes: 1, storage: Uint8Array },
  int32: { code: 0x0c, bytes: 4, storage: Int32Array },
  float32: { code: 0x0d, bytes: 4, storage: Float32Array },
  float64: { code: 0x0e, bytes: 8, storage: Float64Array },
};
const SUPPORTED = Object.entries(TYPES)
  .map(([dtype, { code }]) => `${hex(code)} ${dtype}`)
  .join(", ");
const UNSUPPORTED: Record<number, string> = { 9: "signed byte", 11: "short" };
const MAX_RANK = 16; // as many axes as a kernel takes

/**
 * Decodes an IDX file, gzipped or not (the bytes tell, not the name). The result shares no memory with
 * `bytes`.
 *
 * @param name what error messages call the file
 * @throws FormatError for anything but one whole, valid file. Memory use is bounded by what the bytes can
 * hold.
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  if (!isGzip(bytes)) return decode(bytes, name);
  const options = gunzipOptions(bytes, name);
  let unpacked: Uint8Array;
  try {
    unpacked = gunzipSync(bytes, options);
  } catch (error) {
    throw gzipError(error, name, options.maxOutputLength);
  }
  return decode(unpacked, name);
}

/**
 * Reads an IDX file as `parseIdx` does, without holding up the event loop. A missing file is a FormatError
 * too.
 */
export async function readIdx(path: string): Promise<IdxArray> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new FormatError(`readIdx: cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (!isGzip(bytes)) return decode(bytes, path);
  const options = gunzipOptions(bytes, path);
  let unpacked: Uint8Array;
  try {
    unpacked = await promisify(gunzip)(bytes, options);
  } catch (error) {
    throw gzipError(error, path, options.maxOutputLength);
  }
  return decode(unpacked, path);
}

/**
 * Encodes an array as the bytes of a plain IDX file.
 *
 * @throws DTypeError, ShapeError when dtype, shape and data do not belong together.
 */
export function encodeIdx({ dtype, shape, data }: IdxArray): Uint8Array {
  if (!Object.hasOwn(TYPES, dtype)) {
    throw new DTypeError(`encodeIdx: dtype ${String(dtype)} has no IDX type; use one of ${SUPPORTED}`);
  }
  const { code, bytes: itemBytes, storage } = TYPES[dtype];
  if (!(data instanceof storage)) {
    throw new DTypeError(`encodeIdx: dtype ${dtype} needs its data in a ${storage.name}`);
  }
  const isAxis = (size: number): boolean => Number.isInteger(size) && size >= 0 && size < 2 ** 32;
  if (shape.length > MAX_RANK || !shape.every(isAxis) || elementsOf(shape) !== data.length) {
    throw new ShapeError(
      `encodeIdx: shape [${shape}] does not describe ${data.length} elements; it needs at most ${MAX_RANK} ` +
        "sizes, each an integer in [0, 2^32), whose product is the number of elements",
    );
  }
  const start = 4 + 4 * shape.length;
  const out = new Uint8Array(start + data.byteLength);
  out[2] = code;
  out[3] = shape.length;
  const header = new DataView(out.buffer);
  shape.forEach((size, axis) => {
    header.setUint32(4 + 4 * axis, size);
  });
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  convertByteOrder(out.subarray(start), itemBytes, "BE");
  return out;
}

/**
 * Writes an IDX file atomically (see atomic.ts).
 *
 * @param options.gzip whether to compress; by default when `path` ends in `.gz`
 */
export async function writeIdx(
  path: string,
  array: IdxArray,
  options: { gzip?: boolean } = {},
): Promise<void> {
  const { gzip: compress = path.endsWith(".gz") } = options;
  if (typeof compress !== "boolean") {
    throw new ArgumentError(`writeIdx: option gzip is ${String(compress)}; it must be true or false`);
  }
  const bytes = encodeIdx(array);
  await writeFileAtomic(path, compress ? await promisify(gzip)(bytes) : bytes);
}

interface Header {
  readonly dtype: IdxDType;
  readonly shape: readonly number[];
  /** Where the elements start. */
  readonly start: number;
  /** Bytes of the whole unpacked file. */
  readonly total: number;
}

/** Length of the header that the first four bytes announce; 4 while there are fewer than four. */
const headerLength = (bytes: Uint8Array): number => (bytes.length < 4 ? 4 : 4 + 4 * bytes[3]);

function readHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.length === 0)
    throw new FormatError(`parseIdx: ${name} is empty; an IDX file has 4 bytes or more`);
  const magic = [...bytes.subarray(0, 4)].map(hex).join(" ");
  if (bytes[0] !== 0 || (bytes.length > 1 && bytes[1] !== 0)) {
    throw new FormatError(
      `parseIdx: ${name} is no IDX file: it starts with ${magic}, not with two zero bytes`,
    );
  }
  const start = headerLength(bytes);
  if (bytes.length >= 4) {
    if (dtypeOf(bytes[2]) === undefined) {
      const what = UNSUPPORTED[bytes[2]];
      const type = hex(bytes[2]) + (what ? ` (${what})` : "");
      throw new FormatError(`parseIdx: ${name} has element type ${type}; supported are ${SUPPORTED}`);
    }
    if (bytes[3] > MAX_RANK) {
      throw new FormatError(
        `parseIdx: ${name} announces ${bytes[3]} axes; at most ${MAX_RANK} are supported`,
      );
    }
  }
  if (bytes.length < start) {
    throw new FormatError(
      `parseIdx: ${name} is truncated: its header needs ${start} bytes, but only ${bytes.length} are there`,
    );
  }
  const dtype = dtypeOf(bytes[2])!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape = Array.from({ length: bytes[3] }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { dtype, shape, start, total: start + elementsOf(shape) * TYPES[dtype].bytes };
}

function decode(bytes: Uint8Array, name: string): IdxArray {
  const { dtype, shape, start, total } = readHeader(bytes, name);
  if (bytes.length !== total) {
    const problem = bytes.length < total ? "is truncated" : "has trailing bytes";
    throw lengthError(name, problem, { dtype, shape, total }, `there are ${bytes.length}`);
  }
  const elements = new Uint8Array(total - start);
  elements.set(bytes.subarray(start));
  convertByteOrder(elements, TYPES[dtype].bytes, "BE");
  return { dtype, shape, data: new TYPES[dtype].storage(elements.buffer) };
}

function lengthError(
  name: string,
  problem: string,
  { dtype, shape, total }: Pick<Header, "dtype" | "shape" | "total">,
  found: string,
): FormatError {
  return new FormatError(
    `parseIdx: ${name} ${problem}: ${dtype} elements of shape [${shape}] make a file of ${total} bytes, ` +
      `but ${found}`,
  );
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const GZIP_RATIO = 1032; // deflate cannot pack more than this many bytes into one (258 bytes in 2 bits)
const PEEK_LIMIT = 2 ** 26;

/**
 * Unpacks just enough to read the header, so that the real unpacking can be stopped at the announced size and
 * a header that the compressed bytes cannot live up to is refused before anything is allocated for it.
 */
function gunzipOptions(bytes: Uint8Array, name: string): { maxOutputLength: number; chunkSize: number } {
  let head: Uint8Array;
  let prefix = 512;
  do {
    prefix *= 2;
    try {
      const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: PEEK_LIMIT };
      head = gunzipSync(bytes.subarray(0, prefix), options);
    } catch (error) {
      throw gzipError(error, name);
    }
  } while (head.length < headerLength(head) && prefix < bytes.length);
  const header = readHeader(head, name);
  if (header.total > bytes.length * GZIP_RATIO) {
    throw lengthError(name, "is truncated", header, `${bytes.length} gzipped bytes cannot hold them`);
  }
  return { maxOutputLength: header.total, chunkSize: Math.min(Math.max(header.total, 64), 2 ** 20) };
}

function gzipError(error: unknown, name: string, announced?: number): FormatError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  let problem = `is damaged gzip (${messageOf(error)})`;
  if (code === "Z_BUF_ERROR") problem = "is truncated gzip: the compressed stream breaks off";
  if (code === "ERR_BUFFER_TOO_LARGE" && announced !== undefined) {
    problem = `has trailing bytes: its header announces ${announced} bytes, but it unpacks to more`;
  }
  return new FormatError(`parseIdx: ${name} ${problem}`, { cause: error });
}

function dtypeOf(code: number): IdxDType | undefined {
  return (Object.keys(TYPES) as IdxDType[]).find((dtype) => TYPES[dtype].code === code);
}

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
