// Every kernel of a level, and the level's table in the order of kernels.def. Included inside a level's anonymous
// namespace after its vector vocabulary; a row of kernels.def without a function here does not compile.
#include "binary.h"
#include "cast.h"
#include "fused.h"
#include "gather.h"
#include "loss.h"
#include "matmul.h"
#include "matmul_fused.h"
#include "norm.h"
#include "optim.h"
#include "random.h"
#include "reduce.h"
#include "softmax.h"
#include "unary.h"

#define ROW(name, tag, type, signature, scalars) &name##_kernel<type>,
#define MAP_ROW(name, tag, type, signature, scalars) &map_kernel<name##_op<type>>,
const Kernel kKernels[] = {
#include "../kernels.def"
};
#undef MAP_ROW
#undef ROW
