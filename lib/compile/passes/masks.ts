/** Takes the mask of a derivative from the activation instead of from what it was applied to. */
import { Accesses, accessOf, type Node, type Use, withUses } from "../graph.js";

/**
 * relu(x) is above 0 where x is, so `relu_grad` may look at either; then x need not be kept for the backward pass. The
 * same holds for a leaky ReLU whose slope is not negative.
 */
export function masksFromActivations(nodes: readonly Node[]): Node[] {
  const accesses = new Accesses(nodes);
  const activations = new Map<string, Use>();
  const key = ({ kernel, scalars, sizes }: Node, { buffer, offset, strides }: Use): string =>
    [kernel.stem.replace(/_grad$/, ""), kernel.dtype, scalars, sizes, buffer.id, offset, strides].join("|");
  return nodes.map((node) => {
    const { kernel, uses, scalars } = node;
    if (!/^(leaky_)?relu(_grad)?$/.test(kernel.stem) || scalars.some((slope) => !(slope >= 0))) return node;
    if (!accessOf(node).reads.every((buffer) => accesses.isConstant(buffer))) return node;
    if (!kernel.stem.endsWith("_grad")) {
      if (accesses.writerOf(uses[1].buffer) === node) activations.set(key(node, uses[0]), uses[1]);
      return node;
    }
    const activation = activations.get(key(node, uses[0]));
    return activation === undefined ? node : withUses(node, [activation, ...uses.slice(1)]);
  });
}
