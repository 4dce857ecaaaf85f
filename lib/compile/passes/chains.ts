/** Turns elementwise nodes that follow from one another into one pass over memory. */
import type { ChainType } from "../../runtime/fused.js";
import { kernelOf, type Node, shapeOf } from "../graph.js";
import { Chain, fits } from "./chain.js";
import { growChain } from "./grow_chain.js";
import { NodeList } from "./node_list.js";

const TYPES: readonly ChainType[] = ["f32", "f64"];

/** Replaces chains of at least two elementwise nodes by `fused`. */
export function fuseChains(nodes: readonly Node[]): Node[] {
  const list = new NodeList(nodes);
  for (const node of nodes) {
    for (const type of TYPES) if (list.has(node) && fits(node, type)) fuseFrom(list, node, type);
  }
  return list.nodes;
}

function fuseFrom(list: NodeList, seed: Node, type: ChainType): void {
  const chain = new Chain(type, shapeOf(seed, seed.uses.length - 1), list.accesses);
  if (!chain.add(seed)) return;
  const parts = growChain(list, chain, seed);
  if (parts === undefined || parts.members.length < 2) return;
  const members = new Set(parts.members);
  const parted = list.part(members);
  if (parted === undefined) return;
  list.replace(members, parted, {
    kernel: kernelOf(`fused_${type}`),
    counts: [parts.bytes.length, parts.values.length, parts.results.length, 0],
    uses: [...parts.bytes, ...parts.values, ...parts.results],
    sizes: [parts.shape, []],
    scalars: parts.code,
    live: null,
    operation: parts.members[0].operation,
    fused: parts.members.map(({ kernel }) => kernel.stem),
  });
}
