// How OpenBLAS is run, here and inside PyTorch: with its best kernels, and without threads that spin on our time.
import { readFileSync } from "node:fs";

/** Flags of an x86 processor, as Linux lists them; empty elsewhere. */
function processorFlags() {
  try {
    return new Set(
      /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].trim().split(" ") ?? [],
    );
  } catch {
    return new Set();
  }
}

/** Environment variables of OpenBLAS, whatever they are set to: the comparison is with its best. */
export function openblasEnvironment() {
  const flags = processorFlags();
  const hasAvx512 = ["avx512f", "avx512bw", "avx512dq", "avx512vl"].every((flag) => flags.has(flag));
  return {
    // Within a turn no pause is as long as this (2 ms); by default its threads spin for 0.1 s after a call.
    OPENBLAS_THREAD_TIMEOUT: "22",
    // A processor newer than the library is taken for one without AVX-512.
    ...(hasAvx512 ? { OPENBLAS_CORETYPE: "SkylakeX" } : {}),
  };
}
