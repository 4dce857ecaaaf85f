// Reductions over R for every element of O: T[OR] -> T[O]. Any strides; the bits depend only on the numbers
// of each sequence (row-major over R), never on strides, level or threads. The output may not overlap the
// input.
#pragma once

#include "math_f64.h"
#include "reduction.h"

// ---- passes: see kernels/reduction.h

// Σx, Πx, max x, min x.
template <class Operation, class T>
struct FoldPass {
  using Op = Operation;
  using V = typename Words<T>::V;
  V map(const V* x, const V*) const { return x[0]; }
  V finish(V total, const V*) const { return total; }
};

// Σx / n, in the element type; NaN for n = 0.
template <class T>
struct MeanPass {
  using Op = Sum;
  using X = Vec<T>;
  using V = typename X::V;
  T n;
  V map(const V* x, const V*) const { return x[0]; }
  V finish(V total, const V*) const { return X::div(total, X::set1(n)); }
};

// Σ(x − mean)² / divisor, state[0] being the mean.
template <class T>
struct VariancePass {
  using Op = Sum;
  using X = Vec<T>;
  using V = typename X::V;
  T divisor;
  V map(const V* x, const V* state) const {
    const V d = X::sub(x[0], state[0]);
    return X::mul(d, d);
  }
  V finish(V total, const V*) const { return X::div(total, X::set1(divisor)); }
};

// m + log Σ exp(x − m), state[0] being the maximum m; m itself where it is ±∞.
template <class T>
struct LogSumExpPass {
  using Op = Sum;
  using X = Vec<T>;
  using V = typename X::V;
  V map(const V* x, const V* state) const { return Math<T>::exp(X::sub(x[0], state[0])); }
  V finish(V total, const V* state) const {
    const V m = state[0];
    const auto infinite = X::eq(X::abs(m), X::set1(std::numeric_limits<T>::infinity()));
    return X::select(infinite, m, X::add(m, Math<T>::log(total)));
  }
};

// ---- kernels

// Reads the arguments of T[OR] -> Out[O].
template <class T, class Out>
struct ReduceArgs {
  Group o, r;
  const int64_t *x_o, *x_r, *out_o;
  const T* x;
  Out* out;

  explicit ReduceArgs(const Args& args) : x(args.in<T>(0)), out(args.out<Out>(1)) {
    DimsReader dims(args);
    o = dims.group();
    r = dims.group();
    x_o = dims.strides(o);
    x_r = dims.strides(r);
    out_o = dims.strides(o);
  }
};

// One pass, whose result is the output.
template <class T, class Pass>
Status reduce(const ReduceArgs<T, T>& a, const Pass& pass) {
  Reduction<T, 1, 0, 1>(a.o, {a.x_o, a.out_o}, a.r, {a.x_r}, {a.x}, nullptr, {a.out}).run(pass);
  return {};
}

// Two passes, the second of which uses the result of the first and is the output.
template <class T, class First, class Second>
Status reduce(const ReduceArgs<T, T>& a, const First& first, const Second& second) {
  T* const no_result = nullptr;
  Reduction<T, 1, 0, 2>(a.o, {a.x_o, a.x_o, a.out_o}, a.r, {a.x_r}, {a.x}, nullptr, {no_result, a.out})
      .run(first, second);
  return {};
}

// Σx. Error of floating point: at most about (n/16 + 4)·ε·Σ|x| for n ≤ 4096, and ~265·ε·Σ|x| up to 2²⁴
// numbers.
template <class T>
Status sum_kernel(const Args& args) { return reduce<T>(ReduceArgs<T, T>(args), FoldPass<Sum, T>{}); }

// Πx, in the order of the sum.
template <class T>
Status prod_kernel(const Args& args) { return reduce<T>(ReduceArgs<T, T>(args), FoldPass<Prod, T>{}); }

// The largest x, or NaN if there is one; the lowest number of the type (−∞) for n = 0.
template <class T>
Status max_kernel(const Args& args) { return reduce<T>(ReduceArgs<T, T>(args), FoldPass<Max, T>{}); }

// The smallest x, or NaN if there is one; the largest number of the type (∞) for n = 0.
template <class T>
Status min_kernel(const Args& args) { return reduce<T>(ReduceArgs<T, T>(args), FoldPass<Min, T>{}); }

// Σx / n.
template <class T>
Status mean_kernel(const Args& args) {
  const ReduceArgs<T, T> a(args);
  return reduce<T>(a, MeanPass<T>{static_cast<T>(a.r.count())});
}

// Σ(x − mean)² / max(n − correction, 0).
template <class T>
Status var_kernel(const Args& args) {
  const ReduceArgs<T, T> a(args);
  const int64_t n = a.r.count();
  const double freedom = static_cast<double>(n) - args.scalars[0];
  const T divisor = static_cast<T>(freedom > 0 ? freedom : 0);
  return reduce<T>(a, MeanPass<T>{static_cast<T>(n)}, VariancePass<T>{divisor});
}

// m + log Σ exp(x − m), m = max x.
template <class T>
Status logsumexp_kernel(const Args& args) {
  return reduce<T>(ReduceArgs<T, T>(args), FoldPass<Max, T>{}, LogSumExpPass<T>{});
}

#include "arg_reduce.h"
