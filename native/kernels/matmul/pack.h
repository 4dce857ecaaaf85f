// Copies of a and b in the order in which tiles read them.
#pragma once

#include "tile.h"

// Whether a level's vocabulary has transpose(V (&rows)[W]), which not every level needs.
template <class X, class = void>
struct HasTranspose : std::false_type {};
template <class X>
struct HasTranspose<X, std::void_t<decltype(X::transpose(std::declval<typename X::V (&)[X::W]>()))>>
    : std::true_type {};

// Number p of line i of a sliver goes to to[p·kWidth + i], p from `begin` to `end`; lines beyond `width` give
// zeros.
template <int kWidth, class T>
void pack_numbers(const T* from, int64_t line, int64_t step, int width, int64_t begin, int64_t end, T* to) {
  for (int64_t p = begin; p < end; p++) {
    for (int i = 0; i < kWidth; i++) to[p * kWidth + i] = i < width ? from[i * line + p * step] : T{0};
  }
}

// The same for kWidth lines that are contiguous, in squares of W×W numbers. A square that is wider than what
// is left of the sliver writes into the numbers behind, which are written after it.
template <int kWidth, class T>
void pack_squares(const T* from, int64_t line, int64_t depth, T* to) {
  using X = Words<T>;
  constexpr int W = X::W;
  int64_t p = 0;
  for (; p + W <= depth; p += W) {
    for (int first = (kWidth - 1) / W * W; first >= 0; first -= W) {
      typename X::V rows[W];
      for (int i = 0; i < W; i++) {
        rows[i] = first + i < kWidth ? X::load(from + (first + i) * line + p) : X::zero();
      }
      X::transpose(rows);
      for (int i = 0; i < W; i++) X::store(to + (p + i) * kWidth + first, rows[i]);
    }
  }
  pack_numbers<kWidth>(from, line, 1, kWidth, p, depth, to);
}

// Full slivers whose lines are neighbours in memory: as many steps at a time as there are pages in a
// first-level TLB, for all slivers, so that a page is done with before it is forgotten (AMD Zen 4 has 72
// entries).
template <int kWidth, class T>
void pack_neighbours(const T* x, int64_t step, int64_t slivers, int64_t depth, T* to) {
  constexpr int64_t kSteps = 32;
  for (int64_t begin = 0; begin < depth; begin += kSteps) {
    const int64_t end = begin + kSteps < depth ? begin + kSteps : depth;
    for (int64_t s = 0; s < slivers; s++) {
      const T* const from = x + s * kWidth;
      T* const sliver = to + s * kWidth * depth;
      for (int64_t p = begin; p < end; p++) {
        std::memcpy(sliver + p * kWidth, from + p * step, kWidth * sizeof(T));
      }
    }
  }
}

// Copies `lines` lines (rows of a, columns of b) of `depth` numbers each into slivers of kWidth lines: number
// p of line i goes to to[i / kWidth · kWidth·depth + p·kWidth + i mod kWidth]. The last sliver is filled up
// with zeros. Behind `to` there must be room for another kPackSlack numbers.
constexpr int kPackSlack = 16;
template <int kWidth, class T>
void pack(const T* x, int64_t line, int64_t step, int64_t lines, int64_t depth, T* to) {
  const int64_t full = lines / kWidth;
  if (line == 1) pack_neighbours<kWidth>(x, step, full, depth, to);
  for (int64_t s = 0; s < full && line != 1; s++) {
    const T* const from = x + s * kWidth * line;
    T* const sliver = to + s * kWidth * depth;
    if constexpr (HasTranspose<Words<T>>::value) {
      if (step == 1) {
        pack_squares<kWidth>(from, line, depth, sliver);
        continue;
      }
    }
    pack_numbers<kWidth>(from, line, step, kWidth, 0, depth, sliver);
  }
  const int64_t packed = full * kWidth;
  const int rest = static_cast<int>(lines - packed);
  if (rest > 0) pack_numbers<kWidth>(x + packed * line, line, step, rest, 0, depth, to + packed * depth);
}
