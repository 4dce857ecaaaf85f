// Softmax and its logarithm over the last axis, and their gradients. Any strides. A row's bits depend on its
// numbers alone. A NaN or +∞ in a row, or nothing but −∞, makes the row NaN.
#pragma once

#include "lines.h"
#include "math_f64.h"

// Arguments of T[Bn] … -> T[Bn]: as many inputs as Inputs says.
template <class T, int kInputs>
struct RowArgs {
  Group b;
  int64_t n;
  const int64_t* strides[kInputs + 1];

  explicit RowArgs(const Args& args) : args_(args) {
    DimsReader dims(args);
    b = dims.group();
    n = dims.size();
    for (int i = 0; i <= kInputs; i++) {
      strides[i] = dims.strides(b);
      dims.stride();
    }
  }
  Lines<const T> in(int i) const { return {args_.in<T>(i), b, strides[i], strides[i][b.rank]}; }
  Lines<T> out() const { return {args_.out<T>(kInputs), b, strides[kInputs], strides[kInputs][b.rank]}; }

 private:
  const Args& args_;
};

// max x of what is no NaN, whichever order it is taken in; +0 where it is −0. A NaN need not be found here, since
// it spreads through the sum of exponentials.
template <class T, class AnyLine>
T row_max(const AnyLine& x, int64_t n) {
  using X = Vec<T>;
  using V = typename X::V;
  constexpr int W = X::W;
  // As many chains as hide the latency of a maximum.
  constexpr int kChains = 4;
  const V lowest = X::set1(-std::numeric_limits<T>::infinity());
  V top[kChains] = {lowest, lowest, lowest, lowest};
  int64_t i = 0;
  for (; i + kChains * W <= n; i += kChains * W) {
    for (int c = 0; c < kChains; c++) top[c] = X::max(x.load(i + c * W, W), top[c]);
  }
  for (; i + W <= n; i += W) top[0] = X::max(x.load(i, W), top[0]);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    top[1] = X::max(first_or<X, T>(x.load(i, rest), lowest, rest), top[1]);
  }
  T last[W];
  X::store(last, X::max(X::max(top[0], top[1]), X::max(top[2], top[3])));
  for (int half = W / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; j++) last[j] = last[j] > last[j + half] ? last[j] : last[j + half];
  }
  return last[0] + 0;
}

// Σ exp(x − m).
template <class T, class AnyLine>
T sum_of_exp(const AnyLine& x, int64_t n, T m) {
  using X = Vec<T>;
  const auto shift = X::set1(m);
  return fold<Sum, T>(n, [&](int64_t i, int k) { return Math<T>::exp(X::sub(x.load(i, k), shift)); });
}

// e = exp(x − m), m = max x; y = e / Σe.
template <class T>
Status softmax_kernel(const Args& args) {
  using X = Vec<T>;
  const RowArgs<T, 1> a(args);
  const auto xs = a.in(0);
  const auto ys = a.out();
  for_rows(a.b.count(), a.n, [&](int64_t row) {
    const auto normalize = [&](auto x, auto y) {
      const auto m = X::set1(row_max<T>(x, a.n));
      const T total = fold<Sum, T>(a.n, [=](int64_t i, int k) {
        const auto e = Math<T>::exp(X::sub(x.load(i, k), m));
        y.store(i, e, k);
        return e;
      });
      const auto divisor = X::set1(total);
      for_vectors<T>(a.n, [=](int64_t i, int k) { y.store(i, X::div(y.load(i, k), divisor), k); });
    };
    with_lines(normalize, xs[row], ys[row]);
  });
  return {};
}

// y = (x − m) − log Σ exp(x − m), m = max x.
template <class T>
Status log_softmax_kernel(const Args& args) {
  using X = Vec<T>;
  const RowArgs<T, 1> a(args);
  const auto xs = a.in(0);
  const auto ys = a.out();
  for_rows(a.b.count(), a.n, [&](int64_t row) {
    const auto normalize = [&](auto x, auto y) {
      const T top = row_max<T>(x, a.n);
      const auto m = X::set1(top), log_total = Math<T>::log(X::set1(sum_of_exp<T>(x, a.n, top)));
      for_vectors<T>(a.n,
                     [=](int64_t i, int k) { y.store(i, X::sub(X::sub(x.load(i, k), m), log_total), k); });
    };
    with_lines(normalize, xs[row], ys[row]);
  });
  return {};
}

// (y, g) -> y·(g − Σ g·y).
template <class T>
Status softmax_grad_kernel(const Args& args) {
  using X = Vec<T>;
  const RowArgs<T, 2> a(args);
  const auto ys = a.in(0), gs = a.in(1);
  const auto outs = a.out();
  for_rows(a.b.count(), a.n, [&](int64_t row) {
    const Line<const T> y = ys[row], g = gs[row];
    const Line<T> out = outs[row];
    const auto dot = X::set1(
        fold<Sum, T>(a.n, [&](int64_t i, int k) { return X::mul(g.load(i, k), y.load(i, k)); }));
    for_vectors<T>(a.n, [=](int64_t i, int k) {
      out.store(i, X::mul(y.load(i, k), X::sub(g.load(i, k), dot)), k);
    });
  });
  return {};
}

// (y, g) -> g − exp(y)·Σ g.
template <class T>
Status log_softmax_grad_kernel(const Args& args) {
  using X = Vec<T>;
  const RowArgs<T, 2> a(args);
  const auto ys = a.in(0), gs = a.in(1);
  const auto outs = a.out();
  for_rows(a.b.count(), a.n, [&](int64_t row) {
    const Line<const T> y = ys[row], g = gs[row];
    const Line<T> out = outs[row];
    const auto total = X::set1(fold<Sum, T>(a.n, numbers(g)));
    for_vectors<T>(a.n, [=](int64_t i, int k) {
      out.store(i, X::sub(g.load(i, k), X::mul(Math<T>::exp(y.load(i, k)), total)), k);
    });
  });
  return {};
}
