// Copies and conversions. y may be the very same view as x where the types are the same.
#pragma once

#include "convert.h"
#include "elementwise.h"

// y = x converted to T. NaN stays NaN in a float and gives 0 in an integer.
template <class T, class From>
Status cast(const Args& args) {
  return map_elements<T, From>(args, kCheap, [](From x) { return convert<T>(x); });
}

template <class T>
Status cast_from_f32_kernel(const Args& args) { return cast<T, float>(args); }
template <class T>
Status cast_from_f64_kernel(const Args& args) { return cast<T, double>(args); }
template <class T>
Status cast_from_i32_kernel(const Args& args) { return cast<T, int32_t>(args); }
template <class T>
Status cast_from_u8_kernel(const Args& args) { return cast<T, uint8_t>(args); }
template <class T>
Status cast_from_i64_kernel(const Args& args) { return cast<T, int64_t>(args); }

// 1 where x ≠ 0 (NaN too), else 0.
THALWEG_TEST1(to_bool, x != 0)

// y = value
template <class T>
struct fill_op : Elementwise<By::Elements, T> {
  static constexpr int64_t grain = kCheap;
  T value;
  explicit fill_op(const double* scalars) : value(convert<T>(scalars[0])) {}
  T operator()() const { return value; }
};
