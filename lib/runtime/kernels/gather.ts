/** Rows chosen by an index operand. All indices are checked before anything is written. */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { movable } from "./elements.js";
import { checkIndices } from "./indices.js";

/** (x[n,d], index[i]) → out[i,d]: out[i, :] = x[index[i], :]. */
export const gather: KernelFactory = (dtype) => (buffers, offsets, dims) => {
  const [x, , out] = movable(buffers);
  const indices = buffers[1] as Int32Array;
  const reader = new DimsReader(dims);
  const n = reader.size();
  const d = reader.size();
  const count = reader.size();
  const [xN, xD] = [reader.stride(), reader.stride()];
  const indexStep = reader.stride();
  const [outI, outD] = [reader.stride(), reader.stride()];
  checkIndices(`gather_${dtype}`, indices, offsets[1], count, indexStep, n);
  for (let i = 0; i < count; i++) {
    let from = offsets[0] + indices[offsets[1] + i * indexStep] * xN;
    let to = offsets[2] + i * outI;
    for (let k = 0; k < d; k++, from += xD, to += outD) out[to] = x[from];
  }
};

/** (index[i], x[i,d]) → out[n,d] in place: out[index[i], :] += x[i, :] for i ascending. */
export const scatterAdd: KernelFactory = (dtype) => (buffers, offsets, dims) => {
  const [, x, out] = movable(buffers);
  const indices = buffers[0] as Int32Array;
  const reader = new DimsReader(dims);
  const count = reader.size();
  const d = reader.size();
  const n = reader.size();
  const indexStep = reader.stride();
  const [xI, xD] = [reader.stride(), reader.stride()];
  const [outN, outD] = [reader.stride(), reader.stride()];
  checkIndices(`scatter_add_${dtype}`, indices, offsets[0], count, indexStep, n);
  for (let i = 0; i < count; i++) {
    let from = offsets[1] + i * xI;
    let to = offsets[2] + indices[offsets[0] + i * indexStep] * outN;
    for (let k = 0; k < d; k++, from += xD, to += outD) out[to] += x[from];
  }
};
