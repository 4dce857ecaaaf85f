/** The matrix product. */
import type { Tensor } from "../autograd/tensor.js";
import { ShapeError } from "../errors.js";
import { allocate, type NDArray } from "../ndarray/ndarray.js";
import { broadcastShapes, formatShape } from "../ndarray/shape.js";
import { broadcastStrides, coalesce } from "../ndarray/strides.js";
import { execute } from "../runtime/execute.js";
import { type Apply, defineOperation } from "./define.js";
import { callKernel, kernelFor } from "./kernel_call.js";
import { checkTensor, commonOperands } from "./operands.js";
import { expandDims, squeeze, transpose } from "./shape.js";

const matmulOperation: Apply<object> = defineOperation<object>({
  name: "matmul",
  forward: ([a, b]) => multiply(a, b),
  derivative: (grad, { inputs: [a, b] }) => [
    () => product(grad, transpose(b), isColumnMajor(a.array)),
    () => product(transpose(a), grad, isColumnMajor(b.array)),
  ],
});

/**
 * a·b, laid out column by column where asked: the gradient of a transposed operand (the weight of a linear layer)
 * is then compact once the transposition is undone. The order of the additions is the same.
 */
function product(a: Tensor, b: Tensor, columnMajor: boolean): Tensor {
  return columnMajor
    ? transpose(matmulOperation([transpose(b), transpose(a)], {}))
    : matmulOperation([a, b], {});
}

const isColumnMajor = ({ strides }: NDArray): boolean =>
  strides[strides.length - 2] === 1 && strides[strides.length - 1] !== 1;

function multiply(a: NDArray, b: NDArray): NDArray {
  if (a.ndim === 2 && b.ndim === 2) return multiplyMatrices(a, b);
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.ndim - 1];
  const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const result = allocate([...batch, m, n], a.dtype);
  const batchStrides = (x: NDArray): number[] =>
    broadcastStrides("matmul", x.shape.slice(0, -2), x.strides.slice(0, -2), batch);
  const merged = coalesce(batch, batchStrides(a), batchStrides(b), batchStrides(result));
  const [am, ak] = a.strides.slice(-2);
  const [bk, bn] = b.strides.slice(-2);
  callKernel(
    kernelFor("matmul", "matmul", a.dtype),
    [merged.shape, m, k, n],
    [
      [a, merged.strides[0], am, ak],
      [b, merged.strides[1], bk, bn],
      [result, merged.strides[2], n, 1],
    ],
  );
  return result;
}

/** The common case, without the arithmetic of batch axes. */
function multiplyMatrices(a: NDArray, b: NDArray): NDArray {
  const m = a.shape[0];
  const n = b.shape[1];
  const result = allocate([m, n], a.dtype);
  execute(
    kernelFor("matmul", "matmul", a.dtype),
    [a.storage, b.storage, result.storage],
    [a.offset, b.offset, 0],
    [0, m, a.shape[1], n, a.strides[0], a.strides[1], b.strides[0], b.strides[1], n, 1],
  );
  return result;
}

/**
 * The matrix product of [..., m, k] and [..., k, n], batch axes broadcast; a 1-d operand is a row on the left and a
 * column on the right, and loses that axis again. ShapeError where the inner sizes differ or an operand is 0-d.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkTensor("matmul", a, "the first argument");
  checkTensor("matmul", b, "the second argument");
  if (a.ndim === 0 || b.ndim === 0) {
    throw new ShapeError(
      `matmul: a is ${formatShape(a.shape)}, b is ${formatShape(b.shape)}; both need at least one axis (use mul)`,
    );
  }
  const inner = b.ndim === 1 ? 0 : b.ndim - 2;
  if (a.shape[a.ndim - 1] !== b.shape[inner]) {
    throw new ShapeError(
      `matmul: inner dimensions differ: a is ${formatShape(a.shape)}, b is ${formatShape(b.shape)}; ` +
        `a.shape[${a.ndim - 1}] must equal b.shape[${inner}]`,
    );
  }
  const [left, right] = commonOperands("matmul", "matmul", [a, b]);
  const row = left.ndim === 1;
  const column = right.ndim === 1;
  const product = matmulOperation(
    [row ? expandDims(left, 0) : left, column ? expandDims(right, 1) : right],
    {},
  );
  if (row && column) return squeeze(product, [-2, -1]);
  return row ? squeeze(product, -2) : column ? squeeze(product, -1) : product;
}
