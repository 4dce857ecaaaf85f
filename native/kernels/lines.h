// Operands that are worked on line by line: numbers at a fixed distance from each other, read and written as
// vectors.
#pragma once

#include "walk.h"
#include "lanes.h"

// Numbers at p, p + stride, p + 2·stride, …; T is const for inputs. A stride of 0 repeats one number.
template <class T>
struct Line {
  using Element = std::remove_const_t<T>;
  using X = Vec<Element>;
  using V = typename X::V;

  T* p;
  int64_t stride;

  // Elements i … i+k−1, k ≤ W.
  V load(int64_t i, int k) const {
    if (stride == 1) return load_part<X>(p + i, k);
    if (stride == 0) return X::set1(*p);
    Element elements[X::W] = {};
    for (int j = 0; j < k; j++) elements[j] = p[(i + j) * stride];
    return X::load(elements);
  }

  void store(int64_t i, V a, int k) const {
    if (stride == 1) return store_part<X>(p + i, a, k);
    Element elements[X::W];
    X::store(elements, a);
    for (int j = 0; j < k; j++) p[(i + j) * stride] = elements[j];
  }
};

// A line whose stride is 1.
template <class T>
struct DenseLine {
  using X = Vec<std::remove_const_t<T>>;
  using V = typename X::V;

  T* p;

  V load(int64_t i, int k) const { return load_part<X>(p + i, k); }
  void store(int64_t i, V a, int k) const { store_part<X>(p + i, a, k); }
};

// A line of one number, repeated.
template <class T>
struct RepeatedLine {
  using V = typename Vec<T>::V;
  V value;
  V load(int64_t, int) const { return value; }
};

// Calls body(lines…), the lines being dense where all of them are: a body that asks no vector for its stride
// is up to twice as fast where there is little else to do.
template <class Body, class... T>
void with_lines(const Body& body, const Line<T>&... lines) {
  if (((lines.stride == 1) && ...)) body(DenseLine<T>{lines.p}...);
  else body(lines...);
}

// A line as the source of a fold.
template <class AnyLine>
auto numbers(const AnyLine& line) {
  return [line](int64_t i, int k) { return line.load(i, k); };
}

// Calls body(i, k) for every vector of n elements: k = W, and fewer for the last.
template <class T, class Body>
void for_vectors(int64_t n, const Body& body) {
  constexpr int W = Vec<T>::W;
  int64_t i = 0;
  for (; i + W <= n; i += W) body(i, W);
  if (i < n) body(i, static_cast<int>(n - i));
}

// An operand with axes [Bn]: a line for every element of B.
template <class T>
struct Lines {
  T* p;
  Walk<1> b;
  int64_t stride;

  Lines(T* p, const Group& b, const int64_t* b_strides, int64_t stride)
      : p(p), b(b, {b_strides}), stride(stride) {}
  Line<T> operator[](int64_t row) const { return {p + b.offset(0, row), stride}; }
};

// An operand with axes [B]: a number for every element of B.
template <class T>
struct Numbers {
  T* p;
  Walk<1> b;

  Numbers(T* p, const Group& b, const int64_t* b_strides) : p(p), b(b, {b_strides}) {}
  T& operator[](int64_t row) const { return p[b.offset(0, row)]; }
};

// Calls body(row) for rows of n numbers each, shared among threads.
template <class Body>
void for_rows(int64_t rows, int64_t n, const Body& body) {
  // 16 Ki numbers take some 5 µs at least, a fork and join 1 to 2 µs.
  constexpr int64_t kGrain = int64_t{1} << 14;
  parallel_for(rows, 1 + kGrain / (n + kLanes), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) body(row);
  });
}
