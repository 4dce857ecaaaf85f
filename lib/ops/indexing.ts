/** Rows by index: take, its transpose indexAdd, and boolean selection. */
import { Tensor } from "../autograd/tensor.js";
import { ArgumentError, IndexError, ShapeError } from "../errors.js";
import { array, fromTypedArray } from "../ndarray/creation.js";
import type { IndexArray } from "../ndarray/indexing.js";
import { NDArray } from "../ndarray/ndarray.js";
import { formatShape, normalizeAxis, sameShape } from "../ndarray/shape.js";
import { recorder } from "../runtime/recorder.js";
import { add } from "./arithmetic.js";
import { astype } from "./cast.js";
import { lt } from "./compare.js";
import { type Apply, defineOperation } from "./define.js";
import { callKernel, kernelFor } from "./kernel_call.js";
import { checkTensor } from "./operands.js";
import { where } from "./select.js";
import { broadcastTo, reshape } from "./shape.js";

interface Indexed {
  /** int32, each in [0, size of the axis). */
  indices: NDArray;
  axis: number;
}

const takeOperation: Apply<Indexed> = defineOperation<Indexed>({
  name: "take",
  forward: ([x], { indices, axis }) => x.take(indices, axis),
  derivative: (grad, { inputs: [x], options: { indices, axis } }) => [
    () => indexAddOperation([zerosOf(x), grad], { indices, axis }),
  ],
});

const zerosOf = (x: Tensor): Tensor => broadcastTo(new Tensor(array(0, { dtype: x.dtype })), x.shape);

/**
 * The entries of x at integer `indices` along an axis, as NumPy's `take`: the shape of the indices stands in place
 * of the axis. Negative indices count from the end. IndexError for an index outside the axis.
 */
export function take(x: Tensor, indices: IndexArray | Tensor, axis = 0): Tensor {
  const at = normalizeAxis("take", axis, checkTensor("take", x).ndim);
  return takeOperation([x], { indices: resolveIndices("take", indices, x.shape[at]), axis: at });
}

const indexAddOperation: Apply<Indexed> = defineOperation<Indexed>({
  name: "indexAdd",
  forward: ([x, source], { indices, axis }) => {
    const rank = x.ndim;
    // The axis in front, everything else as one row per index.
    const front = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
    const target = x.permute(front).clone();
    const sourceFront = [
      ...indices.shape.map((_, i) => axis + i),
      ...source.shape.map((_, i) => i).filter((i) => i < axis || i >= axis + indices.ndim),
    ];
    const n = target.shape[0];
    const d = target.shape.slice(1).reduce((product, size) => product * size, 1);
    const rows = source.permute(sourceFront).reshape([indices.size, d]);
    const flat = indices.reshape([indices.size]).contiguous();
    callKernel(
      kernelFor("indexAdd", "scatter_add", x.dtype),
      [indices.size, d, n],
      [
        [flat, flat.strides[0]],
        [rows, rows.strides[0], rows.strides[1]],
        [target, d, 1],
      ],
    );
    const back = new Array<number>(rank);
    front.forEach((from, to) => {
      back[from] = to;
    });
    return target.permute(back);
  },
  derivative: (grad, { options }) => [() => grad, () => takeOperation([grad], options)],
});

/** A copy of x in which the entries of `source` are added at `indices` along an axis; repeated ones add up. */
export function indexAdd(x: Tensor, axis: number, indices: IndexArray | Tensor, source: Tensor): Tensor {
  const at = normalizeAxis("indexAdd", axis, checkTensor("indexAdd", x).ndim);
  const resolved = resolveIndices("indexAdd", indices, x.shape[at]);
  const shape = x.shape.toSpliced(at, 1, ...resolved.shape);
  if (!sameShape(checkTensor("indexAdd", source, "the source").shape, shape)) {
    throw new ShapeError(
      `indexAdd: source is ${formatShape(source.shape)}; with x ${formatShape(x.shape)}, axis ${at} and indices ` +
        `${formatShape(resolved.shape)} it must be ${formatShape(shape)}`,
    );
  }
  return indexAddOperation([x, astype(source, x.dtype)], { indices: resolved, axis: at });
}

/** The elements where the bool tensor `mask` is true; its shape must be the leading part of that of x. */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  checkTensor("maskedSelect", x);
  const { shape } = checkTensor("maskedSelect", mask, "the mask");
  if (mask.dtype !== "bool" || !sameShape(x.shape.slice(0, shape.length), shape)) {
    throw new ShapeError(
      `maskedSelect: the mask is ${mask.dtype} ${formatShape(shape)}; it must be bool, and its shape the leading ` +
        `part of ${formatShape(x.shape)}`,
    );
  }
  const positions: number[] = [];
  (mask.data as Uint8Array).forEach((value, i) => {
    if (value !== 0) positions.push(i);
  });
  return take(reshape(x, [mask.size, ...x.shape.slice(shape.length)]), positions.length ? positions : EMPTY);
}

const EMPTY = fromTypedArray(new Int32Array(0), [0]);

/** Integer indices as int32 in [0, size). IndexError that names the first one outside [−size, size). */
function resolveIndices(operation: string, indices: IndexArray | Tensor, size: number): NDArray {
  const given = indices instanceof Tensor ? indices.array : indices;
  const values = given instanceof NDArray ? given : array(given);
  if (values.dtype === "bool" || (values.dtype.startsWith("float") && given instanceof NDArray)) {
    throw new ArgumentError(`${operation}: indices must be integers, got ${values.dtype}`);
  }
  // A trace cannot look at indices; the kernel that uses them checks their range.
  if (values.storage.obstacle !== null && recorder()) {
    const integers = astype(new Tensor(values), "int32");
    return where(lt(integers, 0), add(integers, size), integers).array;
  }
  const resolved = new Int32Array(values.size);
  values.data.forEach((value: number | bigint, position: number) => {
    const index = Number(value);
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new IndexError(
        `${operation}: index ${index} at position ${position} is not an integer in [${-size}, ${size})`,
      );
    }
    resolved[position] = index < 0 ? index + size : index;
  });
  return fromTypedArray(resolved, values.shape);
}
