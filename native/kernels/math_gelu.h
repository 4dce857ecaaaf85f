// GELU of floats: x·Φ(x), Φ the normal distribution function. With t = |x| and g = t·Φ(−t) it is −g on the
// left and x − g on the right, so that the left tail keeps its relative precision. Included by
// kernels/math_f32.h.
#pragma once

template <class N>
struct Gelu {
  using V = typename N::V;

  // −∞ gives −0.
  static V gelu(V x) {
    const V t = N::abs(x);
    V g = N::mul(t, near(t));
    const auto far = N::le(N::set1(kFar), t);
    if (N::any(far)) g = N::select(far, far_product(N::min(N::set1(14.6f), t)), g);
    return N::copysign(N::sub(N::max(N::zero(), x), g), x);
  }

 private:
  // Φ(−t) for t < kFar: a polynomial in t − c on each of 16 intervals, whose number is round(t·(t + 1.5)/2). That
  // makes them narrower to the right, where the function is steeper. Adding 2²⁴, where neighbours are 2 apart,
  // puts the number into the low bits. Relative error of the polynomials: 2⁻²⁶. The centres c are chosen so that
  // Φ(−c), the first coefficient, is a float within 2⁻³⁵.
  static constexpr float kFar = 4.86f;
  static constexpr int kDegree = 6;
  alignas(64) static constexpr float kCentres[16] = {
      0.250023454f, 0.818653345f, 1.37312996f, 1.80408514f, 2.17136788f, 2.4956677f, 2.79100609f,
      3.0640552f, 3.31752563f, 3.55682373f, 3.78388667f, 3.99944663f, 4.20491076f, 4.40377235f,
      4.59409189f, 4.7778368f};
  alignas(64) static constexpr float kCoefficients[kDegree + 1][16] = {
    {0.401284605f, 0.206492111f, 0.0848559737f, 0.0356089808f, 0.0149516873f, 0.00628601573f,
     0.0026272242f, 0.00109179306f, 0.000454092922f, 0.000187682919f, 7.71990744e-05f, 3.17453814e-05f,
     1.30592598e-05f, 5.31922888e-06f, 2.17318916e-06f, 8.85955501e-07f},
    {-0.386665821f, -0.285351068f, -0.155411094f, -0.0783710927f, -0.0377655551f, -0.0177190099f,
     -0.00811698847f, -0.00364953442f, -0.00162552134f, -0.000714136753f, -0.000310341362f,
     -0.000134126763f, -5.77391147e-05f, -2.45317096e-05f, -1.04200508e-05f, -4.4048661e-06f},
    {0.0483377427f, 0.116801567f, 0.106699772f, 0.0706940591f, 0.041001454f, 0.0221103784f, 0.0113272816f,
     0.00559118763f, 0.00269635417f, 0.00127002923f, 0.000587148243f, 0.00026821639f, 0.000121393918f,
     5.40160254e-05f, 2.39353303e-05f, 1.05228664e-05f},
    {0.0604123734f, 0.0156889595f, -0.0229343139f, -0.0294508841f, -0.0233825613f, -0.0154404584f,
     -0.00918545201f, -0.00510231731f, -0.00271083019f, -0.00138673687f, -0.000688841392f,
     -0.000335216435f, -0.000160525247f, -7.52022752e-05f, -3.49165712e-05f, -1.60244035e-05f},
    {-0.0118308011f, -0.0226688366f, -0.00990767404f, 0.00150082586f, 0.00585991424f, 0.0059488765f,
     0.00452143652f, 0.00297654048f, 0.00179896737f, 0.00102144631f, 0.000553777034f, 0.000290476746f,
     0.000148516163f, 7.37937808e-05f, 3.61151069e-05f, 1.73863646e-05f},
    {-0.00836607441f, 0.00127777446f, 0.00609939173f, 0.00387223088f, 0.000981438323f, -0.000638037745f,
     -0.00113782671f, -0.00105737103f, -0.000786464312f, -0.000518789224f, -0.000316311198f,
     -0.000182473683f, -0.00010115216f, -5.38812019e-05f, -2.80565218e-05f, -1.42772324e-05f},
    {0.00189354282f, 0.00275075855f, -0.000109710862f, -0.00136259326f, -0.00114620826f, -0.000539763714f,
     -8.03239964e-05f, 0.000144764883f, 0.000192190957f, 0.000169559906f, 0.000124789658f, 8.21542926e-05f,
     5.09624115e-05f, 2.94339497e-05f, 1.65046567e-05f, 9.06697369e-06f},
  };

  static V near(V t) {
    const V interval = N::fma(t, N::add(t, N::set1(1.5f)), N::set1(16777216.0f));
    const V u = N::sub(t, N::lookup(kCentres, interval));
    V p = N::lookup(kCoefficients[kDegree], interval);
    for (int k = kDegree - 1; k >= 0; k--) p = N::fma(p, u, N::lookup(kCoefficients[k], interval));
    return p;
  }

  // t·Φ(−t) = exp(−t²/2)·P(1/t²) for t from kFar to 14.6, from where on it rounds to 0. The argument of exp needs
  // more than 24 bits: r = t² + 2n·ln 2, from t² in two parts; exp(−r/2) is 1 + r·Q(r). The power 2ⁿ comes last,
  // so that a subnormal result is rounded only there.
  static V far_product(V t) {
    const V s = N::mul(t, t), rest = N::fma(t, t, N::neg(s));
    const V n = N::round(N::mul(s, N::set1(-0.721347520f)));
    const V r = N::add(N::fma(n, N::set1(2 * kLn2High), s), N::fma(n, N::set1(2 * kLn2Low), rest));
    const V q = polynomial<N>(r, -0.5f, 0.125f, -0.5f * 0.0416663475f, 0.0625f * 0.0416665673f,
                                  -0.03125f * 0.00836692657f, 0.015625f * 0.00139469083f);
    const V w = N::div(N::set1(1), s);
    const V p = polynomial<N>(w, 0.398942232f, -0.398921311f, 1.19348633f, -5.72511673f, 30.9629383f,
                                  -110.255913f);
    return N::ldexp(N::fma(p, N::mul(r, q), p), n);
  }

  // ln 2 in two parts, the first short enough for n times it to be exact.
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
};
