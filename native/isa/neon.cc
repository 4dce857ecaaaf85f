// The kernels in NEON. It is part of AArch64, so nothing has to be switched on.
#include "level_includes.h"

#if defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>

namespace thalweg {
namespace {
#include "../simd/neon.h"

#include "../kernels/all.h"
}  // namespace

extern const Level neon_level;
const Level neon_level = {"neon", kKernels};

}  // namespace thalweg
#endif
