/** A whole epoch of a compiled function. */
import type { DataLoader } from "../../data/data_loader.js";
import type { Dataset } from "../../data/dataset.js";
import { InsideEpoch } from "./inside.js";
import {
  checkOptions,
  type EpochFunction,
  type EpochOptions,
  type EpochResult,
  loaderOf,
} from "./options.js";
import { runOutside } from "./outside.js";

/** Runs an epoch; see `Compiled.epoch`. */
export async function runEpoch(
  compiled: EpochFunction,
  source: Dataset | DataLoader,
  given: EpochOptions,
): Promise<EpochResult<unknown>> {
  const { options, loading } = checkOptions(given);
  const loader = loaderOf(source, loading);
  options.signal?.throwIfAborted();
  const { batchAt } = loader.dataset as Partial<Dataset>;
  return typeof batchAt === "function"
    ? new InsideEpoch(compiled, loader, options).run()
    : runOutside(compiled, loader, options);
}
