/** Between the byte order of a file and that of the machine. */
import { endianness } from "node:os";
import type { TypedArray } from "../runtime/types.js";

/** The byte order of a format, as `os.endianness` names it. */
export type ByteOrder = "LE" | "BE";

/** Turns elements of `itemBytes` each from the given order into the machine's, or back, in place. */
export function convertByteOrder(bytes: Uint8Array, itemBytes: number, order: ByteOrder): void {
  if (endianness() === order) return;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (itemBytes === 2) view.swap16();
  if (itemBytes === 4) view.swap32();
  if (itemBytes === 8) view.swap64();
}

/** Copies little-endian elements from a file into a typed array of as many bytes. */
export function readLittleEndian(bytes: Uint8Array, target: TypedArray | Uint16Array): void {
  const view = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  view.set(bytes);
  convertByteOrder(view, target.BYTES_PER_ELEMENT, "LE");
}

/** The elements as little-endian bytes; shares memory where the machine has that order itself. */
export function littleEndianBytes(data: TypedArray): Uint8Array {
  const source = endianness() === "LE" ? data : data.slice();
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  convertByteOrder(bytes, data.BYTES_PER_ELEMENT, "LE");
  return bytes;
}
