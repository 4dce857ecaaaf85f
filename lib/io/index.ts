/** Files: safetensors, checkpoints, IDX. */
export { type CheckpointParts, loadCheckpoint, saveCheckpoint, saveCheckpointAsync } from "./checkpoint.js";
export { parseIdx, readIdx, writeIdx } from "./idx_ndarray.js";
export {
  encodeSafetensors,
  loadSafetensors,
  type NamedArrays,
  parseSafetensors,
  type Safetensors,
  saveSafetensors,
} from "./safetensors.js";
