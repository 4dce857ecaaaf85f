// The fixed order of every sum, product, maximum and minimum (docs/kernels.md, "Numbers"): 16 lanes, then a
// fixed tree, in blocks of 4096 whose results are folded by the same rule. Two forms give the same bits:
// `fold` puts the lanes of one sequence side by side in vectors, `fold_columns` puts neighbouring sequences
// side by side.
#pragma once

#include "several.h"

constexpr int kLanes = 16;
constexpr int kBlock = 4096;

// Blocks per thread that make waking one worth it: 64 Ki numbers take some 10 µs, a fork and join 1 to 2 µs.
constexpr int kBlockGrain = 16;

inline int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The vocabulary of simd/ for single numbers of any type. Integers wrap.
template <class T>
struct One {
  using V = T;
  using M = bool;
  static constexpr int W = 1;
  using Modular = std::conditional_t<std::is_integral<T>::value, uint32_t, T>;

  static V load(const T* p) { return *p; }
  static void store(T* p, V a) { *p = a; }
  static V load_n(const T* p, int) { return *p; }
  static void store_n(T* p, V a, int) { *p = a; }
  static V set1(T a) { return a; }
  static V zero() { return 0; }
  static V add(V a, V b) { return static_cast<T>(static_cast<Modular>(a) + static_cast<Modular>(b)); }
  static V mul(V a, V b) { return static_cast<T>(static_cast<Modular>(a) * static_cast<Modular>(b)); }
  static V fma(V a, V b, V c) { return add(mul(a, b), c); }
  static V min(V a, V b) { return a < b ? a : b; }
  static V max(V a, V b) { return a > b ? a : b; }
  static M lt(V a, V b) { return a < b; }
  static M is_nan(V a) { return a != a; }
  static V select(M m, V a, V b) { return m ? a : b; }
};

// The vocabulary for elements of type T: the level's vectors for floating point; for integers single numbers,
// which the compiler turns into vectors itself.
template <class T>
using Words = std::conditional_t<std::is_floating_point<T>::value, Vec<T>, One<T>>;

// ---- what is folded: `combine` puts a later result after an earlier one; a lane starts at `identity`.

struct Sum {
  template <class T>
  static T identity() { return 0; }
  template <class X>
  static typename X::V combine(typename X::V a, typename X::V b) { return X::add(a, b); }
};

struct Prod {
  template <class T>
  static T identity() { return 1; }
  template <class X>
  static typename X::V combine(typename X::V a, typename X::V b) { return X::mul(a, b); }
};

// Maximum and minimum hand a NaN on; of +0 and −0 they give the one that is combined later.
struct Max {
  template <class T>
  static T identity() {
    using Limits = std::numeric_limits<T>;
    return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  }
  template <class X>
  static typename X::V combine(typename X::V a, typename X::V b) {
    return X::select(X::is_nan(a), a, X::max(a, b));
  }
};

struct Min {
  template <class T>
  static T identity() {
    using Limits = std::numeric_limits<T>;
    return Limits::has_infinity ? Limits::infinity() : Limits::max();
  }
  template <class X>
  static typename X::V combine(typename X::V a, typename X::V b) {
    return X::select(X::is_nan(a), a, X::min(a, b));
  }
};

// ---- vectors at the end of a sequence

// The first k elements at p, k ≤ W.
template <class X, class T>
typename X::V load_part(const T* p, int k) { return k == X::W ? X::load(p) : X::load_n(p, k); }

template <class X, class T>
void store_part(T* p, typename X::V a, int k) {
  if (k == X::W) X::store(p, a);
  else X::store_n(p, a, k);
}

template <class T>
struct Positions {
  static constexpr T values[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
};

// a in the first k elements, b in the others.
template <class X, class T>
typename X::V first_or(typename X::V a, typename X::V b, int k) {
  return X::select(X::lt(X::load(Positions<T>::values), X::set1(static_cast<T>(k))), a, b);
}

// The first element of a vector.
template <class X, class T>
T first_element(typename X::V a) {
  T elements[X::W];
  X::store(elements, a);
  return elements[0];
}

// Folds the elements of a vector, whose number is `width` at first: element j takes j + width/2, and so on.
template <class X, class T, int width = X::W, class Combine>
T fold_elements(typename X::V a, const Combine& combine) {
  if constexpr (width == 1) return first_element<X, T>(a);
  else return fold_elements<X, T, width / 2>(combine(a, X::template down<width / 2>(a)), combine);
}

// ---- one sequence

// Folds the 16 lanes of a sequence, which lie side by side in vectors: lane j takes lane j + half, first between the
// vectors, then inside the one that is left.
template <class Op, class T, int kVectors>
T fold_vectors(typename Words<T>::V (&lane)[kVectors]) {
  using X = Words<T>;
  for (int half = kVectors / 2; half > 0; half /= 2) {
    for (int v = 0; v < half; v++) lane[v] = Op::template combine<X>(lane[v], lane[v + half]);
  }
  return fold_elements<X, T>(lane[0], [](typename X::V a, typename X::V b) { return Op::template combine<X>(a, b); });
}

// Whether a source also gives elements i … i+4W−1 as four vectors (several.h), by `four(i)`. Four vectors are the 16
// lanes, or the 16 lanes several times.
template <class Source, class = void>
constexpr bool kGivesFour = false;
template <class Source>
constexpr bool kGivesFour<Source, std::void_t<decltype(std::declval<const Source&>().four(int64_t{}))>> = true;

// A source without its first elements.
template <class Source>
struct Behind {
  const Source& source;
  int64_t first;
  auto operator()(int64_t i, int k) const { return source(first + i, k); }
};
template <class Source>
struct BehindFour : Behind<Source> {
  auto four(int64_t i) const { return this->source.four(this->first + i); }
};

template <class Source>
auto behind(const Source& source, int64_t first) {
  if constexpr (kGivesFour<Source>) return BehindFour<Source>{{source, first}};
  else return Behind<Source>{source, first};
}

// Folds n ≤ 4096 numbers. `source(i, k)` gives elements i … i+k−1 in the first k ≤ W elements of a vector.
template <class Op, class T, class Source>
T fold_block(int n, const Source& source) {
  using X = Words<T>;
  using V = typename X::V;
  constexpr int W = X::W, kVectors = kLanes / W;
  const V identity = X::set1(Op::template identity<T>());
  V lane[kVectors];
  for (int v = 0; v < kVectors; v++) lane[v] = identity;
  int i = 0;
  if constexpr (kGivesFour<Source>) {
    for (; i + 4 * W <= n; i += 4 * W) {
      const auto x = source.four(i);
      lane[0] = Op::template combine<X>(lane[0], x.a.a);
      lane[1 % kVectors] = Op::template combine<X>(lane[1 % kVectors], x.a.b);
      lane[2 % kVectors] = Op::template combine<X>(lane[2 % kVectors], x.b.a);
      lane[3 % kVectors] = Op::template combine<X>(lane[3 % kVectors], x.b.b);
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    for (int v = 0; v < kVectors; v++) lane[v] = Op::template combine<X>(lane[v], source(i + v * W, W));
  }
  for (int v = 0; v < kVectors; v++, i += W) {
    if (i + W <= n) {
      lane[v] = Op::template combine<X>(lane[v], source(i, W));
    } else if (i < n) {
      lane[v] = Op::template combine<X>(lane[v], first_or<X, T>(source(i, n - i), identity, n - i));
    }
  }
  return fold_vectors<Op, T>(lane);
}

// Folds four whole blocks, numbers 0 … 4·4096 − 1 of a source, at a time: memory is read in four places at once, which
// the prefetching of a processor likes better than one (AMD Zen 3, from memory: 25 GB/s instead of 15).
template <class Op, class T, class Source>
void fold_four_blocks(const Source& source, T* results) {
  using X = Words<T>;
  constexpr int W = X::W, kVectors = kLanes / W, kBlocks = 4;
  typename X::V lane[kBlocks][kVectors];
  for (auto& lanes : lane) {
    for (auto& vector : lanes) vector = X::set1(Op::template identity<T>());
  }
  for (int i = 0; i < kBlock; i += kLanes) {
    for (int b = 0; b < kBlocks; b++) {
      for (int v = 0; v < kVectors; v++) {
        lane[b][v] = Op::template combine<X>(lane[b][v], source(b * kBlock + i + v * W, W));
      }
    }
  }
  for (int b = 0; b < kBlocks; b++) results[b] = fold_vectors<Op, T>(lane[b]);
}

// Whether blocks can be folded four at a time, by `four(first, results)`.
template <class Block, class T, class = void>
constexpr bool kFoldsFour = false;
template <class Block, class T>
constexpr bool
    kFoldsFour<Block, T,
               std::void_t<decltype(std::declval<const Block&>().four(int64_t{}, std::declval<T*>()))>> = true;

// The numbers at x, as they are.
template <class T>
struct Contiguous {
  const T* x;
  typename Words<T>::V operator()(int64_t i, int k) const { return load_part<Words<T>>(x + i, k); }
};

template <class Op, class T>
struct ContiguousBlock {
  const T* x;
  T operator()(int64_t first, int n) const { return fold_block<Op, T>(n, Contiguous<T>{x + first}); }
  void four(int64_t first, T* results) const { fold_four_blocks<Op, T>(Contiguous<T>{x + first}, results); }
};

// Folds n numbers, block by block on several threads. `block(first, count)` folds numbers first …
// first+count−1; a block may also have `four`.
template <class Op, class T, class Block>
T fold_blocks(int64_t n, const Block& block) {
  if (n <= kBlock) return block(0, static_cast<int>(n));
  const int64_t blocks = ceil_div(n, kBlock);
  const std::unique_ptr<T[]> results(new T[blocks]);
  parallel_for(blocks, kBlockGrain, [&](int64_t begin, int64_t end) {
    int64_t b = begin;
    if constexpr (kFoldsFour<Block, T>) {
      for (; b + 4 <= end && (b + 4) * kBlock <= n; b += 4) block.four(b * kBlock, &results[b]);
    }
    for (; b < end; b++) {
      const int64_t first = b * kBlock;
      results[b] = block(first, static_cast<int>(n - first < kBlock ? n - first : kBlock));
    }
  });
  return fold_blocks<Op, T>(blocks, ContiguousBlock<Op, T>{results.get()});
}

// Folds the n numbers of a source.
template <class Op, class T, class Source>
T fold(int64_t n, const Source& source) {
  return fold_blocks<Op, T>(n, [&](int64_t first, int count) {
    return fold_block<Op, T>(count, behind(source, first));
  });
}

// ---- neighbouring sequences

// Columns folded at once: 16 lanes of 1 KiB stay in half of a 32 KiB first-level cache.
template <class T>
constexpr int kStrip = 1024 / sizeof(T);

// Columns of a strip, of which there should be `wanted` or more: whole cache lines, at most kStrip.
template <class T>
int64_t strip_width(int64_t columns, int64_t wanted) {
  const int64_t share = ((columns + wanted - 1) / wanted + kLanes - 1) / kLanes * kLanes;
  return share < kStrip<T> ? share : kStrip<T>;
}

// Folds lanes j, j + step, j + 2·step, … of the 16 in the order of the tree: lane j with j + 8, then with j + 4 (and what
// that has folded), with j + 2 and with j + 1. lane(j) gives the first `used` of them; the others hold the identity, which
// changes nothing.
template <class Op, class X, int j = 0, int step = 1, class Lane>
THALWEG_INLINE typename X::V fold_tree(int used, const Lane& lane) {
  if constexpr (step == kLanes) {
    return lane(j);
  } else {
    const auto own = fold_tree<Op, X, j, 2 * step>(used, lane);
    if (j + step >= used) return own;
    return Op::template combine<X>(own, fold_tree<Op, X, j + step, 2 * step>(used, lane));
  }
}

// Folds n ≤ 16 rows of width ≤ kStrip columns into out[0 … width): each number is a lane of its own, and none leaves the
// registers.
template <class Op, class T, class Rows>
void fold_few_rows(int n, int width, const Rows& rows, T* out) {
  using X = Words<T>;
  using Row = decltype(rows(int64_t{0}));
  struct Lane {
    const std::optional<Row>* row;
    int64_t c;
    int k;
    THALWEG_INLINE typename X::V operator()(int j) const {
      return Op::template combine<X>(X::set1(Op::template identity<T>()), (*row[j])(c, k));
    }
  };
  std::optional<Row> row[kLanes];
  for (int r = 0; r < n; r++) row[r].emplace(rows(r));
  int c = 0;
  for (; c + X::W <= width; c += X::W) X::store(out + c, fold_tree<Op, X>(n, Lane{row, c, X::W}));
  if (c < width) X::store_n(out + c, fold_tree<Op, X>(n, Lane{row, c, width - c}), width - c);
}

// Folds n ≤ 4096 rows of width ≤ kStrip columns into out[0 … width). `rows(r)` gives the source of row r.
template <class Op, class T, class Rows>
void fold_columns_block(int n, int width, const Rows& rows, T* out) {
  using X = Words<T>;
  using V = typename X::V;
  constexpr int W = X::W;
  // Not where numbers come one by one: there the compiler makes vectors of the loops below.
  if constexpr (W > 1) {
    if (n > 0 && n <= kLanes) return fold_few_rows<Op, T>(n, width, rows, out);
  }
  alignas(64) T lane[kLanes][kStrip<T>];
  int used = n < kLanes ? n : kLanes;
  for (int j = 0; j < used || j == 0; j++) {
    for (int c = 0; c < width; c++) lane[j][c] = Op::template identity<T>();
  }
  for (int r = 0; r < n; r++) {
    T* const acc = lane[r % kLanes];
    const auto& row = rows(r);
    int c = 0;
    for (; c + W <= width; c += W) X::store(acc + c, Op::template combine<X>(X::load(acc + c), row(c, W)));
    if (c < width) {
      const V sum = Op::template combine<X>(X::load_n(acc + c, width - c), row(c, width - c));
      X::store_n(acc + c, sum, width - c);
    }
  }
  // The tree. Lanes beyond `used` hold the identity, which changes nothing.
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int j = 0; j + half < used; j++) {
      T *const to = lane[j], *const from = lane[j + half];
      for (int c = 0; c < width; c++) to[c] = Op::template combine<One<T>>(to[c], from[c]);
    }
    if (used > half) used = half;
  }
  std::memcpy(out, lane[0], width * sizeof(T));
}

// The rows of a row-major matrix.
template <class T>
struct ContiguousRows {
  const T* x;
  int64_t width;
  Contiguous<T> operator()(int64_t r) const { return {x + r * width}; }
};

// Folds n rows of width ≤ kStrip columns into out[0 … width).
template <class Op, class T, class Rows>
void fold_columns(int64_t n, int width, const Rows& rows, T* out) {
  if (n <= kBlock) return fold_columns_block<Op, T>(static_cast<int>(n), width, rows, out);
  const int64_t blocks = ceil_div(n, kBlock);
  const std::unique_ptr<T[]> results(new T[blocks * width]);
  parallel_for(blocks, 1 + kBlockGrain / width, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const int64_t first = b * kBlock;
      const int count = static_cast<int>(n - first < kBlock ? n - first : kBlock);
      const auto block_rows = [&](int64_t r) { return rows(first + r); };
      fold_columns_block<Op, T>(count, width, block_rows, &results[b * width]);
    }
  });
  fold_columns<Op, T>(blocks, width, ContiguousRows<T>{results.get(), width}, out);
}
