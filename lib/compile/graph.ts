/**
 * What a trace becomes: buffers, and nodes that read and write views of them. A node is an instruction that has not been
 * encoded yet. Passes (passes/) rewrite the list of nodes; memory.ts and encode.ts make a program of it.
 */
import type { Storage } from "../runtime/storage.js";
import { KERNELS, type KernelEntry, type KernelName, kernelId } from "../runtime/table.js";
import type { StorageType } from "../runtime/types.js";

/**
 * Where a buffer's memory comes from: a storage that exists (parameters, state, constants), an argument or a result of
 * each call, or the program's own arena.
 */
export type BufferKind = "bound" | "input" | "output" | "temporary";

let buffers = 0;

/** Memory that nodes read and write. */
export class Buffer {
  readonly id = buffers++;
  readonly type: StorageType;
  /** In elements. */
  readonly length: number;
  kind: BufferKind;
  /** Of a bound buffer, its memory. */
  readonly storage: Storage | null;
  /** Whether the function itself made the values of a bound buffer, so that they are the same at every call. */
  readonly isLiteral: boolean;

  constructor(
    kind: BufferKind,
    type: StorageType,
    length: number,
    storage: Storage | null = null,
    isLiteral = false,
  ) {
    this.kind = kind;
    this.type = type;
    this.length = length;
    this.storage = storage;
    this.isLiteral = isLiteral;
  }
}

/** An operand: a strided view of a buffer. */
export interface Use {
  readonly buffer: Buffer;
  readonly offset: number;
  /** One for each axis of the operand's letters, groups laid out flat. */
  readonly strides: readonly number[];
}

/** Scalars that change from step to step; the run says where they go. */
export class LiveScalars {
  readonly count: number;
  private target: Float64Array = NOWHERE;
  private at = 0;

  constructor(count: number) {
    this.count = count;
  }

  /** From now on they are written there. */
  aim(target: Float64Array, at: number): void {
    this.target = target;
    this.at = at;
  }

  set(values: readonly number[]): void {
    for (let i = 0; i < this.count; i++) this.target[this.at + i] = values[i];
  }
}

const NOWHERE = new Float64Array(0);

/** One kernel over views. */
export interface Node {
  readonly kernel: KernelEntry;
  /** How many operands there are of each variadic one. */
  readonly counts: readonly number[];
  readonly uses: readonly Use[];
  /** By letter of the signature; a single axis is a list of one. */
  readonly sizes: readonly (readonly number[])[];
  readonly scalars: readonly number[];
  /** Where the scalars change from step to step. */
  readonly live: LiveScalars | null;
  /** The operation that it computes or is a part of, for people. */
  readonly operation: string;
  /** Of a fused node, the kernels it stands for, and of the others nothing. */
  readonly fused: readonly string[];
}

/** A traced function. */
export interface Graph {
  nodes: Node[];
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
}

/** The kernel of that name. */
export const kernelOf = (name: KernelName): KernelEntry => KERNELS[kernelId(name)];

/** An operand of a node: its type, its letters, and whether it is read and written. */
export interface OperandRole {
  readonly axes: readonly number[];
  readonly isRead: boolean;
  readonly isWritten: boolean;
}

/** The operands of a kernel in order, variadic ones as often as `counts` says. */
export function rolesOf(kernel: KernelEntry, counts: readonly number[]): OperandRole[] {
  const roles: OperandRole[] = [];
  let variadic = 0;
  for (const { axes, role, isVariadic } of kernel.signature.operands) {
    const count = isVariadic ? counts[variadic++] : 1;
    for (let i = 0; i < count; i++) roles.push({ axes, isRead: role !== "out", isWritten: role !== "in" });
  }
  return roles;
}

/** Reads the dims of an instruction. */
export function decodeDims(
  kernel: KernelEntry,
  counts: readonly number[],
  dims: readonly number[],
): { sizes: number[][]; strides: number[][] } {
  let next = 0;
  const take = (count: number): number[] => {
    const from = next;
    next += count;
    return dims.slice(from, next);
  };
  const sizes = kernel.signature.axes.map(({ isGroup }) => take(isGroup ? dims[next++] : 1));
  const strides = rolesOf(kernel, counts).map(({ axes }) => axes.flatMap((axis) => take(sizes[axis].length)));
  return { sizes, strides };
}

/** The other way round. */
export function encodeDims({ kernel, sizes, uses }: Node): number[] {
  const dims: number[] = [];
  kernel.signature.axes.forEach(({ isGroup }, i) => {
    if (isGroup) dims.push(sizes[i].length);
    dims.push(...sizes[i]);
  });
  for (const { strides } of uses) dims.push(...strides);
  return dims;
}

/** The sizes of the axes that operand i of a node walks. */
export function shapeOf(node: Node, i: number): number[] {
  return rolesOf(node.kernel, node.counts)[i].axes.flatMap((axis) => [...node.sizes[axis]]);
}

/** How many elements operand i has. */
export const elementsOf = (node: Node, i: number): number =>
  shapeOf(node, i).reduce((n, size) => n * size, 1);

/** The buffers a node reads and those it writes; cached, since every pass asks. */
export interface Access {
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
}

const accesses = new WeakMap<Node, Access>();

/** What a node reads and writes. */
export function accessOf(node: Node): Access {
  const known = accesses.get(node);
  if (known !== undefined) return known;
  const roles = rolesOf(node.kernel, node.counts);
  const pick = (holds: (role: OperandRole) => boolean): Buffer[] => [
    ...new Set(node.uses.filter((_, i) => holds(roles[i])).map(({ buffer }) => buffer)),
  ];
  const access = { reads: pick((role) => role.isRead), writes: pick((role) => role.isWritten) };
  accesses.set(node, access);
  return access;
}

/** Whether a node must stay though nobody reads its results: it may fail at an index that it finds in a buffer. */
export function canFail({ kernel }: Node): boolean {
  return kernel.stem !== "cast_from_i32" && /i32\[/.test(kernel.inputText);
}

/** The node with other operands. */
export const withUses = (node: Node, uses: readonly Use[]): Node => ({ ...node, uses });

function listOf(map: Map<Buffer, Node[]>, buffer: Buffer): Node[] {
  const known = map.get(buffer);
  if (known !== undefined) return known;
  const list: Node[] = [];
  map.set(buffer, list);
  return list;
}

/** Which nodes write and read each buffer. */
export class Accesses {
  readonly writers = new Map<Buffer, Node[]>();
  readonly readers = new Map<Buffer, Node[]>();

  constructor(nodes: readonly Node[]) {
    for (const node of nodes) this.add(node);
  }

  /** Takes a node in, behind those that are known. */
  add(node: Node): void {
    const { reads, writes } = accessOf(node);
    for (const buffer of reads) listOf(this.readers, buffer).push(node);
    for (const buffer of writes) listOf(this.writers, buffer).push(node);
  }

  /** Forgets a node. */
  remove(node: Node): void {
    const { reads, writes } = accessOf(node);
    const drop = (map: Map<Buffer, Node[]>, buffer: Buffer): void => {
      map.set(
        buffer,
        listOf(map, buffer).filter((other) => other !== node),
      );
    };
    for (const buffer of reads) drop(this.readers, buffer);
    for (const buffer of writes) drop(this.writers, buffer);
  }

  /** The node that alone writes a temporary or an output, which it does not read; undefined for other buffers. */
  writerOf(buffer: Buffer): Node | undefined {
    const writers = this.writers.get(buffer);
    if (buffer.kind === "bound" || buffer.kind === "input" || writers?.length !== 1) return undefined;
    return accessOf(writers[0]).reads.includes(buffer) ? undefined : writers[0];
  }

  /** Whether nothing in the graph changes a buffer once it has its value. */
  isConstant(buffer: Buffer): boolean {
    return this.writerOf(buffer) !== undefined || !this.writers.has(buffer);
  }
}
