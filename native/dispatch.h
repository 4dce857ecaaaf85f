// Instruction-set levels: which this processor and operating system can run, and each one's kernels.
#pragma once

#include "kernel.h"

namespace thalweg {

struct Level {
  const char* name;
  const Kernel* kernels;  // in the order of kernels.def
};

extern const Level scalar_level;
#if defined(__x86_64__) || defined(_M_X64)
extern const Level avx2_level;    // AVX2 and FMA
extern const Level avx512_level;  // and AVX-512F
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const Level neon_level;
#endif

// Levels that run here, slowest first; the first is always `scalar`. Ends with a null pointer.
const Level* const* supported_levels();
// The fastest supported level.
const Level* best_level();
// The supported level of that name, or null.
const Level* find_level(const char* name);

}  // namespace thalweg
