// Random numbers y[S] from Philox4x32-10 blocks: the element of row-major number i depends on the seed, the
// offset and i alone, never on the order in which elements are computed. The bits are those of the TypeScript
// executor.
#pragma once

#include "convert.h"
#include "elementwise.h"
#include "exact_math.h"
#include "philox.h"

// Elements that are worth a thread of their own.
constexpr int64_t kRandomGrain = 8192;

// y = the elements of a source: source(words, y) makes those of kPhiloxBlocks blocks, `per_block` each.
template <class T, int per_block, class Source>
Status from_stream(const Args& args, Source source) {
  constexpr int64_t batch = kPhiloxBlocks * per_block;
  const PhiloxStream stream(args.scalars);
  DimsReader dims(args);
  const Axes<1> axes(dims, false);
  const Tiling<1> tiling(axes);
  if (tiling.tiles == 0) return {};
  // Elements first … first + n of the row-major order.
  const auto generate = [&](int64_t first, int64_t n, T* y) {
    PhiloxWords words;
    T values[batch];
    while (n > 0) {
      const int64_t skipped = first % batch, left = batch - skipped, used = n < left ? n : left;
      stream.blocks(static_cast<uint64_t>(first / batch * kPhiloxBlocks), words);
      source(words, values);
      std::memcpy(y, values + skipped, static_cast<size_t>(used) * sizeof(T));
      first += used, n -= used, y += used;
    }
  };
  const int64_t width = axes.sizes[axes.rank - 1], elements = tiling.rows * tiling.columns;
  parallel_for(tiling.tiles, (kRandomGrain + elements - 1) / elements, [&](int64_t begin, int64_t end) {
    Run<T> run(args.out<T>(0), tiling.strides(0));
    for (int64_t t = begin; t < end; t++) {
      const Tile<1> tile(tiling, t);
      if (tiling.direct) {
        for (int64_t r = 0; r < tile.rows; r++) {
          generate(tile.first + r * width, tile.columns, args.out<T>(0) + tile.at(0, r));
        }
        continue;
      }
      T* const y = run.write(tile.offsets[0], tile.rows, tile.columns);
      if (tile.columns == width) {
        generate(tile.first, tile.count(), y);
      } else {
        for (int64_t r = 0; r < tile.rows; r++) {
          generate(tile.first + r * width, tile.columns, y + r * tile.columns);
        }
      }
      run.written(tile.offsets[0], tile.rows, tile.columns);
    }
  });
  return {};
}

// (word >> 8)·2⁻²⁴, in [0, 1)
inline double fraction24(uint32_t word) { return static_cast<int32_t>(word >> 8) * 0x1p-24; }

// ((hi >> 5)·2²⁶ + (lo >> 6) + more)·2⁻⁵³, exact
inline double fraction53(uint32_t hi, uint32_t lo, double more) {
  return (static_cast<int32_t>(hi >> 5) * 0x1p26 + static_cast<int32_t>(lo >> 6) + more) * 0x1p-53;
}

// low + (high − low)·u, u of 24 bits for float32 and 53 for float64, computed in float64 and rounded. Where
// that gives `high`, the largest number below it.
template <class T>
Status philox_uniform_kernel(const Args& args) {
  constexpr int per_block = std::is_same<T, float>::value ? 4 : 2;
  const double low = args.scalars[4], high = args.scalars[5], range = high - low;
  const T below = std::nextafter(static_cast<T>(high), -std::numeric_limits<T>::infinity());
  const double limit = low < high ? high : std::numeric_limits<double>::quiet_NaN();
  return from_stream<T, per_block>(args, [=](const PhiloxWords& words, T* y) {
    for (int j = 0; j < kPhiloxBlocks; j++) {
      for (int w = 0; w < per_block; w++) {
        double u;
        if constexpr (per_block == 4) u = fraction24(words[w][j]);
        else u = fraction53(words[2 * w][j], words[2 * w + 1][j], 0);
        const T value = static_cast<T>(low + range * u);
        y[j * per_block + w] = static_cast<double>(value) >= limit ? below : value;
      }
    }
  });
}

// Box and Muller's transform of a block: r = √(−2 ln u₁); even elements r·cos 2πu₂, odd ones r·sin 2πu₂; then
// mean + std·z. In float64, rounded at the end.
template <class T>
Status philox_normal_kernel(const Args& args) {
  using N = Vec<double>;
  const double mean = args.scalars[4], deviation = args.scalars[5];
  return from_stream<T, 2>(args, [=](const PhiloxWords& words, T* y) {
    double u1[kPhiloxBlocks], u2[kPhiloxBlocks];
    for (int j = 0; j < kPhiloxBlocks; j++) {
      u1[j] = fraction53(words[0][j], words[1][j], 1);
      u2[j] = fraction53(words[2][j], words[3][j], 0);
    }
    for (int j = 0; j < kPhiloxBlocks; j += N::W) {
      const typename N::V r = N::sqrt(N::mul(N::set1(-2), ExactMath::ln(N::load(u1 + j))));
      const ExactMath::Circle circle = ExactMath::two_pi(N::load(u2 + j));
      const auto scaled = [=](typename N::V z) {
        return N::add(N::set1(mean), N::mul(N::set1(deviation), N::mul(r, z)));
      };
      N::store(u1 + j, scaled(circle.cos));
      N::store(u2 + j, scaled(circle.sin));
    }
    for (int j = 0; j < kPhiloxBlocks; j++) {
      y[2 * j] = static_cast<T>(u1[j]);
      y[2 * j + 1] = static_cast<T>(u2[j]);
    }
  });
}

// 0 where u < p, u of 24 bits, else 1/(1−p).
template <class T>
Status dropout_mask_kernel(const Args& args) {
  const double p = static_cast<double>(static_cast<T>(args.scalars[4]));
  const T kept = static_cast<T>(1 / (1 - args.scalars[4]));
  return from_stream<T, 4>(args, [=](const PhiloxWords& words, T* y) {
    for (int j = 0; j < kPhiloxBlocks; j++) {
      for (int w = 0; w < 4; w++) y[4 * j + w] = fraction24(words[w][j]) < p ? T{0} : kept;
    }
  });
}
