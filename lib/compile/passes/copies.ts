/** Reads the original instead of a copy of it, where neither changes. */
import { Accesses, accessOf, type Buffer, type Node, shapeOf, type Use, withUses } from "../graph.js";

/** Lets readers of a compact copy of a compact original read the original; the copy is then dead. */
export function forwardCopies(nodes: readonly Node[]): Node[] {
  const accesses = new Accesses(nodes);
  const originals = new Map<Buffer, { buffer: Buffer; offset: number }>();
  const resolve = (use: Use): Use => {
    const original = originals.get(use.buffer);
    return original === undefined
      ? use
      : { ...use, buffer: original.buffer, offset: use.offset + original.offset };
  };
  return nodes.map((original) => {
    const writes = new Set(accessOf(original).writes);
    const node = withUses(
      original,
      original.uses.map((use) => (writes.has(use.buffer) ? use : resolve(use))),
    );
    const copy = copyOf(node);
    if (copy !== undefined && copy.to.kind === "temporary" && accesses.writerOf(copy.to) === original) {
      if (accesses.isConstant(copy.from)) originals.set(copy.to, { buffer: copy.from, offset: copy.offset });
    }
    return node;
  });
}

/** What a node copies, if it copies a compact whole onto a compact whole. */
function copyOf(node: Node): { from: Buffer; offset: number; to: Buffer } | undefined {
  const { kernel, uses } = node;
  if (kernel.name !== `cast_from_${kernel.dtype}_${kernel.dtype}`) return undefined;
  const [source, target] = uses;
  const shape = shapeOf(node, 0);
  const isCompact = ({ strides }: Use): boolean => {
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (shape[axis] !== 1 && strides[axis] !== step) return false;
      step *= shape[axis];
    }
    return step > 0;
  };
  const size = shape.reduce((n, length) => n * length, 1);
  if (target.offset !== 0 || target.buffer.length !== size || !isCompact(source) || !isCompact(target))
    return undefined;
  return { from: source.buffer, offset: source.offset, to: target.buffer };
}
