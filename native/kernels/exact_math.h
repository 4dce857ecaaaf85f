// ln, and sin and cos of 2πu, written out in + − × ÷ and comparisons on float64, each rounded once and never
// contracted to a fused multiply-add. The TypeScript executor has the same operations in the same order
// (lib/runtime/kernels/exact_math.ts), so both give the same bits. Relative errors stay below 1e-15. Only
// what philox_normal needs: no other arguments, no special values.
#pragma once

struct ExactMath {
  using N = Vec<double>;
  using V = N::V;

  // ln u for a normal u > 0. With u = 2^e·m and m in [√½, √2), s = (m−1)/(m+1) and z = s²:
  // ln m = 2·artanh s = 2s·(1 + z/3 + z²/5 + …), |s| < 0.1716, eleven terms.
  static V ln(V u) {
    const V one = N::set1(1), two = N::set1(2);
    const V half = N::mul(N::mantissa(u), N::set1(0.5)), above = N::add(N::exponent(u), one);
    const typename N::M low = N::lt(half, N::set1(0.7071067811865476));
    const V m = N::select(low, N::mul(half, two), half), e = N::select(low, N::sub(above, one), above);
    const V s = N::div(N::sub(m, one), N::add(m, one)), z = N::mul(s, s);
    const V p = horner(z, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7,
                       1.0 / 5, 1.0 / 3);
    const V twice = N::mul(two, s), ln_m = N::add(twice, N::mul(twice, N::mul(z, p)));
    // ln 2 in two parts: the first has 20 trailing zero bits, so its product with an exponent is exact.
    return N::add(N::mul(e, N::set1(0.6931471804855391)),
                  N::add(ln_m, N::mul(e, N::set1(7.440617110012397e-11))));
  }

  struct Circle { V sin, cos; };

  // sin 2πu and cos 2πu for u in [0, 1), a multiple of 2⁻⁵³: 4u = quarter + rest with |rest| ≤ 1/2, exactly.
  static Circle two_pi(V u) {
    const V four = N::mul(N::set1(4), u), quarter = N::floor(N::add(four, N::set1(0.5)));
    const V y = N::mul(N::sub(four, quarter), N::set1(1.5707963267948966)), z = N::mul(y, y);
    const V p = horner(z, 1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
                       1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6);
    const V q = horner(z, 1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800,
                       1.0 / 40320, -1.0 / 720, 1.0 / 24, -1.0 / 2);
    const V sine = N::add(y, N::mul(y, N::mul(z, p))), cosine = N::add(N::set1(1), N::mul(z, q));
    const typename N::M is1 = N::eq(quarter, N::set1(1)), is2 = N::eq(quarter, N::set1(2));
    const typename N::M is3 = N::eq(quarter, N::set1(3)), odd = N::or_(is1, is3);
    const V s = N::select(odd, cosine, sine), c = N::select(odd, sine, cosine);
    return {N::select(N::or_(is2, is3), N::neg(s), s), N::select(N::or_(is1, is2), N::neg(c), c)};
  }

 private:
  // The polynomial in z with these coefficients, highest first; every product and sum is rounded.
  template <class... More>
  static V horner(V z, double highest, More... more) {
    const double rest[] = {more...};
    V sum = N::set1(highest);
    for (const double c : rest) sum = N::add(N::mul(sum, z), N::set1(c));
    return sum;
  }
};
