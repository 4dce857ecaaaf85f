/** Files. */
export { parseIdx, readIdx, writeIdx } from "./idx_ndarray.js";
