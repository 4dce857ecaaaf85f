// The kernels, one number at a time: the level that every processor has, and the judge of the others.
#include "level_includes.h"

namespace thalweg {
namespace {
#include "../simd/scalar.h"

#include "../kernels/all.h"
}  // namespace

extern const Level scalar_level;
const Level scalar_level = {"scalar", kKernels};

}  // namespace thalweg
