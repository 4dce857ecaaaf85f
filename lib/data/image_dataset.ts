/** Labelled grey images, kept as bytes and turned into floats batch by batch. */
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { NDArray } from "../ndarray/ndarray.js";
import { formatShape, type Shape } from "../ndarray/shape.js";
import { div } from "../ops/arithmetic.js";
import { checkPositions, Dataset, takeRows } from "./dataset.js";

const FULL_INK = 255;

/** Images and labels; a sample is the image's pixels as floats in [0, 1], and the label. */
export class ImageDataset extends Dataset<[images: Tensor, labels: Tensor]> {
  /** uint8 [N, H, W]. */
  readonly images: NDArray;
  /** int32 [N]. */
  readonly labels: NDArray;

  /**
   * @param images uint8 [N, H, W]; kept, not copied
   * @param labels integers [N], of dtype uint8 or int32
   * @throws ArgumentError, DTypeError, ShapeError
   */
  constructor(images: NDArray, labels: NDArray) {
    super();
    for (const [name, value] of Object.entries({ images, labels })) {
      if (value instanceof NDArray) continue;
      throw new ArgumentError(`ImageDataset: ${name} must be an NDArray, got ${describe(value)}`);
    }
    if (images.dtype !== "uint8")
      throw new DTypeError(`ImageDataset: images are ${images.dtype}; needs uint8`);
    if (labels.dtype !== "uint8" && labels.dtype !== "int32") {
      throw new DTypeError(`ImageDataset: labels are ${labels.dtype}; needs uint8 or int32`);
    }
    if (images.ndim !== 3 || labels.ndim !== 1 || images.shape[0] !== labels.shape[0]) {
      throw new ShapeError(
        `ImageDataset: images are ${formatShape(images.shape)} and labels ${formatShape(labels.shape)}; ` +
          "needs [N,H,W] and [N]",
      );
    }
    this.images = images;
    this.labels = labels.astype("int32");
  }

  get length(): number {
    return this.images.shape[0];
  }

  /** [N, H, W]. */
  get shape(): Shape {
    return this.images.shape;
  }

  /** float32 [B, H·W], each pixel its byte / 255; and int32 [B]. */
  override batch(indices: Int32Array): [images: Tensor, labels: Tensor] {
    checkPositions("ImageDataset", indices, this.length);
    const [, height, width] = this.shape;
    const pixels = takeRows(this.images, indices).reshape([indices.length, height * width]);
    // A division is correctly rounded, so both executors give the same bits.
    return [div(new Tensor(pixels.astype("float32")), FULL_INK), new Tensor(takeRows(this.labels, indices))];
  }

  override batchAt(indices: Tensor): [images: Tensor, labels: Tensor] {
    const [, height, width] = this.shape;
    const rows = this.images.reshape([this.length, height * width]);
    const pixels = rows.take(indices.array).astype("float32");
    return [div(new Tensor(pixels), FULL_INK), new Tensor(this.labels.take(indices.array))];
  }
}
