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
#if defined(_MSC_VER)
// Parts of the state that the system saves (bits of XCR0): vectors of 256 bits; masks and vectors of 512 bits.
constexpr unsigned kWide = 0x06, kWidest = kWide | 0xE0;

// Whether the processor has FMA and all of these bits of leaf 7, and the system saves these parts of the state.
bool has(unsigned features, unsigned state) {
  int leaf[4];
  __cpuid(leaf, 0);
  if (leaf[0] < 7) return false;
  __cpuid(leaf, 1);
  const bool fma = leaf[2] & (1 << 12), osxsave = leaf[2] & (1 << 27);
  if (!fma || !osxsave || (_xgetbv(0) & state) != state) return false;
  __cpuidex(leaf, 7, 0);
  return (static_cast<unsigned>(leaf[1]) & features) == features;
}
bool has_avx2() { return has(1u << 5, kWide); }
bool has_avx512() { return has(1u << 5 | 1u << 16, kWidest); }
#else
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() { return has_avx2() && __builtin_cpu_supports("avx512f"); }
#endif
#endif

struct Supported {
  const Level* levels[8] = {&scalar_level};
  int count = 1;
  Supported() {
#if defined(__x86_64__) || defined(_M_X64)
    if (has_avx2()) levels[count++] = &avx2_level;
    if (has_avx512()) levels[count++] = &avx512_level;
#elif defined(__aarch64__) || defined(_M_ARM64)
    levels[count++] = &neon_level;
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
