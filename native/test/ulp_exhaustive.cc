// Measures the error of the float32 functions over all floats against float64 references, on the fastest
// level.
//
//   ulp_exhaustive [FUNCTION|all] [STRIDE]
//
// takes every STRIDE-th bit pattern (default 1: all 2³² of them), prints the largest error in ULP and where
// it is, and fails if one is above the function's bound, if a NaN, an infinity or the sign of a zero is not the
// reference's, or if the levels differ in a bit (one batch in 16 is compared). An ULP is the distance between
// the floats around the reference.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "../dispatch.h"
#include "../rows.h"

namespace {

using namespace thalweg;

enum KernelId {
#define ROW(name, tag, type, signature, scalars) k_##name##_##tag,
#define MAP_ROW ROW
#include "../kernels.def"
#undef MAP_ROW
#undef ROW
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double silu(double x) { return x == -INFINITY ? -0.0 : x / (1 + std::exp(-x)); }
double softplus(double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); }
double gelu(double x) { return x < -40 ? -0.0 : 0.5 * x * std::erfc(-x * 0.70710678118654752440); }

struct Function {
  const char* name;
  int kernel;
  double (*reference)(double);
  double bound;  // in ULP
};

const Function kFunctions[] = {
    {"exp", k_exp_f32, std::exp, 1.0},
    {"expm1", k_expm1_f32, std::expm1, 1.6},
    {"log", k_log_f32, std::log, 0.9},
    {"log1p", k_log1p_f32, std::log1p, 1.4},
    {"sin", k_sin_f32, std::sin, 0.51},
    {"cos", k_cos_f32, std::cos, 0.51},
    {"tan", k_tan_f32, std::tan, 0.51},
    {"tanh", k_tanh_f32, std::tanh, 1.4},
    {"erf", k_erf_f32, std::erf, 1.2},
    {"sigmoid", k_sigmoid_f32, sigmoid, 1.7},
    {"softplus", k_softplus_f32, softplus, 1.8},
    {"gelu", k_gelu_f32, gelu, 1.8},
    {"silu", k_silu_f32, silu, 1.8},
};

constexpr int64_t kBatch = 1 << 14;

float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

// Error of y in ULP; infinite where its kind (NaN, infinity, sign of zero) is wrong.
double error_in_ulp(float y, double reference) {
  const float rounded = static_cast<float>(reference);
  if (std::isnan(reference) || std::isnan(y)) return std::isnan(reference) == std::isnan(y) ? 0 : INFINITY;
  if (y == rounded && std::signbit(y) == std::signbit(rounded) && (std::isinf(y) || y == 0)) return 0;
  // Zero may stand for the smallest subnormals, but not with the other sign.
  if (y == 0 && std::signbit(y) != std::signbit(rounded)) return INFINITY;
  if (std::isinf(y)) y = std::copysign(std::numeric_limits<float>::max(), y);
  int exponent;
  std::frexp(reference, &exponent);
  const double ulp = std::ldexp(1.0, exponent - 24 < -149 ? -149 : exponent - 24);
  return std::fabs(static_cast<double>(y) - reference) / ulp;
}

struct Worst {
  double error = 0;
  float at = 0;
  float got = 0;
  uint64_t differing = 0;  // elements whose bits differ between the levels
};

void run(const Level* level, int kernel, const float* x, float* y, int64_t n) {
  const int64_t dims[] = {1, n, 1, 1};
  void* const operands[] = {const_cast<float*>(x), y};
  level->kernels[kernel]({operands, dims, nullptr});
}

// Bit patterns first, first + stride, … below 2³² whose batch number is `part` modulo `parts`.
Worst measure(const Function& function, uint64_t stride, unsigned part, unsigned parts) {
  Worst worst;
  std::vector<float> x(kBatch), y(kBatch), other(kBatch);
  const uint64_t count = ((uint64_t{1} << 32) + stride - 1) / stride;
  for (uint64_t begin = part * kBatch; begin < count; begin += parts * kBatch) {
    const int64_t n = static_cast<int64_t>(count - begin < kBatch ? count - begin : kBatch);
    for (int64_t i = 0; i < n; i++) x[i] = float_of(static_cast<uint32_t>((begin + i) * stride));
    run(best_level(), function.kernel, x.data(), y.data(), n);
    for (const Level* const* level = supported_levels(); *level; level++) {
      if (*level == best_level() || begin / kBatch / parts % 16 != 0) continue;
      run(*level, function.kernel, x.data(), other.data(), n);
      for (int64_t i = 0; i < n; i++) {
        worst.differing += bits_of(y[i]) != bits_of(other[i]) && !(std::isnan(y[i]) && std::isnan(other[i]));
      }
    }
    for (int64_t i = 0; i < n; i++) {
      const double error = error_in_ulp(y[i], function.reference(static_cast<double>(x[i])));
      if (error > worst.error) worst = {error, x[i], y[i], worst.differing};
    }
  }
  return worst;
}

bool check(const Function& function, uint64_t stride) {
  const unsigned parts = std::thread::hardware_concurrency() > 0 ? std::thread::hardware_concurrency() : 1;
  std::vector<Worst> worsts(parts);
  std::vector<std::thread> threads;
  for (unsigned part = 0; part < parts; part++) {
    threads.emplace_back([&, part] { worsts[part] = measure(function, stride, part, parts); });
  }
  for (std::thread& thread : threads) thread.join();
  Worst worst;
  uint64_t differing = 0;
  for (const Worst& candidate : worsts) {
    differing += candidate.differing;
    if (candidate.error > worst.error) worst = candidate;
  }
  const bool good = worst.error <= function.bound && differing == 0;
  std::printf("%-9s %s  %.4f ULP at %.9g, which gives %.9g; bound %g; %llu differ between levels\n",
              function.name, good ? "ok  " : "FAIL", worst.error, static_cast<double>(worst.at),
              static_cast<double>(worst.got), function.bound, static_cast<unsigned long long>(differing));
  std::fflush(stdout);
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  const char* wanted = argc > 1 ? argv[1] : "all";
  const uint64_t stride = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  bool good = stride > 0, found = false;
  for (const Function& function : kFunctions) {
    if (std::strcmp(wanted, "all") != 0 && std::strcmp(wanted, function.name) != 0) continue;
    found = true;
    good = check(function, stride) && good;
  }
  if (!found || stride == 0) std::fprintf(stderr, "usage: ulp_exhaustive [FUNCTION|all] [STRIDE]\n");
  return good && found ? 0 : 1;
}
