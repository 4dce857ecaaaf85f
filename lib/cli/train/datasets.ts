/** The images of a configuration. */
import { ImageDataset } from "../../data/image_dataset.js";
import { digits, type ImageDatasets, mnist } from "../../data/index.js";
import { ArgumentError } from "../../errors.js";
import { DIGITS, type TrainConfig } from "./config.js";

/** ArgumentError if the network does not fit the images; FormatError for a folder without them. */
export async function loadImages({ data, limit, layers }: TrainConfig): Promise<ImageDatasets> {
  const all = data === DIGITS ? digits(limit === null ? {} : { n: limit }) : await mnist(data);
  const images = { train: atMost(limit, all.train), test: atMost(limit, all.test) };
  checkLayers(layers, images);
  return images;
}

function atMost(limit: number | null, set: ImageDataset): ImageDataset {
  if (limit === null || set.length <= limit) return set;
  return new ImageDataset(set.images.slice([0, limit]), set.labels.slice([0, limit]));
}

function checkLayers(layers: readonly number[], images: ImageDatasets): void {
  const inputs = layers[0];
  const classes = layers[layers.length - 1];
  for (const [name, set] of [
    ["training", images.train],
    ["test", images.test],
  ] as const) {
    if (set.length === 0) throw new ArgumentError(`--data: there are no ${name} images`);
    const [, height, width] = set.shape;
    if (inputs !== height * width) {
      throw new ArgumentError(
        `--layers starts with ${inputs}, but the ${name} images have ${height}×${width} pixels; ` +
          `it must start with ${height * width}`,
      );
    }
    let largest = 0;
    for (const label of set.labels.data) largest = Math.max(largest, Number(label));
    if (classes <= largest) {
      throw new ArgumentError(
        `--layers ends with ${classes}, but the ${name} labels go up to ${largest}; ` +
          `it must end with ${largest + 1} or more`,
      );
    }
  }
}
