#include "dispatch.h"

#include <cstring>

#if defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace thalweg {
namespace {

#if defined(__x86_64__) || defined(_M_X64)
// Both the processor and the operating system must agree: the second saves the wide registers or does not.
bool has_avx2_fma() {
#if defined(_MSC_VER)
  int leaf[4];
  __cpuid(leaf, 0);
  if (leaf[0] < 7) return false;
  __cpuid(leaf, 1);
  const bool fma = leaf[2] & (1 << 12), osxsave = leaf[2] & (1 << 27);
  if (!fma || !osxsave || (_xgetbv(0) & 6) != 6) return false;
  __cpuidex(leaf, 7, 0);
  return leaf[1] & (1 << 5);
#else
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
}
#endif

struct Supported {
  const Level* levels[8] = {&scalar_level};
  int count = 1;
  Supported() {
#if defined(__x86_64__) || defined(_M_X64)
    if (has_avx2_fma()) levels[count++] = &avx2_level;
#endif
  }
};

const Supported& supported() {
  static const Supported supported;
  return supported;
}

}  // namespace

const Level* const* supported_levels() { return supported().levels; }

const Level* best_level() { return supported().levels[supported().count - 1]; }

const Level* find_level(const char* name) {
  for (int i = 0; i < supported().count; i++) {
    if (std::strcmp(supported().levels[i]->name, name) == 0) return supported().levels[i];
  }
  return nullptr;
}

}  // namespace thalweg
