// The vector vocabulary, one number at a time: what every other level must agree with, bit for bit.
// Included inside a level's anonymous namespace (isa/scalar.cc), after the standard headers.
//
// Vec<T> for T = float and double:
//   V, M             a vector, a mask          W              elements per vector
//   load store       unaligned, W elements     load_n store_n the first n < W (rest zero / untouched)
//   set1 zero        add sub mul div fma sqrt abs neg
//   min max          second operand where either is NaN (the x86 rule): min(a,b) = a < b ? a : b
//   lt le eq ne is_nan   -> M                  and_ or_ not_  on masks
//   select(m, a, b)  a where m, else b         floor ceil trunc round (half to even)
//   any(m)           true if any lane is set   copysign(a, s)  |a| with the sign of s
//   exponent(a)      e, and mantissa(a) m, where a = m·2^e, m in [1, 2); a must be normal and positive
//   ldexp(a, n)      a·2^n for integral n, as (a·2^⌊n/2⌋)·2^(n−⌊n/2⌋): one rounding if the first factor is
//                    normal; |n| ≤ 250 for float, 2000 for double. Anything where n is NaN.
//   scale(a, n)      a·2^n rounded once, for a in [½, 2] or NaN and integral n, |n| ≤ 250; float only
//   scale_normal(a, n)  the same where the result is normal, n in [−126, 127]; NaN where a and n are.
//                    kScalesInOne: scale is a single instruction, so that this gains nothing
//   lookup(table, a) of four numbers, each lane the one that the low two bits of a's bits say; float only. The table is
//                    aligned to its size
//   stream(p, a)     a store past the caches, p aligned to a vector; fence() makes such stores visible to other
//                    threads in order
//   down<h>(a)       elements h … 2h−1 of a in the first h, for h a power of two below W; the others are any
//   transpose(rows)  of W vectors, in place; only where W > 1
// Vec<double> also has
//   load_f32 store_f32    W floats, widened and rounded

// How floats of a type are stored: an integer of the same size, the mantissa's bits, the exponent's bias, and
// 1.5·2^mantissa, to which a small integer can be added so that it stands in the low bits.
template <class T>
struct FloatFormat;
template <>
struct FloatFormat<float> {
  using Bits = uint32_t;
  using Signed = int32_t;
  static constexpr int kMantissa = 23;
  static constexpr Signed kBias = 127;
  static constexpr float kShifter = 12582912.0f;
};
template <>
struct FloatFormat<double> {
  using Bits = uint64_t;
  using Signed = int64_t;
  static constexpr int kMantissa = 52;
  static constexpr Signed kBias = 1023;
  static constexpr double kShifter = 6755399441055744.0;
};

template <class T>
struct Vec {
  using V = T;
  using M = bool;
  static constexpr int W = 1;

  static V load(const T* p) { return *p; }
  static void store(T* p, V a) { *p = a; }
  static V load_n(const T*, int) { return 0; }
  static void store_n(T*, V, int) {}
  static void stream(T* p, V a) { *p = a; }
  static void fence() {}
  static V set1(T a) { return a; }
  static V zero() { return 0; }

  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V div(V a, V b) { return a / b; }
  static V fma(V a, V b, V c) { return std::fma(a, b, c); }
  static V sqrt(V a) { return std::sqrt(a); }
  static V abs(V a) { return std::fabs(a); }
  static V neg(V a) { return -a; }
  static V min(V a, V b) { return a < b ? a : b; }
  static V max(V a, V b) { return a > b ? a : b; }

  static M lt(V a, V b) { return a < b; }
  static M le(V a, V b) { return a <= b; }
  static M eq(V a, V b) { return a == b; }
  static M ne(V a, V b) { return a != b; }
  static M is_nan(V a) { return a != a; }
  static M and_(M a, M b) { return a && b; }
  static M or_(M a, M b) { return a || b; }
  static M not_(M a) { return !a; }
  static V select(M m, V a, V b) { return m ? a : b; }

  static V floor(V a) { return std::floor(a); }
  static V ceil(V a) { return std::ceil(a); }
  static V trunc(V a) { return std::trunc(a); }
  static V round(V a) { return std::nearbyint(a); }

  static bool any(M a) { return a; }
  static V copysign(V a, V s) { return std::copysign(a, s); }
  static V exponent(V a) { return static_cast<T>(static_cast<Signed>(bits(a) >> L::kMantissa) - L::kBias); }
  static V mantissa(V a) {
    constexpr Bits fraction = (Bits{1} << L::kMantissa) - 1;
    return number((bits(a) & fraction) | bits(T{1}));
  }
  static V ldexp(V a, V n) {
    const Signed whole = whole_number(n);
    const Signed half = whole >> 1;
    return a * power(half) * power(whole - half);
  }
  static V scale(V a, V n) { return ldexp(a, n); }
  static constexpr bool kScalesInOne = false;
  static V scale_normal(V a, V n) { return a * power(whole_number(n)); }
  static V lookup(const T* table, V a) { return table[bits(a) & 3]; }

  static V load_f32(const float* p) { return static_cast<T>(*p); }
  static void store_f32(float* p, V a) { *p = static_cast<float>(a); }

 private:
  using L = FloatFormat<T>;
  using Bits = typename L::Bits;
  using Signed = typename L::Signed;

  static Bits bits(T a) {
    Bits b;
    std::memcpy(&b, &a, sizeof a);
    return b;
  }
  static T number(Bits b) {
    T a;
    std::memcpy(&a, &b, sizeof a);
    return a;
  }
  static Signed whole_number(T n) { return static_cast<Signed>(bits(n + L::kShifter) - bits(L::kShifter)); }
  static T power(Signed n) { return number(static_cast<Bits>(n + L::kBias) << L::kMantissa); }
};
