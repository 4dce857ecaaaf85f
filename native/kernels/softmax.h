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
  const V all = X::max(X::max(top[0], top[1]), X::max(top[2], top[3]));
  return fold_elements<X, T>(all, [](V a, V b) { return X::max(a, b); }) + 0;
}

// exp(x − m) as the source of a fold; `keep(i, e, k)` is called with what it gives.
template <class T, class AnyLine, class Keep>
struct Exponentials {
  using X = Vec<T>;
  AnyLine x;
  typename X::V m;
  Keep keep;

  typename X::V operator()(int64_t i, int k) const {
    const auto e = Math<T>::exp(X::sub(x.load(i, k), m));
    keep(i, e, k);
    return e;
  }
};
template <class AnyLine, class Keep>
struct FourExponentials : Exponentials<float, AnyLine, Keep> {
  using F = Four<float>;

  THALWEG_INLINE F::V four(int64_t i) const {
    constexpr int W = Vec<float>::W;
    const F::V e = FloatMath<F>::exp(F::sub(F::load(this->x.p + i), {{this->m, this->m}, {this->m, this->m}}));
    this->keep(i, e.a.a, W);
    this->keep(i + W, e.a.b, W);
    this->keep(i + 2 * W, e.b.a, W);
    this->keep(i + 3 * W, e.b.b, W);
    return e;
  }
};

// Σ exp(x − m).
template <class T, class AnyLine, class Keep>
T sum_of_exp(const AnyLine& x, int64_t n, T m, const Keep& keep) {
  const Exponentials<T, AnyLine, Keep> source{x, Vec<T>::set1(m), keep};
  // In AVX-512 exp keeps the processor busy as it is.
  constexpr bool gains = Vec<float>::W > 1 && !Vec<float>::kScalesInOne;
  if constexpr (gains && std::is_same<AnyLine, DenseLine<const float>>::value) {
    return fold<Sum, T>(n, FourExponentials<AnyLine, Keep>{source});
  } else {
    return fold<Sum, T>(n, source);
  }
}
template <class T, class AnyLine>
T sum_of_exp(const AnyLine& x, int64_t n, T m) {
  return sum_of_exp<T>(x, n, m, [](int64_t, typename Vec<T>::V, int) {});
}

// a / d for many a, in a third of the time of a division: the rounding error of a·(1/d) is put back. That rounds the
// quotient correctly, as long as the error is no subnormal number: for floats from 2⁻¹⁰⁰ on.
template <class T>
struct Divisor {
  using X = Vec<T>;
  using V = typename X::V;
  V d, inverse;

  explicit Divisor(T d) : d(X::set1(d)), inverse(X::set1(1 / d)) {}
  V quotient(V a) const {
    const V q = X::mul(a, inverse);
    return X::fma(X::fma(X::neg(q), d, a), inverse, q);
  }
};

// e = exp(x − m), m = max x; y = e / Σe.
template <class T>
Status softmax_kernel(const Args& args) {
  using X = Vec<T>;
  const RowArgs<T, 1> a(args);
  const auto xs = a.in(0);
  const auto ys = a.out();
  for_rows(a.b.count(), a.n, [&](int64_t row) {
    const auto normalize = [&](auto x, auto y) {
      const T m = row_max<T>(x, a.n);
      // A short row needs no memory: part of a vector that has just been stored is slow to load.
      if (a.n <= kLanes) {
        typename X::V e[kLanes / X::W];
        const Divisor<T> divisor(sum_of_exp<T>(x, a.n, m, [&e](int64_t i, auto v, int) { e[i / X::W] = v; }));
        for_vectors<T>(a.n, [&](int64_t i, int k) { y.store(i, divisor.quotient(e[i / X::W]), k); });
        return;
      }
      const auto keep = [y](int64_t i, typename X::V e, int k) { y.store(i, e, k); };
      const Divisor<T> divisor(sum_of_exp<T>(x, a.n, m, keep));
      for_vectors<T>(a.n, [=](int64_t i, int k) { y.store(i, divisor.quotient(y.load(i, k)), k); });
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
