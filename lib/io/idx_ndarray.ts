/** IDX files as arrays. The format itself is in idx.ts. */
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { fromTypedArray } from "../ndarray/creation.js";
import { NDArray } from "../ndarray/ndarray.js";
import { withDefaults } from "../options.js";
import { checkBytes, checkPath } from "./arguments.js";
import { type IdxArray, parseIdx as parse, readIdx as read, writeIdx as write } from "./idx.js";

const toNDArray = ({ data, shape, dtype }: IdxArray): NDArray => fromTypedArray(data, shape, dtype);

/** The array in the bytes of an IDX file, gzipped or not. `name` stands for the file in a FormatError. */
export const parseIdx = (bytes: Uint8Array, name = "the IDX data"): NDArray =>
  toNDArray(parse(checkBytes("parseIdx", bytes), name));

/** Reads an IDX file, gzipped or not. FormatError if it is missing, damaged or of another format. */
export const readIdx = async (path: string): Promise<NDArray> =>
  toNDArray(await read(checkPath("readIdx", path)));

/**
 * Writes an array as an IDX file: after a crash there is the old file or the whole new one.
 *
 * @param array uint8, int32, float32 or float64; other dtypes are a DTypeError
 * @param options.gzip whether to compress; by default when `path` ends in `.gz`
 */
export async function writeIdx(
  path: string,
  array: NDArray | Tensor,
  options: { gzip?: boolean } = {},
): Promise<void> {
  if (!(array instanceof Tensor || array instanceof NDArray)) {
    throw new ArgumentError(`writeIdx: needs a Tensor or an NDArray, got ${describe(array)}`);
  }
  const { gzip } = withDefaults<{ gzip?: boolean }>("writeIdx", options, { gzip: undefined });
  const { dtype, shape, data } = array instanceof Tensor ? array.array : array;
  if (dtype === "bool" || dtype === "int64" || data instanceof BigInt64Array) {
    throw new DTypeError(
      `writeIdx: IDX has no element type for ${dtype}; convert with astype to uint8, int32, float32 or float64`,
    );
  }
  await write(checkPath("writeIdx", path), { dtype, shape, data }, { gzip });
}
