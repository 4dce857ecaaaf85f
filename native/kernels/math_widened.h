// Functions of floats that are easy in float64 and hard in float32: the argument is widened, the result
// rounded once. Relative errors before rounding are below 2⁻²⁹, so results are within 0.51 ULP.
#pragma once

#include "math_f32.h"

struct Widened {
  using N = Vec<double>;
  using V = N::V;
  using M = N::M;

  static V sin(V x) {
    const Octant o = reduce(x);
    const V y = N::select(o.odd, o.cos, o.sin);
    return huge(x, N::select(o.sin_negative, N::neg(y), y), [](double a) { return std::sin(a); });
  }

  static V cos(V x) {
    const Octant o = reduce(x);
    const V y = N::select(o.odd, o.sin, o.cos);
    return huge(x, N::select(o.cos_negative, N::neg(y), y), [](double a) { return std::cos(a); });
  }

  static V tan(V x) {
    const Octant o = reduce(x);
    const V y = N::div(N::select(o.odd, N::neg(o.cos), o.sin), N::select(o.odd, o.sin, o.cos));
    return huge(x, y, [](double a) { return std::tan(a); });
  }

  // x·Φ(x) with Φ(−t) = exp(−t²/2)·R(t) and Φ(t) = 1 − Φ(−t). The ratio R is a polynomial in (t − 4)/(t + 4),
  // made for t up to 14.6, where a float32 x·Φ(x) is 0.
  static V gelu(V x) {
    const V t = N::min(N::set1(14.6), N::abs(x)), four = N::set1(4);
    const V z = N::div(N::sub(t, four), N::add(t, four));
    const V ratio = polynomial<double>(z, 0.094410641306990228, -0.17039772199036918, 0.124379255312438,
                                       -0.071707386958366301, 0.030864799926402082, -0.0084923604636760047,
                                       0.00050754824986333079, 0.0006402735378974293, -0.00018657263452900654,
                                       -4.9186090196165085e-05, 2.5692327177532311e-05,
                                       7.7463129249817643e-06);
    const V tail = N::mul(exp(N::mul(N::mul(t, t), N::set1(-0.5))), ratio);
    const V phi = N::select(N::lt(x, N::zero()), tail, N::sub(N::set1(1), tail));
    const V y = N::mul(N::max(N::set1(-14.6), x), phi);
    return N::select(N::lt(x, N::set1(14.6)), y, x);
  }

 private:
  struct Octant {
    V sin, cos;  // of the rest r = x − n·π/2
    M odd, sin_negative, cos_negative;
  };

  // For |x| up to 2⁴⁰, with π/2 in two parts. n = −0 becomes 0, so that r = −0 where x is.
  static Octant reduce(V x) {
    const V n = N::add(N::round(N::mul(x, N::set1(0.63661977236758134308))), N::zero());
    const V r = N::fma(n, N::set1(-6.123233995736766036e-17), N::fma(n, N::set1(-1.5707963267948966192), x));
    const V quarter = N::set1(0.25), two = N::set1(2), s = N::mul(r, r);
    const V quadrant = N::sub(n, N::mul(N::floor(N::mul(n, quarter)), N::set1(4)));
    const V sine = polynomial<double>(s, -0.16666666646019368, 0.008333329756696841, -0.00019839428736192821,
                                      2.7190493812684862e-06);
    const V cosine = polynomial<double>(s, -0.5, 0.041666666638039737, -0.0013888884829365295,
                                        2.4799761209375214e-05, -2.7227581499099992e-07);
    const V one = N::set1(1), three = N::set1(3);
    const M is1 = N::eq(quadrant, one), is3 = N::eq(quadrant, three);
    return {N::mul(r, N::fma(s, sine, one)), N::fma(s, cosine, one), N::or_(is1, is3), N::le(two, quadrant),
            N::or_(is1, N::eq(quadrant, two))};
  }

  // Arguments that `reduce` cannot take are rare: the C library's function, one at a time.
  template <class F>
  static V huge(V x, V y, F f) {
    const M large = N::lt(N::set1(1099511627776.0), N::abs(x));
    return N::any(large) ? N::select(large, each_lane(x, f), y) : y;
  }

  // eˣ for −120 < x ≤ 0.
  static V exp(V x) {
    const V n = N::round(N::mul(x, N::set1(1.44269504088896340736)));
    const V r = N::fma(n, N::set1(-0.69314718055994530942), x);
    const V q = polynomial<double>(r, 0.50000000640961884, 0.16666665898370628, 0.041666303490351386,
                                   0.008333492308921114, 0.0013944194779525632, 0.00019792280318150761);
    return N::ldexp(N::add(N::set1(1), N::fma(N::mul(r, r), q, r)), n);
  }
};
