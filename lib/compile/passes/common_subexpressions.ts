/** Computes once what would be computed twice: nodes with the same kernel, operands and scalars. */
import {
  Accesses,
  accessOf,
  type Buffer,
  canFail,
  type Node,
  rolesOf,
  type Use,
  withUses,
} from "../graph.js";

/**
 * Replaces the results of repeated nodes by those of the first. A node counts as repeated only where all that it reads
 * keeps its value from one to the other, and its own results are written once.
 */
export function mergeCommonSubexpressions(nodes: readonly Node[]): Node[] {
  const accesses = new Accesses(nodes);
  const replaced = new Map<Buffer, Buffer>();
  const first = new Map<string, Node>();
  const kept: Node[] = [];
  for (const original of nodes) {
    const node = withUses(
      original,
      original.uses.map((use) => ({ ...use, buffer: replaced.get(use.buffer) ?? use.buffer })),
    );
    const { reads, writes } = accessOf(original);
    const isPure =
      node.live === null &&
      !canFail(node) &&
      reads.every((buffer) => accesses.isConstant(buffer)) &&
      writes.every((buffer) => buffer.kind === "temporary" && accesses.writerOf(buffer) === original);
    const key = isPure ? keyOf(node) : "";
    const known = isPure ? first.get(key) : undefined;
    if (known === undefined) {
      if (isPure) first.set(key, node);
      kept.push(node);
      continue;
    }
    node.uses.forEach(({ buffer }, i) => {
      if (buffer !== known.uses[i].buffer) replaced.set(buffer, known.uses[i].buffer);
    });
  }
  return kept;
}

/** Equal for nodes that compute the same; of an output only the layout counts. */
function keyOf({ kernel, counts, uses, sizes, scalars }: Node): string {
  const roles = rolesOf(kernel, counts);
  const text = ({ buffer, offset, strides }: Use, i: number): string =>
    `${roles[i].isWritten ? `out${buffer.length}` : buffer.id}@${offset}:${strides}`;
  return [
    kernel.name,
    counts,
    sizes.join(";"),
    scalars.map((x) => (Object.is(x, -0) ? "-0" : x)),
    uses.map(text),
  ].join("|");
}
