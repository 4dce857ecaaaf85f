// Which cases are put to the peers that run in Node.

const MOST_FLOPS = 6e8;

/** float32, not beyond the caches, and products that do not take them seconds, stored the way that suits them. */
export const suitsNode = ({ kind, form, dtype, flops, pattern, unit }) =>
  dtype === "float32" &&
  !pattern &&
  unit !== "us" &&
  (kind !== "matmul" || (form === "nn" && flops <= MOST_FLOPS));
