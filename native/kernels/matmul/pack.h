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
    for (int i = 0; i < width; i++) to[p * kWidth + i] = from[i * line + p * step];
    for (int i = width; i < kWidth; i++) to[p * kWidth + i] = 0;
  }
}

// W lines of W numbers, `line` apart, become W lines the other way, `row` apart.
template <class X, class T>
THALWEG_INLINE void transpose_square(const T* from, int64_t line, T* to, int64_t row) {
  typename X::V lines[X::W];
  for (int i = 0; i < X::W; i++) lines[i] = X::load(from + i * line);
  X::transpose(lines);
  for (int i = 0; i < X::W; i++) X::store(to + i * row, lines[i]);
}

// W lines, from number `begin` to `end`, a multiple of W apart, transposed in squares of W×W numbers; lines beyond
// `width` give zeros.
template <int kWidth, class T>
void transpose_squares(const T* from, int64_t line, int width, int64_t begin, int64_t end, T* to) {
  using X = Words<T>;
  constexpr int W = X::W;
  if (width == W) {
    for (int64_t p = begin; p < end; p += W) transpose_square<X>(from + p - begin, line, to + p * kWidth, kWidth);
    return;
  }
  for (int64_t p = begin; p < end; p += W) {
    typename X::V lines[W];
    for (int i = 0; i < W; i++) lines[i] = i < width ? X::load(from + i * line + p - begin) : X::zero();
    X::transpose(lines);
    for (int i = 0; i < W; i++) X::store(to + (p + i) * kWidth, lines[i]);
  }
}

// As pack_numbers, for lines that are contiguous.
//
// Where their distance is a multiple of a large power of two, W lines want more places in one set of the first-level
// cache than it has, and reading them by turns takes three times as long (AMD Zen 4). Then a few cache lines of each
// are copied together first, one after the other.
template <int kWidth, class T>
void pack_squares(const T* from, int64_t line, int width, int64_t depth, T* to) {
  constexpr int W = Words<T>::W;
  static_assert(kWidth % W == 0, "slivers are whole squares");
  constexpr int64_t kPart = 4 * 64 / static_cast<int64_t>(sizeof(T)), kApart = kPart + 64 / sizeof(T);
  const bool collides = line * static_cast<int64_t>(sizeof(T)) % 2048 == 0;
  const int64_t squares = depth / W * W;
  alignas(64) T copies[W * kApart];
  for (int64_t p = 0; p < squares; p += kPart) {
    const int64_t end = p + kPart < squares ? p + kPart : squares;
    for (int first = 0; first < kWidth; first += W) {
      const T* at = from + first * line + p;
      const int lines = width - first < W ? width - first : W;
      for (int i = 0; collides && i < lines; i++) std::memcpy(copies + i * kApart, at + i * line, (end - p) * sizeof(T));
      transpose_squares<kWidth>(collides ? copies : at, collides ? kApart : line, lines, p, end, to + first);
    }
  }
  pack_numbers<kWidth>(from, line, 1, width, squares, depth, to);
}

// Full slivers whose lines are neighbours in memory: a few steps at a time for all slivers, so that neither their pages
// nor the cache lines that a sliver shares with the next are forgotten before they are done with (AMD Zen 3, rows of
// 4 KiB: 8 at a time take 10 % less than 32).
template <int kWidth, class T>
void pack_neighbours(const T* x, int64_t step, int64_t slivers, int64_t depth, T* to) {
  constexpr int64_t kSteps = 8;
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
// with zeros.
template <int kWidth, class T>
void pack(const T* x, int64_t line, int64_t step, int64_t lines, int64_t depth, T* to) {
  const int64_t full = line == 1 ? lines / kWidth : 0;
  if (full > 0) pack_neighbours<kWidth>(x, step, full, depth, to);
  for (int64_t i = full * kWidth; i < lines; i += kWidth) {
    const int width = static_cast<int>(lines - i < kWidth ? lines - i : kWidth);
    if constexpr (HasTranspose<Words<T>>::value && kWidth % Words<T>::W == 0) {
      if (step == 1 && line != 1) {
        pack_squares<kWidth>(x + i * line, line, width, depth, to + i * depth);
        continue;
      }
    }
    pack_numbers<kWidth>(x + i * line, line, step, width, 0, depth, to + i * depth);
  }
}
