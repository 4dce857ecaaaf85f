/** Datasets and loaders. */
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from "./data_loader.js";
export { Dataset, randomSplit, Subset, TensorDataset } from "./dataset.js";
export { type DigitsOptions, digits } from "./digits.js";
export { ImageDataset } from "./image_dataset.js";
export { type ImageDatasets, mnist } from "./mnist.js";
