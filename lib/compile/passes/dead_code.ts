/** Leaves out nodes whose results nobody reads. */
import { accessOf, type Buffer, canFail, type Node } from "../graph.js";

/** The nodes that results, bound memory or a check depend on. */
export function removeDeadCode(nodes: readonly Node[]): Node[] {
  const needed = new Set<Buffer>();
  const kept: Node[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    const { reads, writes } = accessOf(node);
    const lasts = writes.some((buffer) => buffer.kind !== "temporary" || needed.has(buffer));
    if (!lasts && !canFail(node)) continue;
    kept.push(node);
    for (const buffer of reads) needed.add(buffer);
  }
  return kept.reverse();
}
