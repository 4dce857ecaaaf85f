// The kernels in AVX-512F.
#include "level_includes.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

// As in avx2.cc: code from here on is made for the level. GCC would otherwise keep the loops that it vectorizes
// itself at 256 bits.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma,prefer-vector-width=512")
#endif

namespace thalweg {
namespace {
#include "../simd/avx512.h"

#include "../kernels/all.h"
}  // namespace

extern const Level avx512_level;
const Level avx512_level = {"avx512", kKernels};

}  // namespace thalweg

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#endif
