// What the rows say together.
import { geometricMean } from "./harness.mjs";

const BLAS = ["openblas", "blis"];

/** For each count of threads: name of each product, and its ratio to the better of OpenBLAS and BLIS. */
export function ratiosToBetterBlas(rows) {
  const byThreads = new Map();
  for (const { name, threads, ratio, against } of rows) {
    if (!BLAS.includes(against)) continue;
    if (!byThreads.has(threads)) byThreads.set(threads, new Map());
    const ratios = byThreads.get(threads);
    ratios.set(name, Math.min(ratios.get(name) ?? Number.POSITIVE_INFINITY, ratio));
  }
  return byThreads;
}

/** The same as lines of text: geometric mean and the least. */
export function betterBlas(rows) {
  return [...ratiosToBetterBlas(rows)].map(([threads, ratios]) => {
    const [name, least] = [...ratios].reduce((a, b) => (b[1] < a[1] ? b : a));
    return (
      `matmul against the better of OpenBLAS and BLIS, threads ${threads}: geometric mean ` +
      `${geometricMean([...ratios.values()]).toFixed(3)} over ${ratios.size} products, least ${least.toFixed(3)} (${name})`
    );
  });
}
