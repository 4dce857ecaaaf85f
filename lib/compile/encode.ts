/** The words of a program, its slots, and which of them change from call to call. */
import { executor } from "../runtime/executor.js";
import type { ProgramPlan } from "../runtime/loaded.js";
import { encodeInstruction } from "../runtime/program.js";
import { BYTES_OF_STORAGE, type StorageType, type TypedArray } from "../runtime/types.js";
import { type Buffer, encodeDims, type Graph, type LiveScalars } from "./graph.js";
import type { MemoryPlan } from "./memory.js";

/** A program, and the scalars of each step in the order of its patched words. */
export interface Encoded {
  readonly plan: ProgramPlan;
  readonly live: readonly LiveScalars[];
  readonly liveCount: number;
}

const ARRAYS = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u8: Uint8Array,
  i64: BigInt64Array,
} as const;

/** A typed array of a storage type over a part of a buffer; lengths in elements, `offset` in bytes. */
export function viewAs(type: StorageType, buffer: ArrayBuffer, offset: number, length: number): TypedArray {
  return new ARRAYS[type](buffer, offset, length);
}

const LINE = 64;

/** Encodes a graph. Slots are numbered: arguments, results, bound memory, and the arena once for each type in it. */
export function encode(graph: Graph, memory: MemoryPlan): Encoded {
  const slots = new Map<Buffer, number>();
  const buffers: TypedArray[] = [];
  const add = (buffer: Buffer, array: TypedArray): void => {
    if (slots.has(buffer)) return;
    slots.set(buffer, buffers.length);
    buffers.push(array);
  };
  const placeholder = ({ type, length }: Buffer): TypedArray => new ARRAYS[type](length);
  const rebound = [...graph.inputs, ...graph.outputs];
  for (const buffer of rebound) add(buffer, placeholder(buffer));
  const arena = new Uint8Array(memory.size + LINE);
  const start = (LINE - executor().lineOffset(arena)) % LINE;
  const arenaSlots = new Map<StorageType, number>();
  const arenaSlot = (type: StorageType): number => {
    const known = arenaSlots.get(type);
    if (known !== undefined) return known;
    const length = Math.floor(memory.size / BYTES_OF_STORAGE[type]);
    arenaSlots.set(type, buffers.length);
    return buffers.push(viewAs(type, arena.buffer, start, length)) - 1;
  };
  const words: number[] = [];
  const patched: number[] = [];
  const live: LiveScalars[] = [];
  for (const node of graph.nodes) {
    const at: number[] = [];
    const offsets: number[] = [];
    for (const { buffer, offset } of node.uses) {
      const place = memory.offsets.get(buffer);
      if (buffer.kind === "bound" && buffer.storage !== null) add(buffer, buffer.storage.memoryInUse);
      at.push(place === undefined ? (slots.get(buffer) as number) : arenaSlot(buffer.type));
      offsets.push(offset + (place === undefined ? 0 : place / BYTES_OF_STORAGE[buffer.type]));
    }
    words.push(
      ...encodeInstruction(node.kernel.name, at, offsets, encodeDims(node), node.scalars, node.counts),
    );
    if (node.live === null) continue;
    live.push(node.live);
    for (let i = node.live.count; i > 0; i--) patched.push(words.length - i);
  }
  return {
    plan: {
      words: Float64Array.from(words),
      buffers,
      rebound: Int32Array.from(rebound, (buffer) => slots.get(buffer) as number),
      patched: Int32Array.from(patched),
    },
    live,
    liveCount: patched.length,
  };
}
