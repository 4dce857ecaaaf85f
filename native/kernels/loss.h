// Cross entropy of logits [b, c] against labels, with class weights and label smoothing, and its gradient.
// Any strides. Labels are checked before anything is written.
#pragma once

#include "softmax.h"

// The first label that is neither in [0, c) nor `ignore`, as an index error.
inline Status check_labels(const int32_t* labels, int64_t stride, int64_t b, int64_t c, double ignore) {
  for (int64_t i = 0; i < b; i++) {
    const int32_t label = labels[i * stride];
    if ((label < 0 || label >= c) && label != ignore) return {i, label, c};
  }
  return {};
}

// Whether a label is to be counted. It is looked at again when it is used: a writer on another thread, or an
// output that overlaps the labels, may have changed it since it was checked.
inline bool is_class(int64_t label, int64_t c, double ignore) {
  return label >= 0 && label < c && static_cast<double>(label) != ignore;
}

// Σ_j w_j·((m − x_j) + total).
template <class T>
T weighted_distances(const Line<const T>& w, const Line<const T>& x, int64_t c, T m, T total) {
  using X = Vec<T>;
  const auto top = X::set1(m), rest = X::set1(total);
  return fold<Sum, T>(c, [&](int64_t j, int k) {
    return X::mul(w.load(j, k), X::add(X::sub(top, x.load(j, k)), rest));
  });
}

// Up to 16 classes, and from a vector of rows on, vectors hold the same class of neighbouring rows: a row's own would be half
// empty, and what folds a vector, and the logarithm of one number, cost as much as the exponentials. (AMD Zen 3, 128 rows of
// 10: 4.4 µs instead of 8.0. The gradient folds nothing, and is faster row by row.)
template <class T>
bool goes_by_classes(int64_t b, int64_t c) { return c > 0 && c <= kLanes && b >= Vec<T>::W; }

// For rows i … i + k − 1 their maxima and log Σ exp(x − m), the bits being those of row_max and sum_of_exp.
template <class T>
void log_sums(const T* x, int64_t x_b, int64_t x_c, int64_t c, int k, typename Vec<T>::V* m,
              typename Vec<T>::V* total) {
  using X = Vec<T>;
  using V = typename X::V;
  V e[kLanes];
  V top = X::set1(-std::numeric_limits<T>::infinity());
  for (int64_t j = 0; j < c; j++) {
    e[j] = Line<const T>{x + j * x_c, x_b}.load(0, k);
    top = X::max(e[j], top);
  }
  *m = X::add(top, X::zero());
  for (int64_t j = 0; j < c; j++) e[j] = Math<T>::exp(X::sub(e[j], *m));
  *total = Math<T>::log(fold_tree<Sum, X>(static_cast<int>(c), [&e](int j) { return e[j]; }));
}

// (logits[bc], labels[b], w[c]) -> loss[b], weight[b], m[b], total[b], with s = label_smoothing:
//   m = max x, total = log Σ exp(x − m), which are not added up: beside a large m, total would be lost
//   loss = (1−s)·w_y·((m − x_y) + total) + s/c · Σ_j w_j·((m − x_j) + total), the second term only where s ≠ 0
//   weight = w_y; loss and weight are 0 where the label is ignore_index.
template <class T>
Status cross_entropy_kernel(const Args& args) {
  using X = Vec<T>;
  DimsReader dims(args);
  const int64_t b = dims.size(), c = dims.size();
  const int64_t x_b = dims.stride(), x_c = dims.stride(), labels_b = dims.stride(), w_c = dims.stride();
  const int64_t loss_b = dims.stride(), weight_b = dims.stride(), m_b = dims.stride();
  const int64_t total_b = dims.stride();
  const double smoothing = args.scalars[0], ignore = args.scalars[1];
  const int32_t* const labels = args.in<int32_t>(1);
  const Status status = check_labels(labels, labels_b, b, c, ignore);
  if (!status.ok()) return status;

  const Line<const T> w{args.in<T>(2), w_c};
  const T kept = static_cast<T>(1 - smoothing), spread = static_cast<T>(smoothing / static_cast<double>(c));
  const auto put = [&](int64_t i, const Line<const T>& x, T m, T total) {
    const int32_t label = labels[i * labels_b];
    T loss = 0, weight = 0;
    if (is_class(label, c, ignore)) {
      weight = w.p[label * w.stride];
      loss = kept * weight * ((m - x.p[label * x.stride]) + total);
      if (smoothing != 0) loss = loss + spread * weighted_distances(w, x, c, m, total);
    }
    args.out<T>(3)[i * loss_b] = loss;
    args.out<T>(4)[i * weight_b] = weight;
    args.out<T>(5)[i * m_b] = m;
    args.out<T>(6)[i * total_b] = total;
  };
  const auto row = [&](int64_t i) { return Line<const T>{args.in<T>(0) + i * x_b, x_c}; };
  if (goes_by_classes<T>(b, c)) {
    for_rows(ceil_div(b, X::W), c * X::W, [&](int64_t group) {
      const int64_t first = group * X::W;
      const int k = static_cast<int>(smaller_of(X::W, b - first));
      typename X::V m, total;
      log_sums<T>(row(first).p, x_b, x_c, c, k, &m, &total);
      T ms[X::W], totals[X::W];
      X::store(ms, m);
      X::store(totals, total);
      for (int i = 0; i < k; i++) put(first + i, row(first + i), ms[i], totals[i]);
    });
    return {};
  }
  for_rows(b, c, [&](int64_t i) {
    with_lines(
        [&](auto x) {
          const T m = row_max<T>(x, c);
          put(i, row(i), m, first_element<X, T>(Math<T>::log(X::set1(sum_of_exp<T>(x, c, m)))));
        },
        row(i));
  });
  return {};
}

// (g[b], logits[bc], labels[b], w[c], m[b], total[b]) -> ∂/∂logits[bc], with s = label_smoothing and
// p = exp((x − m) − total):
//   g·( p_j·((1−s)·w_y + s/c·Σw) − (1−s)·w_y·[j = y] − s/c·w_j );  0 where the label is ignore_index.
template <class T>
Status cross_entropy_grad_kernel(const Args& args) {
  using X = Vec<T>;
  using V = typename X::V;
  DimsReader dims(args);
  const int64_t b = dims.size(), c = dims.size();
  const int64_t g_b = dims.stride(), x_b = dims.stride(), x_c = dims.stride(), labels_b = dims.stride();
  const int64_t w_c = dims.stride(), m_b = dims.stride(), total_b = dims.stride();
  const int64_t out_b = dims.stride(), out_c = dims.stride();
  const double smoothing = args.scalars[0], ignore = args.scalars[1];
  const int32_t* const labels = args.in<int32_t>(2);
  const Status status = check_labels(labels, labels_b, b, c, ignore);
  if (!status.ok()) return status;

  const Line<const T> w{args.in<T>(3), w_c};
  const T kept = static_cast<T>(1 - smoothing), spread = static_cast<T>(smoothing / static_cast<double>(c));
  const T spread_total = spread * fold<Sum, T>(c, numbers(w));
  for_rows(b, c, [&](int64_t i) {
    const Line<const T> x{args.in<T>(1) + i * x_b, x_c};
    const Line<T> out{args.out<T>(6) + i * out_b, out_c};
    const int32_t label = labels[i * labels_b];
    if (!is_class(label, c, ignore)) {
      for_vectors<T>(c, [=](int64_t j, int k) { out.store(j, X::zero(), k); });
      return;
    }
    const V own = X::set1(kept * w.p[label * w.stride]);
    const V g = X::set1(args.in<T>(0)[i * g_b]);
    const V m = X::set1(args.in<T>(4)[i * m_b]), total = X::set1(args.in<T>(5)[i * total_b]);
    const V scale = X::add(own, X::set1(spread_total)), share = X::set1(spread);
    const auto differentiate = [=](auto x, auto w, auto out) {
      for_vectors<T>(c, [=](int64_t j, int k) {
        const V p = Math<T>::exp(X::sub(X::sub(x.load(j, k), m), total));
        V d = X::mul(p, scale);
        if (j <= label && label < j + k) {
          const auto is_label = X::eq(X::load(Positions<T>::values), X::set1(static_cast<T>(label - j)));
          d = X::sub(d, X::select(is_label, own, X::zero()));
        }
        out.store(j, X::mul(g, X::sub(d, X::mul(share, w.load(j, k)))), k);
      });
    };
    with_lines(differentiate, x, w, out);
  });
  return {};
}
