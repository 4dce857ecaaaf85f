// Conversion of one number to another element type, as docs/kernels.md says: float to integer truncates and
// saturates (NaN gives 0), integer to narrower integer wraps, everything else rounds to nearest.
#pragma once

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_integral<To>::value && std::is_floating_point<From>::value) {
    if constexpr (sizeof(To) < sizeof(int64_t)) {
      // The limits are doubles, so clamping first leaves only conversions that are in range.
      constexpr double low = std::numeric_limits<To>::min(), high = std::numeric_limits<To>::max();
      double y = static_cast<double>(x);
      y = y < low ? low : y;
      y = y > high ? high : y;
      return static_cast<To>(static_cast<int32_t>(y == y ? y : 0));
    } else {
      constexpr From limit = static_cast<From>(9223372036854775808.0);
      if (x >= limit) return std::numeric_limits<To>::max();
      if (x < -limit) return std::numeric_limits<To>::min();
      return x == x ? static_cast<To>(x) : To{0};
    }
  } else {
    return static_cast<To>(x);
  }
}
