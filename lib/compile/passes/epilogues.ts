/** Finishes matrix products while they are in cache: bias, activation, derivative mask, scaling. */
import type { ChainType } from "../../runtime/fused.js";
import { kernelOf, type Node } from "../graph.js";
import { Chain } from "./chain.js";
import { growChain } from "./grow_chain.js";
import { NodeList } from "./node_list.js";

/** Turns each product and the elementwise nodes that follow from it into one `matmul_fused`. */
export function fuseEpilogues(nodes: readonly Node[]): Node[] {
  const list = new NodeList(nodes);
  for (const node of nodes) {
    const { stem, dtype } = node.kernel;
    if (stem === "matmul" && (dtype === "f32" || dtype === "f64")) fuseInto(list, node, dtype);
  }
  return list.nodes;
}

function fuseInto(list: NodeList, product: Node, type: ChainType): void {
  const [batch, [m], [k], [n]] = product.sizes;
  const [a, b, result] = product.uses;
  const isEmpty = m * n * k === 0 || batch.includes(0);
  if (isEmpty || list.accesses.writerOf(result.buffer) !== product) return;
  const chain = new Chain(type, [...batch, m, n], list.accesses, result);
  const parts = growChain(list, chain, product);
  if (parts === undefined || parts.members.length === 0) return;
  const members = new Set([product, ...parts.members]);
  const parted = list.part(members);
  if (parted === undefined) return;
  list.replace(members, parted, {
    kernel: kernelOf(`matmul_fused_${type}`),
    counts: [parts.bytes.length, parts.values.length, parts.results.length],
    uses: [a, b, ...parts.bytes, ...parts.values, ...parts.results],
    sizes: product.sizes,
    scalars: parts.code,
    live: null,
    operation: product.operation,
    fused: [...members].map(({ kernel }) => kernel.stem),
  });
}
