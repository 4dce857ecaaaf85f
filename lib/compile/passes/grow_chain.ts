/** Lets a chain take in whatever follows from what it holds. */
import type { Accesses, Node } from "../graph.js";
import type { Chain, ChainParts } from "./chain.js";
import type { NodeList } from "./node_list.js";

/**
 * Adds every node that follows from what the chain holds, as long as all can be brought together, and gives the parts;
 * undefined where nothing can be made of it.
 */
export function growChain(list: NodeList, chain: Chain, seed: Node): ChainParts | undefined {
  const members = new Set<Node>([seed, ...chain.nodes]);
  const refused = new Set<Node>();
  for (;;) {
    const next = list.readersOf(chain.held).find((node) => !members.has(node) && !refused.has(node));
    if (next === undefined) break;
    if (staysWhole(next, list.accesses) && chain.add(next)) {
      members.add(next);
      if (list.part(members) !== undefined) continue;
      members.delete(next);
      chain.drop();
    }
    refused.add(next);
  }
  // Whatever makes it too much came last: a truth value that is needed outside, or too many values at once.
  for (;;) {
    const parts = chain.parts();
    if (parts !== undefined || chain.nodes.length === 0) return parts;
    chain.drop();
  }
}

/** Whether a truth value has readers that can take it as a number; others need the byte. */
function staysWhole(node: Node, accesses: Accesses): boolean {
  const { buffer } = node.uses[node.uses.length - 1];
  if (buffer.type !== "u8") return true;
  const readers = accesses.readers.get(buffer) ?? [];
  return readers.every(({ kernel }) => kernel.stem === "where" || kernel.stem.startsWith("cast_from_u8"));
}
