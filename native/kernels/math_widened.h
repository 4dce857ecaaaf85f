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
    const V sine = polynomial<N>(s, -0.16666666646019368, 0.008333329756696841, -0.00019839428736192821,
                                      2.7190493812684862e-06);
    const V cosine = polynomial<N>(s, -0.5, 0.041666666638039737, -0.0013888884829365295,
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
};
