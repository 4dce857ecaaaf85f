// Everything that kernels use from outside their level, included before the level's instructions are switched on.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../dispatch.h"
#include "../fused_code.h"
#include "../kernel.h"
#include "../parallel.h"
#include "../rows.h"
