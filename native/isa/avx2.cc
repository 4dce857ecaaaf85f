// The kernels in AVX2 and FMA.
#include "level_includes.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

// From here on code is made for the level; everything included above stays plain, so that an inline function of
// the standard library that is also used elsewhere is never the copy with AVX2 in it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace thalweg {
namespace {
#include "../simd/avx2.h"

#include "../kernels/all.h"
}  // namespace

extern const Level avx2_level;
const Level avx2_level = {"avx2", kKernels};

}  // namespace thalweg

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#endif
