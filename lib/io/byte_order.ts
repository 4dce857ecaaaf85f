/** Between the byte order of files, little-endian, and that of the machine. */
import { endianness } from "node:os";
import type { TypedArray } from "../runtime/types.js";

const MACHINE_IS_LITTLE = endianness() === "LE";

/** Copies little-endian elements from a file into a typed array of as many bytes. */
export function readLittleEndian(bytes: Uint8Array, target: TypedArray | Uint16Array): void {
  new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
  if (!MACHINE_IS_LITTLE) swap(target);
}

/** The elements as little-endian bytes; shares memory where the machine has that order itself. */
export function littleEndianBytes(data: TypedArray): Uint8Array {
  const source = MACHINE_IS_LITTLE ? data : data.slice();
  if (!MACHINE_IS_LITTLE) swap(source);
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}

function swap(data: TypedArray | Uint16Array): void {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data.BYTES_PER_ELEMENT === 2) view.swap16();
  if (data.BYTES_PER_ELEMENT === 4) view.swap32();
  if (data.BYTES_PER_ELEMENT === 8) view.swap64();
}
