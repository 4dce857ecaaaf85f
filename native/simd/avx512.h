// The vector vocabulary in AVX-512F: 16 floats or 8 doubles. The words are those of simd/scalar.h. Only the
// foundation (F) is used, so that every processor with AVX-512 can run it: bitwise operations on floats, which
// belong to DQ, go by way of integers.
// Included inside a level's anonymous namespace (isa/avx512.cc), after <immintrin.h> and the target pragma.

#if defined(__GNUC__) && !defined(__clang__)
// Vectors in signatures change the calling convention between targets; all of these stay inside the level.
#pragma GCC diagnostic ignored "-Wpsabi"
// The compiler's own header reads "undefined" vectors on purpose, and GCC 12 warns of it.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

template <class T>
struct Vec;

template <>
struct Vec<float> {
  using T = float;
  using V = __m512;
  using M = __mmask16;
  static constexpr int W = 16;

  static M mask(int n) { return static_cast<M>((1u << n) - 1); }
  static V load(const T* p) { return _mm512_loadu_ps(p); }
  static void store(T* p, V a) { _mm512_storeu_ps(p, a); }
  static V load_n(const T* p, int n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  static void store_n(T* p, V a, int n) { _mm512_mask_storeu_ps(p, mask(n), a); }
  static void stream(T* p, V a) { _mm512_stream_ps(p, a); }
  static void fence() { _mm_sfence(); }
  static V set1(T a) { return _mm512_set1_ps(a); }
  static V zero() { return _mm512_setzero_ps(); }

  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V div(V a, V b) { return _mm512_div_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V sqrt(V a) { return _mm512_sqrt_ps(a); }
  static V abs(V a) { return number(_mm512_andnot_si512(sign(), bits(a))); }
  static V neg(V a) { return number(_mm512_xor_si512(sign(), bits(a))); }
  static V min(V a, V b) { return _mm512_min_ps(a, b); }
  static V max(V a, V b) { return _mm512_max_ps(a, b); }

  static M lt(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static M le(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static M eq(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static M ne(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
  static M is_nan(V a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
  static M and_(M a, M b) { return static_cast<M>(a & b); }
  static M or_(M a, M b) { return static_cast<M>(a | b); }
  static M not_(M a) { return static_cast<M>(~a); }
  static V select(M m, V a, V b) { return _mm512_mask_blend_ps(m, b, a); }

  static V floor(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static V ceil(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static V trunc(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  static V round(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static void transpose(V (&rows)[W]) {
    // Each quarter of 4 numbers is transposed within groups of 4 rows, and then the 4×4 quarters.
    V pairs[W], quads[W];
    for (int i = 0; i < W; i += 2) {
      pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < W; i += 4) {
      for (int j = 0; j < 2; j++) {
        quads[i + 2 * j] = _mm512_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
        quads[i + 2 * j + 1] = _mm512_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xEE);
      }
    }
    for (int i = 0; i < 4; i++) {
      const V even01 = _mm512_shuffle_f32x4(quads[i], quads[i + 4], 0x88);
      const V odd01 = _mm512_shuffle_f32x4(quads[i], quads[i + 4], 0xDD);
      const V even23 = _mm512_shuffle_f32x4(quads[i + 8], quads[i + 12], 0x88);
      const V odd23 = _mm512_shuffle_f32x4(quads[i + 8], quads[i + 12], 0xDD);
      rows[i] = _mm512_shuffle_f32x4(even01, even23, 0x88);
      rows[i + 4] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
      rows[i + 8] = _mm512_shuffle_f32x4(even01, even23, 0xDD);
      rows[i + 12] = _mm512_shuffle_f32x4(odd01, odd23, 0xDD);
    }
  }

  template <int half>
  static V down(V a) {
    if constexpr (half == 8) return _mm512_shuffle_f32x4(a, a, 0xEE);
    else if constexpr (half == 4) return _mm512_shuffle_f32x4(a, a, 0x55);
    else if constexpr (half == 2) return _mm512_permute_ps(a, 0xEE);
    else return _mm512_permute_ps(a, 0x55);
  }

  static bool any(M a) { return a != 0; }
  static V copysign(V a, V s) {
    const __m512i magnitude = _mm512_andnot_si512(sign(), bits(a));
    return number(_mm512_or_si512(magnitude, _mm512_and_si512(sign(), bits(s))));
  }
  static V exponent(V a) {
    const __m512i biased = _mm512_srli_epi32(bits(a), 23);
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(biased, _mm512_set1_epi32(127)));
  }
  static V mantissa(V a) {
    const __m512i fraction = _mm512_and_si512(_mm512_set1_epi32(0x007fffff), bits(a));
    return number(_mm512_or_si512(fraction, bits(set1(1))));
  }
  static V ldexp(V a, V n) {
    const __m512i whole = _mm512_cvtps_epi32(n), half = _mm512_srai_epi32(whole, 1);
    return mul(mul(a, power(half)), power(_mm512_sub_epi32(whole, half)));
  }
  static V scale(V a, V n) { return _mm512_scalef_ps(a, n); }
  static constexpr bool kScalesInOne = true;
  static V scale_normal(V a, V n) { return scale(a, n); }
  static V lookup(const T* table, V a) {
    return _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_load_ps(table)), bits(a));
  }

 private:
  static __m512i bits(V a) { return _mm512_castps_si512(a); }
  static V number(__m512i a) { return _mm512_castsi512_ps(a); }
  static __m512i sign() { return _mm512_set1_epi32(INT32_MIN); }
  static V power(__m512i n) {
    return number(_mm512_slli_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(127)), 23));
  }
};

template <>
struct Vec<double> {
  using T = double;
  using V = __m512d;
  using M = __mmask8;
  static constexpr int W = 8;

  static M mask(int n) { return static_cast<M>((1u << n) - 1); }
  static V load(const T* p) { return _mm512_loadu_pd(p); }
  static void store(T* p, V a) { _mm512_storeu_pd(p, a); }
  static V load_n(const T* p, int n) { return _mm512_maskz_loadu_pd(mask(n), p); }
  static void store_n(T* p, V a, int n) { _mm512_mask_storeu_pd(p, mask(n), a); }
  static void stream(T* p, V a) { _mm512_stream_pd(p, a); }
  static void fence() { _mm_sfence(); }
  static V set1(T a) { return _mm512_set1_pd(a); }
  static V zero() { return _mm512_setzero_pd(); }

  static V add(V a, V b) { return _mm512_add_pd(a, b); }
  static V sub(V a, V b) { return _mm512_sub_pd(a, b); }
  static V mul(V a, V b) { return _mm512_mul_pd(a, b); }
  static V div(V a, V b) { return _mm512_div_pd(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  static V sqrt(V a) { return _mm512_sqrt_pd(a); }
  static V abs(V a) { return number(_mm512_andnot_si512(sign(), bits(a))); }
  static V neg(V a) { return number(_mm512_xor_si512(sign(), bits(a))); }
  static V min(V a, V b) { return _mm512_min_pd(a, b); }
  static V max(V a, V b) { return _mm512_max_pd(a, b); }

  static M lt(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static M le(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static M eq(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
  static M ne(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
  static M is_nan(V a) { return _mm512_cmp_pd_mask(a, a, _CMP_UNORD_Q); }
  static M and_(M a, M b) { return static_cast<M>(a & b); }
  static M or_(M a, M b) { return static_cast<M>(a | b); }
  static M not_(M a) { return static_cast<M>(~a); }
  static V select(M m, V a, V b) { return _mm512_mask_blend_pd(m, b, a); }

  static V floor(V a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static V ceil(V a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static V trunc(V a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  static V round(V a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static void transpose(V (&rows)[W]) {
    V pairs[W];
    for (int i = 0; i < W; i += 2) {
      pairs[i] = _mm512_unpacklo_pd(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm512_unpackhi_pd(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 2; i++) {
      const V even01 = _mm512_shuffle_f64x2(pairs[i], pairs[i + 2], 0x88);
      const V odd01 = _mm512_shuffle_f64x2(pairs[i], pairs[i + 2], 0xDD);
      const V even23 = _mm512_shuffle_f64x2(pairs[i + 4], pairs[i + 6], 0x88);
      const V odd23 = _mm512_shuffle_f64x2(pairs[i + 4], pairs[i + 6], 0xDD);
      rows[i] = _mm512_shuffle_f64x2(even01, even23, 0x88);
      rows[i + 2] = _mm512_shuffle_f64x2(odd01, odd23, 0x88);
      rows[i + 4] = _mm512_shuffle_f64x2(even01, even23, 0xDD);
      rows[i + 6] = _mm512_shuffle_f64x2(odd01, odd23, 0xDD);
    }
  }

  template <int half>
  static V down(V a) {
    if constexpr (half == 4) return _mm512_shuffle_f64x2(a, a, 0xEE);
    else if constexpr (half == 2) return _mm512_shuffle_f64x2(a, a, 0x55);
    else return _mm512_permute_pd(a, 0x55);
  }

  static bool any(M a) { return a != 0; }
  static V copysign(V a, V s) {
    const __m512i magnitude = _mm512_andnot_si512(sign(), bits(a));
    return number(_mm512_or_si512(magnitude, _mm512_and_si512(sign(), bits(s))));
  }
  static V exponent(V a) {
    // The biased exponent in the low bits of 2⁵² is 2⁵² + its value.
    const __m512i biased = _mm512_srli_epi64(bits(a), 52);
    const __m512i two52 = _mm512_set1_epi64(0x4330000000000000);
    return sub(number(_mm512_or_si512(biased, two52)), set1(4503599627370496.0 + 1023));
  }
  static V mantissa(V a) {
    const __m512i fraction = _mm512_and_si512(_mm512_set1_epi64(0x000fffffffffffff), bits(a));
    return number(_mm512_or_si512(fraction, bits(set1(1))));
  }
  static V ldexp(V a, V n) {
    const __m256i whole = _mm512_cvtpd_epi32(n), half = _mm256_srai_epi32(whole, 1);
    return mul(mul(a, power(half)), power(_mm256_sub_epi32(whole, half)));
  }

  static V load_f32(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
  static void store_f32(float* p, V a) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(a)); }

 private:
  static __m512i bits(V a) { return _mm512_castpd_si512(a); }
  static V number(__m512i a) { return _mm512_castsi512_pd(a); }
  static __m512i sign() { return _mm512_set1_epi64(INT64_MIN); }
  static V power(__m256i n) {
    const __m512i biased = _mm512_cvtepi32_epi64(_mm256_add_epi32(n, _mm256_set1_epi32(1023)));
    return number(_mm512_slli_epi64(biased, 52));
  }
};
