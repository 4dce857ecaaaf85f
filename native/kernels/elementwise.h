// The loops of elementwise kernels. A kernel gives the function of its elements; where they stand, how they
// are cut and on which thread they run is settled here and in tiles.h.
#pragma once

#include "integers.h"
#include "tiles.h"

// The elements of iteration i depend on no other iteration, even where the output is the very same view as an
// input.
#if defined(__clang__)
#define THALWEG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define THALWEG_INDEPENDENT _Pragma("GCC ivdep")
#else
#define THALWEG_INDEPENDENT __pragma(loop(ivdep))
#endif

// Elements that are worth a thread of their own: some 10 µs of work, for arithmetic, for functions of a dozen
// or more operations, and for calls of the C library.
constexpr int64_t kCheap = 32768, kDear = 8192, kLibrary = 1024;
template <class T>
constexpr int64_t kFunction = std::is_same<T, float>::value ? kDear : kLibrary;

template <class T>
using V = typename Vec<T>::V;

// Outputs from this size on are stored past the caches, which saves reading their lines first. It is the
// last-level cache of an AMD EPYC with Zen 4, where an addition of 160 MB gains a third.
constexpr int64_t kStreamBytes = int64_t{1} << 25;

template <class Out, class... In, class Loop, class Streaming, int... i>
Status run_tiles(const Args& args, int64_t grain, Loop loop, Streaming streaming,
                 std::integer_sequence<int, i...>) {
  constexpr int inputs = sizeof...(In);
  DimsReader dims(args);
  const Axes<inputs + 1> axes(dims, true);
  const Tiling<inputs + 1> tiling(axes);
  if (tiling.tiles == 0) return {};
  const int64_t elements = tiling.rows * tiling.columns;
  const bool is_large = axes.count() * static_cast<int64_t>(sizeof(Out)) >= kStreamBytes;
  parallel_for(tiling.tiles, (grain + elements - 1) / elements, [&](int64_t begin, int64_t end) {
    if (tiling.direct) {
      for (int64_t t = begin; t < end; t++) {
        const Tile<inputs + 1> tile(tiling, t);
        for (int64_t r = 0; r < tile.rows; r++) {
          Out* const to = args.out<Out>(inputs) + tile.at(inputs, r);
          if (is_large) streaming(tile.columns, to, args.in<In>(i) + tile.at(i, r)...);
          else loop(tile.columns, to, args.in<In>(i) + tile.at(i, r)...);
        }
      }
      return;
    }
    Run<Out> out(args.out<Out>(inputs), tiling.strides(inputs));
    std::tuple<Run<In>...> in{Run<In>(args.out<In>(i), tiling.strides(i))...};
    for (int64_t t = begin; t < end; t++) {
      const Tile<inputs + 1> tile(tiling, t);
      Out* const to = out.write(tile.offsets[inputs], tile.rows, tile.columns);
      loop(tile.count(), to, std::get<i>(in).read(tile.offsets[i], tile.rows, tile.columns)...);
      out.written(tile.offsets[inputs], tile.rows, tile.columns);
    }
    (void)in;
  });
  return {};
}

// Calls loop(n, out, in...) over contiguous runs that cover every element of the group S once. The operands
// are the inputs and then the output. `streaming` takes the place of `loop` where the output is large and stands
// in long rows.
template <class Out, class... In, class Loop, class Streaming>
Status elementwise(const Args& args, int64_t grain, Loop loop, Streaming streaming) {
  return run_tiles<Out, In...>(args, grain, loop, streaming,
                               std::make_integer_sequence<int, sizeof...(In)>());
}
template <class Out, class... In, class Loop>
Status elementwise(const Args& args, int64_t grain, Loop loop) {
  return elementwise<Out, In...>(args, grain, loop, loop);
}

// y = f(x…) in vectors of T; operands and results are all of type T.
template <class T, class... Same, class F>
Status map_vectors(const Args& args, int64_t grain, F f) {
  using N = Vec<T>;
  const auto loop = [f](int64_t n, T* y, const Same*... x) {
    int64_t i = 0;
    THALWEG_INDEPENDENT
    for (; i <= n - N::W; i += N::W) N::store(y + i, f(N::load(x + i)...));
    if constexpr (N::W > 1) {
      const int rest = static_cast<int>(n - i);
      if (rest > 0) N::store_n(y + i, f(N::load_n(x + i, rest)...), rest);
    }
  };
  if constexpr (N::W == 1) {
    return elementwise<T, Same...>(args, grain, loop);
  } else {
    const auto streaming = [f, loop](int64_t n, T* y, const Same*... x) {
      constexpr int64_t kBytes = N::W * sizeof(T);
      // In place, the lines are in the cache already.
      if (((y == x) || ...)) return loop(n, y, x...);
      const int64_t past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(y) % kBytes);
      int64_t i = (kBytes - past) % kBytes / static_cast<int64_t>(sizeof(T));
      if (i > n) i = n;
      loop(i, y, x...);
      for (; i <= n - N::W; i += N::W) N::stream(y + i, f(N::load(x + i)...));
      N::fence();
      loop(n - i, y + i, (x + i)...);
    };
    return elementwise<T, Same...>(args, grain, loop, streaming);
  }
}

template <class T, class F>
Status map(const Args& args, int64_t grain, F f) {
  return map_vectors<T, T>(args, grain, f);
}
template <class T, class F>
Status map2(const Args& args, int64_t grain, F f) {
  return map_vectors<T, T, T>(args, grain, f);
}

// y = f(x) for floats, with f in vectors of double: rounded once.
template <class F>
Status map_widened(const Args& args, int64_t grain, F f) {
  using N = Vec<double>;
  return elementwise<float, float>(args, grain, [f](int64_t n, float* y, const float* x) {
    int64_t i = 0;
    for (; i <= n - N::W; i += N::W) N::store_f32(y + i, f(N::load_f32(x + i)));
    if (i == n) return;
    float rest[N::W] = {};
    std::memcpy(rest, x + i, static_cast<size_t>(n - i) * sizeof(float));
    N::store_f32(rest, f(N::load_f32(rest)));
    std::memcpy(y + i, rest, static_cast<size_t>(n - i) * sizeof(float));
  });
}

// y = f(x…) one element at a time, types as given; the compiler vectorizes what it can.
template <class Out, class... In, class F>
Status map_elements(const Args& args, int64_t grain, F f) {
  return elementwise<Out, In...>(args, grain, [f](int64_t n, Out* y, const In*... x) {
    THALWEG_INDEPENDENT
    for (int64_t i = 0; i < n; i++) y[i] = f(x[i]...);
  });
}
