// Transcendental functions of doubles: the C library, one number at a time, so that every level gives its
// bits.
#pragma once

#include "math_f32.h"

// Calls a C function on each lane.
template <class F>
typename Vec<double>::V each_lane(typename Vec<double>::V x, F f) {
  using N = Vec<double>;
  double lanes[N::W];
  N::store(lanes, x);
  for (double& lane : lanes) lane = f(lane);
  return N::load(lanes);
}

template <>
struct Math<double> {
  using V = typename Vec<double>::V;

  static V exp(V x) { return each_lane(x, [](double a) { return std::exp(a); }); }
  static V expm1(V x) { return each_lane(x, [](double a) { return std::expm1(a); }); }
  static V log(V x) { return each_lane(x, [](double a) { return std::log(a); }); }
  static V log1p(V x) { return each_lane(x, [](double a) { return std::log1p(a); }); }
  static V sin(V x) { return each_lane(x, [](double a) { return std::sin(a); }); }
  static V cos(V x) { return each_lane(x, [](double a) { return std::cos(a); }); }
  static V tan(V x) { return each_lane(x, [](double a) { return std::tan(a); }); }
  static V tanh(V x) { return each_lane(x, [](double a) { return std::tanh(a); }); }
  static V erf(V x) { return each_lane(x, [](double a) { return std::erf(a); }); }

  // 1/(1 + exp(−x)), with no overflow on either side.
  static V sigmoid(V x) {
    return each_lane(x, [](double a) {
      const double e = std::exp(-std::fabs(a));
      return (a < 0 ? e : 1) / (1 + e);
    });
  }

  // x/(1 + exp(−x)); −∞ gives −0.
  static V silu(V x) {
    return each_lane(x, [](double a) {
      if (a > -700) return a / (1 + std::exp(-a));
      if (a < -800) return -0.0;
      // exp(−x) would overflow and exp(x) be subnormal: the square root of exp(x) is neither.
      const double root = std::exp(0.5 * a);
      return a * root * root;
    });
  }

  // log(1 + exp(x))
  static V softplus(V x) {
    return each_lane(x, [](double a) {
      const double tail = std::log1p(std::exp(-std::fabs(a)));
      return a > 0 ? a + tail : tail;
    });
  }

  // ½·x·erfc(z), z = −x/√2; −∞ gives −0. The rounding error of z, which the tail multiplies by 2z², is taken
  // off again. Below −37.5, where erfc is subnormal, the result is off by up to 20 of the smallest subnormal
  // number.
  static V gelu(V x) {
    return each_lane(x, [](double a) {
      if (a < -40) return -0.0;
      constexpr double root_half = 0.70710678118654752440, root_half_rest = -4.8336466567264567e-17;
      const double z = -a * root_half, y = 0.5 * a * std::erfc(z);
      if (!(z > 1)) return y;
      const double error = std::fma(-a, root_half, -z) - a * root_half_rest;
      return y - y * (2 * z * error);
    });
  }
};
