// argmax and argmin: T[OR] -> i32[O], the position (row-major over R) of the first extremum, or of the first
// NaN. First the extrema, by the reduction that `max` and `min` are; then the first number that equals each
// one.
#pragma once

// Whether x is where the extremum is: a sequence with a NaN has NaN as its extremum, which equals nothing, so
// that its first NaN is what is found.
template <class T>
bool is_extremum(T x, T extremum) { return x == extremum || x != x; }

// Position of the first extremum among the n numbers of one sequence; 0 if there is none.
template <class T>
int64_t find_along(const T* x, const Walk<1>& r, T extremum) {
  T scratch[kBlock];
  for (int64_t first = 0; first < r.count; first += kBlock) {
    const int n = static_cast<int>(r.count - first < kBlock ? r.count - first : kBlock);
    const T* block = x + first;
    if (!r.contiguous(0)) {
      r.copy(x, 0, first, n, scratch);
      block = scratch;
    }
    for (int i = 0; i < n; i++) {
      if (is_extremum(block[i], extremum)) return first + i;
    }
  }
  return 0;
}

// The same for `width` neighbouring sequences, row by row from the last to the first.
template <class T>
void find_across(const T* x, const Walk<1>& r, const T* extrema, int width, int32_t* positions) {
  for (int c = 0; c < width; c++) positions[c] = 0;
  for (int64_t i = r.count - 1; i >= 0; i--) {
    const T* const row = x + r.offset(0, i);
    const int32_t position = static_cast<int32_t>(i);
    for (int c = 0; c < width; c++) positions[c] = is_extremum(row[c], extrema[c]) ? position : positions[c];
  }
}

template <class T, class Op>
Status arg_reduce(const Args& args) {
  const ReduceArgs<T, int32_t> a(args);
  const Walk<2> o(a.o, {a.x_o, a.out_o});
  const Walk<1> r(a.r, {a.x_r});
  if (o.count == 0) return {};

  // The extrema, contiguous in the order of O: strides of a row-major array of O's shape.
  const std::unique_ptr<T[]> extrema(new T[o.count]);
  int64_t strides[kMaxRank];
  int64_t stride = 1;
  for (int i = a.o.rank - 1; i >= 0; stride *= a.o.sizes[i--]) strides[i] = stride;
  const Reduction<T, 1, 0, 1> reduction(a.o, {a.x_o, strides}, a.r, {a.x_r}, {a.x}, nullptr, {extrema.get()});
  reduction.run(FoldPass<Op, T>{});

  // Outputs found at once: neighbours along the inner axis where they lie across, else one.
  const int64_t columns = reduction.lies_across() ? o.inner() : 1;
  const int64_t strip = columns < kStrip<T> ? columns : kStrip<T>, strips = ceil_div(columns, strip);
  const int64_t grain = 1 + kBlock * kBlockGrain / ((r.count + kLanes) * strip);
  parallel_for(o.count / columns * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; u++) {
      const int64_t first = u % strips * strip, index = u / strips * columns + first;
      const T* const x = a.x + o.offset(0, index);
      int32_t* const out = a.out + o.offset(1, index);
      if (columns == 1) {
        *out = static_cast<int32_t>(find_along(x, r, extrema[index]));
        continue;
      }
      int32_t positions[kStrip<T>];
      const int width = static_cast<int>(columns - first < strip ? columns - first : strip);
      find_across(x, r, &extrema[index], width, positions);
      for (int c = 0; c < width; c++) out[c * o.inner_stride(1)] = positions[c];
    }
  });
  return {};
}

template <class T>
Status argmax_kernel(const Args& args) { return arg_reduce<T, Max>(args); }

template <class T>
Status argmin_kernel(const Args& args) { return arg_reduce<T, Min>(args); }
