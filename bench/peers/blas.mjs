// OpenBLAS and BLIS, called in this process (blas.cc) in turn with ours.
import { fileURLToPath } from "node:url";
import { loadAddon } from "../compile.mjs";
import { openblasEnvironment } from "./openblas_env.mjs";

const SOURCE = fileURLToPath(new URL("blas.cc", import.meta.url));

/** A library by its own name: `libblas.so.3` may be any of them. */
const peer = (name, file, install) => ({
  name,
  install,
  open: async () => {
    Object.assign(process.env, openblasEnvironment());
    const library = loadAddon(SOURCE).open(file);
    return {
      about: `kernels for ${library.core()}`,
      prepare: (work, inputs, threads) => {
        if (work.kind !== "matmul") return null;
        library.setThreads(threads);
        const operands = { ...inputs, ...work.outputs(inputs) };
        const [gemm, gemv] = [product(library, work, operands), vectorProduct(library, work, operands)];
        const run = gemv !== null && time(gemv) < time(gemm) ? gemv : gemm;
        return { operands, run, hasThreads: threads > 1, note: run === gemv ? "gemv" : undefined };
      },
    };
  },
});

function product(library, { shape: [m, k, n], form }, { a, b, c }) {
  return (calls) => library.gemm(form[0] === "t", form[1] === "t", m, n, k, a, b, c, calls);
}

/** A product of one row by the function that BLAS has for it, which is sometimes the faster. */
function vectorProduct(library, { shape: [m, k, n], form, dtype }, { a, b, c }) {
  if (m !== 1 || dtype !== "float32") return null;
  const [rows, columns] = form[1] === "n" ? [k, n] : [n, k];
  return (calls) => library.gemv(form[1] === "n", rows, columns, b, a, c, calls);
}

const time = (run) => Math.min(...Array.from({ length: 5 }, () => run(20)));

export const openblas = peer("openblas", "libopenblas.so.0", "apt-get install libopenblas0-pthread");
export const blis = peer("blis", "libblis.so.4", "apt-get install libblis4-openmp");
