// GELU of floats: x·Φ(x), Φ the normal distribution function. With t = |x| and g = t·Φ(−t) it is −g on the
// left and x − g on the right, so that the left tail keeps its relative precision. Included by
// kernels/math_f32.h.
#pragma once

template <class N>
struct Gelu {
  using V = typename N::V;

  // −∞ gives −0.
  static THALWEG_INLINE V gelu(V x) {
    const V t = N::abs(x);
    if (N::any(N::le(N::set1(kFar), t))) return gelu_far(x);
    return from_left(x, near(t));
  }

 private:
  static THALWEG_RARE V gelu_far(V x) {
    const V t = N::abs(x);
    const V g = N::select(N::le(N::set1(kFar), t), far_product(N::min(N::set1(14.6f), t)), near(t));
    return from_left(x, g);
  }

  // −0 where x < 0, so that −g is −0 where g is 0.
  static THALWEG_INLINE V from_left(V x, V g) { return N::sub(N::max(N::set1(-0.0f), x), g); }

  // t·Φ(−t) = exp(−t²/2)·G(t) for t < kFar. G is a polynomial in t − c on each of four intervals, the first of half the
  // width of the others: their number is round(t/1.39). Relative error of the polynomials: 2⁻²⁶. The first c is 0, where G
  // is; the others are chosen so that G(c) and G′(c), the first two coefficients, are floats within 2⁻³². (16 intervals of
  // t·Φ(−t) itself would need no exponential, but AMD Zen 3 takes two cycles to choose from eight numbers, and half a cycle
  // from four.)
  static constexpr float kFar = 4.86f, kIntervals = 1 / 1.39f;
  static constexpr int kDegree = 8;
  alignas(16) static constexpr float kCentres[4] = {0.0f, 1.39731407f, 2.80519104f, 4.16215944f};
  alignas(16) static constexpr float kCoefficients[kDegree + 1][4] = {
    {0.0f, 0.301030755f, 0.360693902f, 0.379063874f},
    {0.5f, 0.0786220953f, 0.0212868582f, 0.00833675265f},
    {-0.398942143f, -0.0429815203f, -0.0083915228f, -0.00252895895f},
    {0.249995068f, 0.0192925949f, 0.0027968639f, 0.00065973372f},
    {-0.132920191f, -0.00758960797f, -0.00083580194f, -0.000156509443f},
    {0.0621417053f, 0.00269348384f, 0.000229999234f, 3.46364068e-05f},
    {-0.0254363157f, -0.000881716493f, -5.92956458e-05f, -7.25965765e-06f},
    {0.00826705154f, 0.000297519437f, 1.53862875e-05f, 1.50599919e-06f},
    {-0.00153351354f, -9.04324843e-05f, -3.73934313e-06f, -2.91098502e-07f},
  };

  static THALWEG_INLINE V near(V t) {
    const V shifter = N::set1(kShifter), interval = N::fma(t, N::set1(kIntervals), shifter);
    const V u = N::sub(t, N::lookup(kCentres, interval));
    V slope = N::lookup(kCoefficients[kDegree], interval);
    for (int k = kDegree - 1; k > 0; k--) slope = N::fma(slope, u, N::lookup(kCoefficients[k], interval));
    const V start = N::lookup(kCoefficients[0], interval), p = N::fma(slope, u, start);
    const V lost = N::fma(slope, u, N::sub(start, p));
    // −t²/2 = n·ln 2 + r. It has more than 24 bits, and n·ln 2 is taken from it before it is rounded.
    const V half = N::mul(t, N::set1(-0.5f));
    const V n = N::sub(N::fma(N::mul(half, t), N::set1(kLog2E), shifter), shifter);
    const V r = N::fma(n, N::set1(-kLn2Low), N::fma(half, t, N::mul(n, N::set1(-kLn2High))));
    return N::scale_normal(N::add(p, N::fma(p, expm1_inside<N>(r), lost)), n);
  }

  // t·Φ(−t) = exp(−t²/2)·P(1/t²) for t from kFar to 14.6, from where on it rounds to 0. The power 2ⁿ comes last, so that
  // a subnormal result is rounded only there.
  static V far_product(V t) {
    const V half = N::mul(t, N::set1(-0.5f)), s = N::mul(half, t), rest = N::fma(half, t, N::neg(s));
    const V n = N::round(N::mul(s, N::set1(kLog2E)));
    const V r = N::add(N::fma(n, N::set1(-kLn2High), s), N::fma(n, N::set1(-kLn2Low), rest));
    const V w = N::div(N::set1(-0.5f), s);
    const V p = polynomial<N>(w, 0.398942232f, -0.398921311f, 1.19348633f, -5.72511673f, 30.9629383f,
                                  -110.255913f);
    return N::ldexp(N::fma(p, expm1_inside<N>(r), p), n);
  }
};
