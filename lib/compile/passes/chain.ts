/**
 * A chain under construction: elementwise nodes over one space of indices whose values are handed on in registers. Starts
 * with a matrix product (`matmul_fused`) or with nothing (`fused`), grows node by node, and becomes one node.
 */
import { reshapeStrides } from "../../ndarray/strides.js";
import { type ChainInstruction, type ChainType, chainCode, type MapName } from "../../runtime/fused.js";
import { MAX_OPERANDS } from "../../runtime/signature.js";
import type { StorageType } from "../../runtime/types.js";
import { type Accesses, type Buffer, type Node, shapeOf, type Use } from "../graph.js";

/** A view of a buffer over the chain's space. */
interface View {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A node as a part of the chain. */
interface Member {
  readonly node: Node;
  readonly inputs: readonly View[];
  /** What it computes; also the name of its value. */
  readonly output: View;
}

/** Operands of a chain: bytes, values, results. */
export interface ChainParts {
  readonly shape: readonly number[];
  readonly bytes: readonly View[];
  readonly values: readonly View[];
  readonly results: readonly View[];
  readonly code: readonly number[];
  readonly members: readonly Node[];
}

// `fused_code.h` refuses longer code.
const MAX_INSTRUCTIONS = 200;

const storageOf = (type: ChainType): StorageType => type;

/** Whether a node is an elementwise function that a chain of this type can hold. */
export function fits(node: Node, type: ChainType): boolean {
  const { kernel, live, counts } = node;
  if (live !== null || counts.length > 0) return false;
  if (kernel.name === `cast_from_u8_${type}`) return true;
  return kernel.dtype === type && kernel.map !== null;
}

export class Chain {
  readonly type: ChainType;
  private shape: readonly number[];
  private members: Member[] = [];
  /** The matrix product that the chain starts with. */
  private readonly product: View | null;
  private readonly accesses: Accesses;

  constructor(type: ChainType, shape: readonly number[], accesses: Accesses, product: View | null = null) {
    this.type = type;
    this.shape = shape;
    this.accesses = accesses;
    this.product = product;
  }

  get nodes(): Node[] {
    return this.members.map(({ node }) => node);
  }

  /** Buffers whose values the chain holds. */
  get held(): Set<Buffer> {
    const held = new Set(this.members.map(({ output }) => output.buffer));
    if (this.product !== null) held.add(this.product.buffer);
    return held;
  }

  /** Takes a node in; false, and nothing has changed, where it walks other indices or reads held values in another order. */
  add(node: Node): boolean {
    const output = node.uses[node.uses.length - 1];
    if (!fits(node, this.type) || this.accesses.writerOf(output.buffer) !== node) return false;
    const own = shapeOf(node, node.uses.length - 1);
    const member = memberOf(node, own, this.shape);
    if (member !== undefined) return this.append(member);
    // A product's space is given; another may be seen in the finer axes of the node.
    if (this.product !== null) return false;
    const before = { shape: this.shape, members: this.members };
    const finer = this.members.map((each) => respread(each, this.shape, own));
    const same = memberOf(node, own, own);
    if (same === undefined || finer.some((each) => each === undefined)) return false;
    this.shape = own;
    this.members = finer as Member[];
    if (this.append(same)) return true;
    this.shape = before.shape;
    this.members = before.members;
    return false;
  }

  private append(member: Member): boolean {
    for (const view of member.inputs) {
      const held = this.valueAt(view.buffer);
      if (held !== undefined && !sameView(held, view, this.shape)) return false;
    }
    this.members.push(member);
    return true;
  }

  /** Takes the last node out again. */
  drop(): void {
    this.members.pop();
  }

  private valueAt(buffer: Buffer): View | undefined {
    if (this.product?.buffer === buffer) return this.product;
    return this.members.find(({ output }) => output.buffer === buffer)?.output;
  }

  /**
   * The operands and the code; undefined where there are too many operands or values at once, and where somebody outside
   * needs a truth value, which is a number inside and a byte outside.
   */
  parts(): ChainParts | undefined {
    const inside = new Set(this.nodes);
    const isNeeded = (buffer: Buffer): boolean =>
      buffer.kind !== "temporary" ||
      (this.accesses.readers.get(buffer) ?? []).some((node) => !inside.has(node));
    const bytes: View[] = [];
    const values: View[] = [];
    for (const { inputs } of this.members) {
      for (const view of inputs) {
        if (this.valueAt(view.buffer) !== undefined || constantOf(view) !== undefined) continue;
        const list = view.buffer.type === "u8" ? bytes : values;
        if (!list.some((known) => sameView(known, view, this.shape))) list.push(view);
      }
    }
    const outputs = this.members.map(({ output }) => output);
    if (this.product !== null) outputs.unshift(this.product);
    const results = outputs.filter(({ buffer }) => isNeeded(buffer));
    if (results.some(({ buffer }) => buffer.type !== storageOf(this.type))) return undefined;
    if (bytes.length + values.length + results.length + 2 > MAX_OPERANDS) return undefined;
    const code = this.code(bytes, values, results);
    if (code === undefined) return undefined;
    return { shape: this.shape, bytes, values, results, code, members: this.nodes };
  }

  private code(
    bytes: readonly View[],
    values: readonly View[],
    results: readonly View[],
  ): number[] | undefined {
    const instructions: ChainInstruction[] = [];
    const firstResult = bytes.length + values.length;
    const name = (buffer: Buffer): string => `v${buffer.id}`;
    const store = (view: View): void => {
      const at = results.indexOf(view);
      if (at >= 0) instructions.push(["store", firstResult + at, name(view.buffer)]);
    };
    const loaded = new Map<string, string>();
    const read = (view: View): string => {
      if (this.valueAt(view.buffer) !== undefined) return name(view.buffer);
      const constant = constantOf(view);
      const list = view.buffer.type === "u8" ? bytes : values;
      const operand =
        (view.buffer.type === "u8" ? 0 : bytes.length) +
        list.findIndex((known) => sameView(known, view, this.shape));
      const key = constant === undefined ? `in${operand}` : `c${Object.is(constant, -0) ? "-0" : constant}`;
      if (!loaded.has(key)) {
        if (constant === undefined) instructions.push(["load", key, operand]);
        else instructions.push(["fill", key, constant]);
        loaded.set(key, key);
      }
      return key;
    };
    if (this.product !== null) store(this.product);
    for (const { node, inputs, output } of this.members) {
      const from = inputs.map(read);
      if (node.kernel.stem.startsWith("cast_from_"))
        instructions.push(["maximum", name(output.buffer), from[0], from[0]]);
      else instructions.push([node.kernel.stem as MapName, name(output.buffer), ...from, ...node.scalars]);
      store(output);
    }
    if (instructions.length > MAX_INSTRUCTIONS) return undefined;
    try {
      return chainCode(
        this.type,
        instructions,
        this.product === null ? undefined : name(this.product.buffer),
      );
    } catch {
      return undefined; // more values at once than there are registers
    }
  }
}

/** A number that is the same at every element and at every step, as `add(x, 1)` makes it. */
function constantOf({ buffer, offset, strides }: View): number | undefined {
  const { storage } = buffer;
  if (buffer.kind !== "bound" || storage === null || buffer.length !== 1 || offset !== 0) return undefined;
  if (strides.some((stride) => stride !== 0) || !buffer.isLiteral) return undefined;
  return Number(storage.data[0]);
}

/** The operands of a node seen in another space of as many indices; undefined where strides cannot express that. */
function memberOf(node: Node, from: readonly number[], to: readonly number[]): Member | undefined {
  const views = node.uses.map((use) => spread(use, from, to));
  if (views.some((view) => view === undefined)) return undefined;
  const output = views.pop() as View;
  return { node, inputs: views as View[], output };
}

function respread(
  { node, inputs, output }: Member,
  from: readonly number[],
  to: readonly number[],
): Member | undefined {
  const views = [...inputs, output].map((view) => spread(view, from, to));
  if (views.some((view) => view === undefined)) return undefined;
  const last = views.pop() as View;
  return { node, inputs: views as View[], output: last };
}

function spread(
  { buffer, offset, strides }: Use | View,
  from: readonly number[],
  to: readonly number[],
): View | undefined {
  const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);
  if (count(from) !== count(to) || count(from) === 0) return undefined;
  const moved = reshapeStrides(from, strides, to);
  return moved === undefined ? undefined : { buffer, offset, strides: moved };
}

/** Whether two views name the same elements in the same order; the stride of an axis of size 1 does not matter. */
function sameView(a: View, b: View, shape: readonly number[]): boolean {
  return (
    a.buffer === b.buffer &&
    a.offset === b.offset &&
    shape.every((size, axis) => size === 1 || a.strides[axis] === b.strides[axis])
  );
}
