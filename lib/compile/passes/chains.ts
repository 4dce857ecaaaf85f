/** Turns elementwise nodes that follow from one another into one pass over memory. */
import type { ChainType } from "../../runtime/fused.js";
import { Accesses, kernelOf, type Node, shapeOf } from "../graph.js";
import { Chain, fits } from "./chain.js";
import { growChain } from "./epilogues.js";
import { part, replaceMembers } from "./gather_nodes.js";

const TYPES: readonly ChainType[] = ["f32", "f64"];

/** Replaces chains of at least two elementwise nodes by `fused`. */
export function fuseChains(nodes: readonly Node[]): Node[] {
  let list = [...nodes];
  for (let i = 0; i < list.length; i++) {
    for (const type of TYPES) list = fuseFrom(list, list[i], type) ?? list;
  }
  return list;
}

function fuseFrom(nodes: readonly Node[], seed: Node, type: ChainType): Node[] | undefined {
  if (!fits(seed, type)) return undefined;
  const accesses = new Accesses(nodes);
  const chain = new Chain(type, shapeOf(seed, seed.uses.length - 1), accesses);
  if (!chain.add(seed)) return undefined;
  growChain(nodes, chain, seed, accesses);
  const parts = chain.parts(true);
  const parted = part(nodes, new Set(chain.nodes));
  if (chain.nodes.length < 2 || parts === undefined || parted === undefined) return undefined;
  return replaceMembers(nodes, parted, {
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
