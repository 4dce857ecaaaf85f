/** Finishes matrix products while they are in cache: bias, activation, derivative mask, scaling. */
import type { ChainType } from "../../runtime/fused.js";
import { Accesses, type Buffer, kernelOf, type Node } from "../graph.js";
import { Chain } from "./chain.js";
import { part, replaceMembers } from "./gather_nodes.js";

/** Turns each product and the elementwise nodes that follow from it into one `matmul_fused`. */
export function fuseEpilogues(nodes: readonly Node[]): Node[] {
  let list = [...nodes];
  for (const node of nodes) {
    if (node.kernel.stem !== "matmul" || (node.kernel.dtype !== "f32" && node.kernel.dtype !== "f64"))
      continue;
    list = fuseInto(list, node, node.kernel.dtype) ?? list;
  }
  return list;
}

function fuseInto(nodes: readonly Node[], product: Node, type: ChainType): Node[] | undefined {
  const accesses = new Accesses(nodes);
  const [batch, [m], [k], [n]] = product.sizes;
  const [a, b, result] = product.uses;
  if (accesses.writerOf(result.buffer) !== product || m * n * k === 0 || batch.includes(0)) return undefined;
  const chain = new Chain(type, [...batch, m, n], accesses, result);
  growChain(nodes, chain, product, accesses);
  const parts = chain.parts(true);
  const parted = part(nodes, new Set([product, ...chain.nodes]));
  if (chain.nodes.length === 0 || parts === undefined || parted === undefined) return undefined;
  return replaceMembers(nodes, parted, {
    kernel: kernelOf(`matmul_fused_${type}`),
    counts: [parts.bytes.length, parts.values.length, parts.results.length],
    uses: [a, b, ...parts.bytes, ...parts.values, ...parts.results],
    sizes: product.sizes,
    scalars: parts.code,
    live: null,
    operation: product.operation,
    fused: [product, ...parts.members].map(({ kernel }) => kernel.stem),
  });
}

/** Adds every node that follows from what the chain holds, as long as all can be brought together. */
export function growChain(nodes: readonly Node[], chain: Chain, seed: Node, accesses: Accesses): void {
  const start = nodes.indexOf(seed);
  const held = chain.held;
  const members = new Set<Node>([seed]);
  const follows = (node: Node, buffers: ReadonlySet<Buffer>): boolean =>
    node.uses.some(({ buffer }) => buffers.has(buffer));
  for (let i = start + 1; i < nodes.length; i++) {
    const node = nodes[i];
    if (!follows(node, held) || !chain.add(node)) continue;
    members.add(node);
    if (part(nodes, members) === undefined || !staysWhole(node, accesses)) {
      members.delete(node);
      chain.drop();
      continue;
    }
    held.add(node.uses[node.uses.length - 1].buffer);
  }
  // A truth value that is needed outside, and whatever follows from it, cannot stay.
  while (chain.nodes.length > 0 && chain.parts(true) === undefined) chain.drop();
}

/** Whether a truth value has readers that can take it as a number; others need the byte. */
function staysWhole(node: Node, accesses: Accesses): boolean {
  const { buffer } = node.uses[node.uses.length - 1];
  if (buffer.type !== "u8") return true;
  const readers = accesses.readers.get(buffer) ?? [];
  return readers.every(({ kernel }) => kernel.stem === "where" || kernel.stem.startsWith("cast_from_u8"));
}
