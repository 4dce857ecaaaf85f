// The vector vocabulary in AVX2 and FMA: 8 floats or 4 doubles. The words are those of simd/scalar.h.
// Included inside a level's anonymous namespace (isa/avx2.cc), after <immintrin.h> and the target pragma.

#if defined(__GNUC__) && !defined(__clang__)
// Vectors in signatures change the calling convention between targets; all of these stay inside the level.
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

template <class T>
struct Vec;

// Masks for the first n elements of a vector: read from `kMask + 8 - n`.
alignas(64) constexpr int32_t kMask32[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
alignas(64) constexpr int64_t kMask64[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

template <>
struct Vec<float> {
  using T = float;
  using V = __m256;
  using M = __m256;
  static constexpr int W = 8;

  static __m256i mask(int n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask32 + 8 - n)); }
  static V load(const T* p) { return _mm256_loadu_ps(p); }
  static void store(T* p, V a) { _mm256_storeu_ps(p, a); }
  static V load_n(const T* p, int n) { return _mm256_maskload_ps(p, mask(n)); }
  static void store_n(T* p, V a, int n) { _mm256_maskstore_ps(p, mask(n), a); }
  static void stream(T* p, V a) { _mm256_stream_ps(p, a); }
  static void fence() { _mm_sfence(); }
  static V set1(T a) { return _mm256_set1_ps(a); }
  static V zero() { return _mm256_setzero_ps(); }

  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static V div(V a, V b) { return _mm256_div_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V sqrt(V a) { return _mm256_sqrt_ps(a); }
  static V abs(V a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static V neg(V a) { return _mm256_xor_ps(_mm256_set1_ps(-0.0f), a); }
  static V min(V a, V b) { return _mm256_min_ps(a, b); }
  static V max(V a, V b) { return _mm256_max_ps(a, b); }

  // From the intrinsic functions for these GCC would make a choice with another comparison, of a mask with 0.
#if defined(__GNUC__)
  static M lt(V a, V b) { return reinterpret_cast<M>(a < b); }
  static M le(V a, V b) { return reinterpret_cast<M>(a <= b); }
  static M eq(V a, V b) { return reinterpret_cast<M>(a == b); }
#else
  static M lt(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static M le(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  static M eq(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
#endif
  static M ne(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
  static M is_nan(V a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
  static M and_(M a, M b) { return _mm256_and_ps(a, b); }
  static M or_(M a, M b) { return _mm256_or_ps(a, b); }
  static M not_(M a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
  static V select(M m, V a, V b) { return _mm256_blendv_ps(b, a, m); }

  static V floor(V a) { return _mm256_floor_ps(a); }
  static V ceil(V a) { return _mm256_ceil_ps(a); }
  static V trunc(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  static V round(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static void transpose(V (&rows)[W]) {
    V pairs[W], quads[W];
    for (int i = 0; i < W; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < W; i += 4) {
      for (int j = 0; j < 2; j++) {
        quads[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
        quads[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xEE);
      }
    }
    for (int i = 0; i < W / 2; i++) {
      rows[i] = _mm256_permute2f128_ps(quads[i], quads[i + W / 2], 0x20);
      rows[i + W / 2] = _mm256_permute2f128_ps(quads[i], quads[i + W / 2], 0x31);
    }
  }

  template <int half>
  static V down(V a) {
    if constexpr (half == 4) return _mm256_castps128_ps256(_mm256_extractf128_ps(a, 1));
    else if constexpr (half == 2) return _mm256_permute_ps(a, 0xEE);
    else return _mm256_permute_ps(a, 0x55);
  }

  static bool any(M a) { return _mm256_movemask_ps(a) != 0; }
  static V copysign(V a, V s) {
    const V sign = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, s));
  }
  static V exponent(V a) {
    const __m256i biased = _mm256_srli_epi32(_mm256_castps_si256(a), 23);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)));
  }
  static V mantissa(V a) {
    const V fraction = _mm256_castsi256_ps(_mm256_set1_epi32(0x007fffff));
    return _mm256_or_ps(_mm256_and_ps(fraction, a), _mm256_set1_ps(1));
  }
  static V ldexp(V a, V n) {
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    return mul(mul(a, power(half)), power(_mm256_sub_epi32(whole, half)));
  }
  static V scale(V a, V n) {
    return any(lt(set1(125), abs(n))) ? ldexp(a, n) : scale_normal(a, n);
  }
  static constexpr bool kScalesInOne = false;
  // NaN stays, since its n converts to a number whose low bits are 0.
  static V scale_normal(V a, V n) {
    const __m256i shifted = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), shifted));
  }
  static V lookup(const T* table, V a) {
    return _mm256_permutevar_ps(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(table)), _mm256_castps_si256(a));
  }

 private:
  static V power(__m256i n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
  }
};

template <>
struct Vec<double> {
  using T = double;
  using V = __m256d;
  using M = __m256d;
  static constexpr int W = 4;

  static __m256i mask(int n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask64 + 4 - n)); }
  static V load(const T* p) { return _mm256_loadu_pd(p); }
  static void store(T* p, V a) { _mm256_storeu_pd(p, a); }
  static V load_n(const T* p, int n) { return _mm256_maskload_pd(p, mask(n)); }
  static void store_n(T* p, V a, int n) { _mm256_maskstore_pd(p, mask(n), a); }
  static void stream(T* p, V a) { _mm256_stream_pd(p, a); }
  static void fence() { _mm_sfence(); }
  static V set1(T a) { return _mm256_set1_pd(a); }
  static V zero() { return _mm256_setzero_pd(); }

  static V add(V a, V b) { return _mm256_add_pd(a, b); }
  static V sub(V a, V b) { return _mm256_sub_pd(a, b); }
  static V mul(V a, V b) { return _mm256_mul_pd(a, b); }
  static V div(V a, V b) { return _mm256_div_pd(a, b); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  static V sqrt(V a) { return _mm256_sqrt_pd(a); }
  static V abs(V a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
  static V neg(V a) { return _mm256_xor_pd(_mm256_set1_pd(-0.0), a); }
  static V min(V a, V b) { return _mm256_min_pd(a, b); }
  static V max(V a, V b) { return _mm256_max_pd(a, b); }

  static M lt(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
  static M le(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
  static M eq(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
  static M ne(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
  static M is_nan(V a) { return _mm256_cmp_pd(a, a, _CMP_UNORD_Q); }
  static M and_(M a, M b) { return _mm256_and_pd(a, b); }
  static M or_(M a, M b) { return _mm256_or_pd(a, b); }
  static M not_(M a) { return _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi32(-1))); }
  static V select(M m, V a, V b) { return _mm256_blendv_pd(b, a, m); }

  static V floor(V a) { return _mm256_floor_pd(a); }
  static V ceil(V a) { return _mm256_ceil_pd(a); }
  static V trunc(V a) { return _mm256_round_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  static V round(V a) { return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

  static void transpose(V (&rows)[W]) {
    V pairs[W];
    for (int i = 0; i < W; i += 2) {
      pairs[i] = _mm256_unpacklo_pd(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm256_unpackhi_pd(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < W / 2; i++) {
      rows[i] = _mm256_permute2f128_pd(pairs[i], pairs[i + W / 2], 0x20);
      rows[i + W / 2] = _mm256_permute2f128_pd(pairs[i], pairs[i + W / 2], 0x31);
    }
  }

  template <int half>
  static V down(V a) {
    if constexpr (half == 2) return _mm256_castpd128_pd256(_mm256_extractf128_pd(a, 1));
    else return _mm256_permute_pd(a, 0x5);
  }

  static bool any(M a) { return _mm256_movemask_pd(a) != 0; }
  static V copysign(V a, V s) {
    const V sign = _mm256_set1_pd(-0.0);
    return _mm256_or_pd(_mm256_andnot_pd(sign, a), _mm256_and_pd(sign, s));
  }
  static V exponent(V a) {
    // The biased exponent in the low bits of 2⁵² is 2⁵² + its value.
    const __m256i biased = _mm256_srli_epi64(_mm256_castpd_si256(a), 52);
    const __m256i two52 = _mm256_set1_epi64x(0x4330000000000000);
    return sub(_mm256_castsi256_pd(_mm256_or_si256(biased, two52)), set1(4503599627370496.0 + 1023));
  }
  static V mantissa(V a) {
    const V fraction = _mm256_castsi256_pd(_mm256_set1_epi64x(0x000fffffffffffff));
    return _mm256_or_pd(_mm256_and_pd(fraction, a), _mm256_set1_pd(1));
  }
  static V ldexp(V a, V n) {
    const __m128i whole = _mm256_cvtpd_epi32(n), half = _mm_srai_epi32(whole, 1);
    return mul(mul(a, power(half)), power(_mm_sub_epi32(whole, half)));
  }

  static V load_f32(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  static void store_f32(float* p, V a) { _mm_storeu_ps(p, _mm256_cvtpd_ps(a)); }

 private:
  static V power(__m128i n) {
    const __m256i biased = _mm256_cvtepi32_epi64(_mm_add_epi32(n, _mm_set1_epi32(1023)));
    return _mm256_castsi256_pd(_mm256_slli_epi64(biased, 52));
  }
};
