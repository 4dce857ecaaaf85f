// The vocabulary of simd/ for int32: one number at a time, in loops that the compiler vectorizes. Overflow
// wraps.
#pragma once

template <>
struct Vec<int32_t> {
  using V = int32_t;
  using M = bool;
  static constexpr int W = 1;

  static V load(const int32_t* p) { return *p; }
  static void store(int32_t* p, V a) { *p = a; }
  static V set1(int32_t a) { return a; }
  static V zero() { return 0; }

  static V add(V a, V b) { return static_cast<V>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)); }
  static V sub(V a, V b) { return static_cast<V>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b)); }
  static V mul(V a, V b) { return static_cast<V>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b)); }
  static V neg(V a) { return sub(0, a); }
  static V abs(V a) { return a < 0 ? neg(a) : a; }
  static V min(V a, V b) { return a < b ? a : b; }
  static V max(V a, V b) { return a > b ? a : b; }

  static M lt(V a, V b) { return a < b; }
  static M is_nan(V) { return false; }
  static V select(M m, V a, V b) { return m ? a : b; }
};
