// The functions that a chain applies to tiles: those of the rows MAP(…) of kernels.def, and the folds of
// kernels/lanes.h, in forms that take one contiguous run of elements after another.
#pragma once

#include "../binary.h"
#include "../cast.h"
#include "../lanes.h"
#include "../unary.h"

// ---- functions of elements

struct FusedFunction {
  // y = f(x…) for n elements. Null for rows that are no function of elements of float or double.
  void (*run)(int64_t n, const double* scalars, void* y, const void* const* x);
  // Elements that are worth a thread of their own (kernels/elementwise.h).
  int64_t grain;
};

template <class F, class T>
constexpr FusedFunction fused_function() {
  if constexpr (std::is_floating_point<T>::value) return {&F::template tile<F, T>, F::grain};
  else return {nullptr, 0};
}

// In the order of kernels.def.
#define ROW(name, tag, type, signature, scalars) {nullptr, 0},
#define MAP_ROW(name, tag, type, signature, scalars) fused_function<name##_op<type>, type>(),
const FusedFunction kFusedFunctions[] = {
#include "../../kernels.def"
};
#undef MAP_ROW
#undef ROW

// ---- folds

// Puts n numbers into 16 lanes, the first of them into lane 0: a part of a block that is not its last has a multiple
// of 16.
template <class Op, class T>
void fold_into_lanes(T* lanes, const T* x, int64_t n) {
  using X = Vec<T>;
  constexpr int W = X::W, kVectors = kLanes / W;
  typename X::V lane[kVectors];
  for (int v = 0; v < kVectors; v++) lane[v] = X::load(lanes + v * W);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int v = 0; v < kVectors; v++) lane[v] = Op::template combine<X>(lane[v], X::load(x + i + v * W));
  }
  for (int v = 0; v < kVectors; v++) X::store(lanes + v * W, lane[v]);
  for (int j = 0; i < n; i++, j++) lanes[j] = Op::template combine<One<T>>(lanes[j], x[i]);
}

// The tree over the 16 lanes.
template <class Op, class T>
T fold_lanes(T* lanes) {
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; j++) lanes[j] = Op::template combine<One<T>>(lanes[j], lanes[j + half]);
  }
  return lanes[0];
}

// Puts a row of n numbers into a row of lanes, one beside the other.
template <class Op, class T>
void fold_row(T* lane, const T* x, int64_t n) {
  using X = Vec<T>;
  int64_t i = 0;
  for (; i + X::W <= n; i += X::W) {
    X::store(lane + i, Op::template combine<X>(X::load(lane + i), X::load(x + i)));
  }
  for (; i < n; i++) lane[i] = Op::template combine<One<T>>(lane[i], x[i]);
}

// A whole sequence of n numbers.
template <class Op, class T>
T fold_sequence(const T* x, int64_t n) {
  return fold_blocks<Op, T>(n, ContiguousBlock<Op, T>{x});
}

template <class T>
struct FoldFunctions {
  T identity;
  void (*into_lanes)(T* lanes, const T* x, int64_t n);
  T (*lanes)(T* lanes);
  void (*row)(T* lane, const T* x, int64_t n);
  T (*sequence)(const T* x, int64_t n);
};

template <class Op, class T>
FoldFunctions<T> fold_functions() {
  return {Op::template identity<T>(), fold_into_lanes<Op, T>, fold_lanes<Op, T>, fold_row<Op, T>,
          fold_sequence<Op, T>};
}

template <class T>
const FoldFunctions<T>& fold_functions(FoldKind kind) {
  static const FoldFunctions<T> kFunctions[] = {fold_functions<Sum, T>(), fold_functions<Prod, T>(),
                                                fold_functions<Max, T>(), fold_functions<Min, T>()};
  return kFunctions[static_cast<int>(kind)];
}
