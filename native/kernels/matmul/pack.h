// Copies of a and b in the order in which tiles read them.
#pragma once

#include "tile.h"

// Whether a level's vocabulary has transpose(V (&rows)[W]), which not every level needs.
template <class X, class = void>
struct HasTranspose : std::false_type {};
template <class X>
struct HasTranspose<X, std::void_t<decltype(X::transpose(std::declval<typename X::V (&)[X::W]>()))>>
    : std::true_type {};

// Number p of line i of a sliver goes to to[p·kWidth + i], p from `begin` to `end`; lines beyond `width` give zeros.
template <int kWidth, class T>
void pack_numbers(const T* from, int64_t line, int64_t step, int width, int64_t begin, int64_t end, T* to) {
  for (int64_t p = begin; p < end; p++) {
    for (int i = 0; i < kWidth; i++) to[p * kWidth + i] = i < width ? from[i * line + p * step] : T{0};
  }
}

// The same for kWidth lines that are contiguous, in squares of W×W numbers. A square that is wider than what is left
// of the sliver writes into the numbers behind, which are written after it.
template <int kWidth, class T>
void pack_squares(const T* from, int64_t line, int64_t depth, T* to) {
  using X = Words<T>;
  constexpr int W = X::W;
  int64_t p = 0;
  for (; p + W <= depth; p += W) {
    for (int first = (kWidth - 1) / W * W; first >= 0; first -= W) {
      typename X::V rows[W];
      for (int i = 0; i < W; i++) rows[i] = first + i < kWidth ? X::load(from + (first + i) * line + p) : X::zero();
      X::transpose(rows);
      for (int i = 0; i < W; i++) X::store(to + (p + i) * kWidth + first, rows[i]);
    }
  }
  pack_numbers<kWidth>(from, line, 1, kWidth, p, depth, to);
}

// Copies `lines` lines (rows of a, columns of b) of `depth` numbers each into slivers of kWidth lines: number p of
// line i goes to to[i / kWidth · kWidth·depth + p·kWidth + i mod kWidth]. The last sliver is filled up with zeros.
// Behind `to` there must be room for another kPackSlack numbers.
constexpr int kPackSlack = 16;
template <int kWidth, class T>
void pack(const T* x, int64_t line, int64_t step, int64_t lines, int64_t depth, T* to) {
  for (int64_t first = 0; first < lines; first += kWidth, to += kWidth * depth) {
    const T* const from = x + first * line;
    if (lines - first < kWidth) {
      pack_numbers<kWidth>(from, line, step, static_cast<int>(lines - first), 0, depth, to);
      continue;
    }
    if (line == 1) {
      for (int64_t p = 0; p < depth; p++) std::memcpy(to + p * kWidth, from + p * step, kWidth * sizeof(T));
      continue;
    }
    if constexpr (HasTranspose<Words<T>>::value) {
      if (step == 1) {
        pack_squares<kWidth>(from, line, depth, to);
        continue;
      }
    }
    pack_numbers<kWidth>(from, line, step, kWidth, 0, depth, to);
  }
}
