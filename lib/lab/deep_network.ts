/** The lecture's deep network: linear layers with ReLU between, whose weights are drawn from N(0, c/n). */
import * as init from "../init/index.js";
import { Linear, ReLU, Sequential } from "../nn/index.js";
import { Generator } from "../random/generator.js";
import type { Tensor } from "../tensor.js";

/** Linear layers. */
export const DEPTH = 50;
const WIDTH = 100;
const CLASSES = 10;

/** 50 linear layers: inputs → 100 → … → 100 → 10. */
export function deepNetwork(inputs: number, { bias }: { bias: boolean }): Sequential {
  const sizes = [inputs, ...Array<number>(DEPTH - 1).fill(WIDTH), CLASSES];
  // A generator of its own: the default one is the user's.
  const generator = new Generator(0);
  const layers = sizes.slice(1).flatMap((size, i) => {
    const layer = new Linear(sizes[i], size, { bias, generator });
    return i < DEPTH - 1 ? [layer, new ReLU()] : [layer];
  });
  return new Sequential(...layers);
}

/** The linear layers of a network. */
export const linearLayers = (network: Sequential): Linear[] =>
  [...network].filter((layer): layer is Linear => layer instanceof Linear);

/** Draws all weights from N(0, c/n), n the inputs of a layer; biases become zero, and with c = 0 all weights. */
export function drawWeights(network: Sequential, c: number, seed: number): void {
  const generator = new Generator(seed);
  for (const { weight, bias, inFeatures } of linearLayers(network)) {
    init.normal(weight, { std: Math.sqrt(c / inFeatures), generator });
    if (bias !== null) init.zeros(bias);
  }
}

/** Z₂, Z₃, …: what each linear layer gives, after its ReLU; the logits last. */
export function activationsOf(network: Sequential, x: Tensor): Tensor[] {
  const activations: Tensor[] = [];
  let z = x;
  for (const layer of network) {
    z = layer.forward(z);
    if (layer instanceof ReLU) activations.push(z);
  }
  return [...activations, z];
}
