// Waiting for another thread without sleeping.
#pragma once

#include <chrono>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace thalweg {

using Clock = std::chrono::steady_clock;

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("isb");  // waits for some ten cycles, which `yield` does on few processors
#endif
}

// Looks between two looks at the clock, which take as long.
constexpr int kLooks = 16;

// Whether `done` comes true before `time` has passed.
template <class Done>
bool comes_true(Clock::duration time, const Done& done) {
  for (int i = 0; i < kLooks; i++, pause()) {
    if (done()) return true;
  }
  for (const auto end = Clock::now() + time; Clock::now() < end;) {
    for (int i = 0; i < kLooks; i++, pause()) {
      if (done()) return true;
    }
  }
  return done();
}

}  // namespace thalweg
