// Transcendental functions of floats, eight or however many at a time: written once over the vector
// vocabulary, so that every level gives the same bits. Products and sums are fused (`fma`) where the text
// says so. unary.h states the errors; native/test/ulp_exhaustive.cc measures them.
//
// Math<T>::f maps a Vec<T>::V to another; Math<double> (math_f64.h) has the same functions. Those of floats are
// written in the words of N, which is Vec<float> or several of them (several.h).
#pragma once

#include "several.h"

template <class T>
struct Math;

// c₀ + c₁x + c₂x² + …, by Horner's rule with fma.
template <class N, class T>
typename N::V polynomial(typename N::V, T c) {
  return N::set1(c);
}
template <class N, class T, class... More>
typename N::V polynomial(typename N::V x, T c, More... more) {
  return N::fma(polynomial<N>(x, more...), x, N::set1(c));
}

// 1.5·2²³, to which an integer can be added so that it stands in the low bits; log₂ e; and ln 2 in two parts, the first
// short enough for n times it to be exact.
constexpr float kShifter = 12582912.0f, kLog2E = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

// (eʳ − 1 − r)/r² for |r| ≤ ½·ln 2.
template <class N>
THALWEG_INLINE typename N::V exp_tail(typename N::V r) {
  return polynomial<N>(r, 0.5f, 0.16666539f, 0.041666273f, 0.00836692657f, 0.00139469083f);
}

// eʳ − 1 for the same r.
template <class N>
THALWEG_INLINE typename N::V expm1_inside(typename N::V r) {
  return N::fma(N::mul(r, r), exp_tail<N>(r), r);
}

#include "math_gelu.h"

template <class N>
struct FloatMath {
  using V = typename N::V;
  using M = typename N::M;

  // Overflow and underflow are those of rounding.
  static THALWEG_INLINE V exp(V x) { return exp_within(N::abs(x), x); }

  // eˣ − 1 = 2ⁿ·p + (2ⁿ − 1)
  static THALWEG_INLINE V expm1(V x) {
    return N::select(tiny(x), x, expm1_reduced(reduce(clamp(x, -18.0f, 89.0f))));
  }

  // log x = e·ln 2 + log(1 + f), where x = 2ᵉ·(1 + f) and 1 + f is in [1/√2, √2]. −∞ at ±0, NaN below.
  static THALWEG_INLINE V log(V x) {
    const M subnormal = N::lt(x, N::set1(kSmallestNormal));
    const V scaled = N::select(subnormal, N::mul(x, N::set1(16777216.0f)), x);
    const Split s = split(scaled);
    const V e = N::sub(s.e, N::select(subnormal, N::set1(24), N::zero()));
    return log_ends(x, log_sum(N::sub(s.m, N::set1(1)), e));
  }

  // log(1 + x): the rounding error of u = 1 + x is put back into f.
  static THALWEG_INLINE V log1p(V x) {
    const V one = N::set1(1);
    const V u = N::add(one, x), from_x = N::sub(u, one);
    const V lost = N::add(N::sub(one, N::sub(u, from_x)), N::sub(x, from_x));
    const Split s = split(u);
    const V f = N::add(N::sub(s.m, one), N::ldexp(lost, N::neg(s.e)));
    return N::select(tiny(x), x, log_ends(u, log_sum(f, s.e)));
  }

  // x + x³·P(x²) up to 0.625; beyond, 1 − 2/(1 + exp(2|x|)), which rounds to 1 from 9.02 on.
  static THALWEG_INLINE V tanh(V x) {
    const V a = N::min(N::set1(9.1f), N::abs(x)), s = N::mul(x, x), one = N::set1(1);
    const V p = polynomial<N>(s, -0.333333313f, 0.133332208f, -0.0539480112f, 0.0217048246f,
                                  -0.00818252098f, 0.00214398815f);
    const V near = N::fma(N::mul(x, s), p, x);
    const V far = N::sub(one, N::div(N::set1(2), N::add(one, exp(N::add(a, a)))));
    return N::copysign(N::select(N::lt(a, N::set1(0.625f)), near, far), x);
  }

  // e − e·z where x < 0, else 1 − z, with e = exp(−|x|) and z = e/(1 + e): the rounding of 1 + e counts e times
  // less than it would in e/(1 + e).
  static THALWEG_INLINE V sigmoid(V x) {
    const V one = N::set1(1), a = N::abs(x), e = exp_within(a, N::neg(a));
    const V minus_z = N::div(e, N::sub(N::set1(-1), e)), y = N::select(N::lt(x, N::zero()), e, one);
    return N::fma(y, minus_z, y);
  }

  // −∞ gives −0.
  static THALWEG_INLINE V silu(V x) {
    const V y = times_sigmoid(N::max(N::set1(-120), x), x);
    return N::select(N::lt(x, N::set1(18)), N::copysign(y, x), x);
  }

  // log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|))
  static THALWEG_INLINE V softplus(V x) {
    const V tail = log1p(exp(N::neg(N::abs(x))));
    return N::add(N::max(N::zero(), x), tail);
  }

  // x + x·P(x²) up to 0.96; beyond, 1 − exp(−q(x)) with q(x) = −log erfc x; 1 from 3.93 on.
  static THALWEG_INLINE V erf(V x) {
    const V a = N::abs(x), s = N::mul(x, x);
    const V near = N::fma(x,
                          polynomial<N>(s, 0.128379166f, -0.376126319f, 0.112836532f, -0.0268571004f,
                                            0.00519551197f, -0.000808217155f, 8.1230166e-05f),
                          x);
    const V b = N::min(N::set1(3.98f), a);
    const V q = polynomial<N>(b, -0.000178163915f, 1.12952721f, 0.633333862f, 0.108276367f,
                                  -0.0250994898f, 0.00415238552f, -0.000426012644f, 1.91686267e-05f,
                                  1.77239102e-07f);
    const V far = N::sub(N::set1(1), exp(N::neg(q)));
    return N::copysign(N::select(N::lt(a, N::set1(0.96f)), near, far), x);
  }

  static THALWEG_INLINE V gelu(V x) { return Gelu<N>::gelu(x); }

 private:
  // Up to here exp needs no care for the ends of the range.
  static constexpr float kPlain = 86.5f;
  static constexpr float kSmallestNormal = 1.17549435e-38f;

  struct Reduced { V n, p; };
  struct Split { V e, m; };

  // NaN stays.
  static V clamp(V x, float low, float high) { return N::max(N::set1(low), N::min(N::set1(high), x)); }

  // Where x is 0 or so small that f(x) = x + O(x²) rounds to x.
  static M tiny(V x) { return N::lt(N::abs(x), N::set1(2.98023224e-08f)); }

  // x = n·ln 2 + r with integral n and |r| ≤ ½·ln 2. Adding 1.5·2²³ and taking it off again rounds to an integer.
  struct Rest { V n, r; };
  static THALWEG_INLINE Rest rest(V x) {
    const V shifter = N::set1(kShifter);
    const V n = N::sub(N::fma(x, N::set1(kLog2E), shifter), shifter);
    return {n, N::fma(n, N::set1(-kLn2Low), N::fma(n, N::set1(-kLn2High), x))};
  }

  // eˣ where a = |x|.
  static THALWEG_INLINE V exp_within(V a, V x) {
    if constexpr (N::kScalesInOne) return exp_ends(x);
    if (N::any(N::lt(N::set1(kPlain), a))) return exp_rare(x);
    return exp_plain(x);
  }

  // eˣ = 2ⁿ·eʳ for −104 ≤ x ≤ 89.
  static THALWEG_INLINE V exp_inside(V x) {
    const Rest e = rest(x);
    return N::scale(exp_rest(e.r), e.n);
  }

  static THALWEG_INLINE V exp_ends(V x) { return exp_inside(clamp(x, -104.0f, 89.0f)); }
  static THALWEG_RARE V exp_rare(V x) { return exp_ends(x); }

  // The same for |x| ≤ kPlain and NaN, where eˣ is normal.
  static THALWEG_INLINE V exp_plain(V x) {
    const Rest e = rest(x);
    return N::scale_normal(exp_rest(e.r), e.n);
  }

  static THALWEG_INLINE V exp_rest(V r) {
    const V one = N::set1(1), slope = N::fma(exp_tail<N>(r), r, one);
    return N::fma(slope, r, one);
  }

  static THALWEG_INLINE Reduced reduce(V x) {
    const Rest e = rest(x);
    return {e.n, expm1_inside<N>(e.r)};
  }

  // 2ⁿ⁻¹ is in range for every n up to 128.
  static THALWEG_INLINE V expm1_reduced(Reduced e) {
    const V half = N::scale(N::set1(0.5f), e.n);
    const V y = N::fma(half, e.p, N::sub(half, N::set1(0.5f)));
    return N::select(N::eq(e.n, N::zero()), e.p, N::add(y, y));
  }

  static THALWEG_INLINE Split split(V x) {
    const V m = N::mantissa(x), e = N::exponent(x);
    const M upper = N::lt(N::set1(1.41421356f), m);
    return {N::select(upper, N::add(e, N::set1(1)), e), N::select(upper, N::mul(m, N::set1(0.5f)), m)};
  }

  // log(1 + f) + e·ln 2 with log(1 + f) = f − f²/2 + f³·P(f).
  static THALWEG_INLINE V log_sum(V f, V e) {
    const V p = polynomial<N>(f, 0.333333164f, -0.25000006f, 0.200019568f, -0.166680187f, 0.142223984f,
                                  -0.124068707f, 0.118706532f, -0.116619036f, 0.0676621422f);
    const V s = N::mul(f, f);
    const V tail = N::fma(N::mul(f, s), p, N::mul(e, N::set1(kLn2Low)));
    return N::fma(e, N::set1(kLn2High), N::add(f, N::fma(s, N::set1(-0.5f), tail)));
  }

  // The logarithm of what is not positive and finite.
  static THALWEG_INLINE V log_ends(V x, V y) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    y = N::select(N::lt(x, N::set1(infinity)), y, x);
    y = N::select(N::lt(x, N::zero()), N::set1(std::numeric_limits<float>::quiet_NaN()), y);
    return N::select(N::eq(x, N::zero()), N::set1(-infinity), y);
  }

  // a/(1 + exp(−x)) as (2ⁿ)·num/(1 + e), where e = exp(−|x|) = 2ᵐ·(1 + p); num is a·(1 + p) and n = m where x
  // < 0, else num is a and n is 0. The errors of num, of 1 + e and of the quotient are taken off with fma,
  // and 2ⁿ comes last, so that a subnormal result is rounded only there.
  static THALWEG_INLINE V times_sigmoid(V a, V x) {
    const V one = N::set1(1), zero = N::zero();
    const M negative = N::lt(x, zero);
    const Reduced r = reduce(N::max(N::set1(-120), N::neg(N::abs(x))));
    const V s = N::add(one, r.p), e = N::scale(s, r.n);
    const V factor = N::select(negative, s, one), num = N::mul(a, factor);
    const V rest = N::fma(a, factor, N::neg(num));
    const V d = N::add(one, e), lost = N::sub(e, N::sub(d, one));
    const V inverse = N::div(one, d), q = N::mul(num, inverse);
    const V error = N::fma(N::neg(q), lost, N::add(rest, N::fma(N::neg(q), d, num)));
    return N::ldexp(N::fma(error, inverse, q), N::select(negative, r.n, zero));
  }
};

template <>
struct Math<float> : FloatMath<Vec<float>> {};

#include "math_f64.h"
