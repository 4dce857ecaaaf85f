// The vector vocabulary in NEON as every AArch64 processor has it: 4 floats or 2 doubles. The words are those of
// simd/scalar.h. NEON's own minimum and maximum hand a NaN on, so the vocabulary's are a comparison and a choice.
// Included inside a level's anonymous namespace (isa/neon.cc), after <arm_neon.h>.

template <class T>
struct Vec;

template <>
struct Vec<float> {
  using T = float;
  using V = float32x4_t;
  using M = uint32x4_t;
  static constexpr int W = 4;

  static V load(const T* p) { return vld1q_f32(p); }
  static void store(T* p, V a) { vst1q_f32(p, a); }
  static V load_n(const T* p, int n) {
    V a = zero();
    if (n & 2) a = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
    if (n == 1) a = vld1q_lane_f32(p, a, 0);
    if (n == 3) a = vld1q_lane_f32(p + 2, a, 2);
    return a;
  }
  static void store_n(T* p, V a, int n) {
    if (n & 2) vst1_f32(p, vget_low_f32(a));
    if (n == 1) vst1q_lane_f32(p, a, 0);
    if (n == 3) vst1q_lane_f32(p + 2, a, 2);
  }
  static void stream(T* p, V a) { store(p, a); }  // no such store in the vocabulary of intrinsics
  static void fence() {}
  static V set1(T a) { return vdupq_n_f32(a); }
  static V zero() { return vdupq_n_f32(0); }

  static V add(V a, V b) { return vaddq_f32(a, b); }
  static V sub(V a, V b) { return vsubq_f32(a, b); }
  static V mul(V a, V b) { return vmulq_f32(a, b); }
  static V div(V a, V b) { return vdivq_f32(a, b); }
  static V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  static V sqrt(V a) { return vsqrtq_f32(a); }
  static V abs(V a) { return vabsq_f32(a); }
  static V neg(V a) { return vnegq_f32(a); }
  static V min(V a, V b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static V max(V a, V b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

  static M lt(V a, V b) { return vcltq_f32(a, b); }
  static M le(V a, V b) { return vcleq_f32(a, b); }
  static M eq(V a, V b) { return vceqq_f32(a, b); }
  static M ne(V a, V b) { return not_(vceqq_f32(a, b)); }
  static M is_nan(V a) { return not_(vceqq_f32(a, a)); }
  static M and_(M a, M b) { return vandq_u32(a, b); }
  static M or_(M a, M b) { return vorrq_u32(a, b); }
  static M not_(M a) { return vmvnq_u32(a); }
  static V select(M m, V a, V b) { return vbslq_f32(m, a, b); }

  static V floor(V a) { return vrndmq_f32(a); }
  static V ceil(V a) { return vrndpq_f32(a); }
  static V trunc(V a) { return vrndq_f32(a); }
  static V round(V a) { return vrndnq_f32(a); }

  static void transpose(V (&rows)[W]) {
    const V low01 = vzip1q_f32(rows[0], rows[2]), high01 = vzip2q_f32(rows[0], rows[2]);
    const V low23 = vzip1q_f32(rows[1], rows[3]), high23 = vzip2q_f32(rows[1], rows[3]);
    rows[0] = vzip1q_f32(low01, low23);
    rows[1] = vzip2q_f32(low01, low23);
    rows[2] = vzip1q_f32(high01, high23);
    rows[3] = vzip2q_f32(high01, high23);
  }

  template <int half>
  static V down(V a) {
    if constexpr (half == 2) return vcombine_f32(vget_high_f32(a), vget_high_f32(a));
    else return vdupq_laneq_f32(a, 1);
  }

  static bool any(M a) { return vmaxvq_u32(a) != 0; }
  static V copysign(V a, V s) { return vbslq_f32(vdupq_n_u32(0x80000000u), s, a); }
  static V exponent(V a) {
    const int32x4_t biased = vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_f32(a), 23));
    return vcvtq_f32_s32(vsubq_s32(biased, vdupq_n_s32(127)));
  }
  static V mantissa(V a) { return vbslq_f32(vdupq_n_u32(0x007fffffu), a, set1(1)); }
  static V ldexp(V a, V n) {
    const int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    return mul(mul(a, power(half)), power(vsubq_s32(whole, half)));
  }
  static V scale(V a, V n) { return ldexp(a, n); }
  static constexpr bool kScalesInOne = false;
  static V scale_normal(V a, V n) { return mul(a, power(vcvtnq_s32_f32(n))); }
  static V lookup(const T* table, V a) {
    // Byte b of number i of the table is byte 4i + b.
    const uint32x4_t number = vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(3));
    const uint32x4_t bytes = vmlaq_n_u32(vdupq_n_u32(0x03020100), number, 0x04040404);
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(load(table)), vreinterpretq_u8_u32(bytes)));
  }

 private:
  static V power(int32x4_t n) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23)); }
};

template <>
struct Vec<double> {
  using T = double;
  using V = float64x2_t;
  using M = uint64x2_t;
  static constexpr int W = 2;

  static V load(const T* p) { return vld1q_f64(p); }
  static void store(T* p, V a) { vst1q_f64(p, a); }
  static V load_n(const T* p, int n) { return n > 0 ? vld1q_lane_f64(p, zero(), 0) : zero(); }
  static void store_n(T* p, V a, int n) {
    if (n > 0) vst1q_lane_f64(p, a, 0);
  }
  static void stream(T* p, V a) { store(p, a); }
  static void fence() {}
  static V set1(T a) { return vdupq_n_f64(a); }
  static V zero() { return vdupq_n_f64(0); }

  static V add(V a, V b) { return vaddq_f64(a, b); }
  static V sub(V a, V b) { return vsubq_f64(a, b); }
  static V mul(V a, V b) { return vmulq_f64(a, b); }
  static V div(V a, V b) { return vdivq_f64(a, b); }
  static V fma(V a, V b, V c) { return vfmaq_f64(c, a, b); }
  static V sqrt(V a) { return vsqrtq_f64(a); }
  static V abs(V a) { return vabsq_f64(a); }
  static V neg(V a) { return vnegq_f64(a); }
  static V min(V a, V b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
  static V max(V a, V b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }

  static M lt(V a, V b) { return vcltq_f64(a, b); }
  static M le(V a, V b) { return vcleq_f64(a, b); }
  static M eq(V a, V b) { return vceqq_f64(a, b); }
  static M ne(V a, V b) { return not_(vceqq_f64(a, b)); }
  static M is_nan(V a) { return not_(vceqq_f64(a, a)); }
  static M and_(M a, M b) { return vandq_u64(a, b); }
  static M or_(M a, M b) { return vorrq_u64(a, b); }
  static M not_(M a) { return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(a))); }
  static V select(M m, V a, V b) { return vbslq_f64(m, a, b); }

  static V floor(V a) { return vrndmq_f64(a); }
  static V ceil(V a) { return vrndpq_f64(a); }
  static V trunc(V a) { return vrndq_f64(a); }
  static V round(V a) { return vrndnq_f64(a); }

  static void transpose(V (&rows)[W]) {
    const V first = vzip1q_f64(rows[0], rows[1]);
    rows[1] = vzip2q_f64(rows[0], rows[1]);
    rows[0] = first;
  }

  template <int half>
  static V down(V a) { return vdupq_laneq_f64(a, 1); }

  static bool any(M a) { return vmaxvq_u32(vreinterpretq_u32_u64(a)) != 0; }
  static V copysign(V a, V s) { return vbslq_f64(vdupq_n_u64(uint64_t{1} << 63), s, a); }
  static V exponent(V a) {
    const int64x2_t biased = vreinterpretq_s64_u64(vshrq_n_u64(vreinterpretq_u64_f64(a), 52));
    return vcvtq_f64_s64(vsubq_s64(biased, vdupq_n_s64(1023)));
  }
  static V mantissa(V a) { return vbslq_f64(vdupq_n_u64((uint64_t{1} << 52) - 1), a, set1(1)); }
  static V ldexp(V a, V n) {
    const int64x2_t whole = vcvtnq_s64_f64(n), half = vshrq_n_s64(whole, 1);
    return mul(mul(a, power(half)), power(vsubq_s64(whole, half)));
  }

  static V load_f32(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
  static void store_f32(float* p, V a) { vst1_f32(p, vcvt_f32_f64(a)); }

 private:
  static V power(int64x2_t n) {
    return vreinterpretq_f64_s64(vshlq_n_s64(vaddq_s64(n, vdupq_n_s64(1023)), 52));
  }
};
