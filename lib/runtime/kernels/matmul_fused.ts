/**
 * Matrix product with an epilogue, batched (docs/kernels.md, "Chains"): each product goes into memory of its own, and
 * the chain over it, with the product in register 0.
 */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { scratch } from "./elements.js";
import { ChainMachine } from "./fused.js";
import { decodeChain, type KernelLookup, type Step } from "./fused_code.js";
import { matmul } from "./matmul.js";
import { collapseFreely, forEachIndex, forEachRow } from "./strided.js";

/** The kernel; `kernelOf` knows the kernels that its code may name. */
export const matmulFused =
  (kernelOf: KernelLookup): KernelFactory =>
  (dtype) => {
    const multiply = matmul(dtype);
    return (buffers, offsets, dims, scalars, counts = []) => {
      const [bytes, inputs, outputs] = counts;
      const operands = { bytes, inputs, outputs, folds: 0 };
      const code = decodeChain(scalars, operands, dtype, kernelOf, true);
      if (outputs === 0) return;
      const reader = new DimsReader(dims);
      const batch = reader.group();
      const [m, k, n] = [reader.size(), reader.size(), reader.size()];
      if (m === 0 || n === 0 || batch.includes(0)) return;
      const batchStrides: (readonly number[])[] = [];
      const strides: number[][] = [];
      for (let i = 0; i < offsets.length; i++) {
        batchStrides.push(reader.strides(batch));
        strides.push([reader.stride(), reader.stride()]);
      }
      const product = scratch(dtype, m * n);
      const [a, b, ...others] = buffers;
      // To the chain the product is one operand more, behind the others.
      const steps: Step[] = [{ kind: "load", to: 0, operand: others.length }, ...code];
      const layout = collapseFreely({ sizes: [m, n], strides: [...strides.slice(2), [n, 1]] });
      const machine = new ChainMachine(
        dtype,
        steps,
        operands,
        [...others, product],
        [...offsets.slice(2), 0],
      );
      const productDims = [0, m, k, n, ...strides[0], ...strides[1], n, 1];
      forEachIndex({ sizes: batch, strides: batchStrides }, offsets, (at) => {
        multiply([a, b, product], [at[0], at[1], 0], productDims, []);
        forEachRow(layout, [...at.slice(2), 0], (length, first, step) => machine.runRow(length, first, step));
      });
    };
  };
