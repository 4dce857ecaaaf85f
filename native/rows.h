// Expands a row of kernels.def into one ROW(name, tag, type, signature, scalars) per element type, or one MAP_ROW of
// the same. Whoever includes kernels.def defines both first and undefines them after.
#pragma once

#define KERNEL(name, dtypes, signature, scalars) ROWS_##dtypes(ROW, name, signature, scalars)
#define MAP(name, dtypes, signature, scalars) ROWS_##dtypes(MAP_ROW, name, signature, scalars)

#define ROWS_F(R, n, g, s) R(n, f32, float, g, s)
#define ROWS_D(R, n, g, s) R(n, f64, double, g, s)
#define ROWS_I(R, n, g, s) R(n, i32, int32_t, g, s)
#define ROWS_U(R, n, g, s) R(n, u8, uint8_t, g, s)
#define ROWS_L(R, n, g, s) R(n, i64, int64_t, g, s)
#define ROWS_FD(R, n, g, s) ROWS_F(R, n, g, s) ROWS_D(R, n, g, s)
#define ROWS_FDI(R, n, g, s) ROWS_FD(R, n, g, s) ROWS_I(R, n, g, s)
#define ROWS_FDIU(R, n, g, s) ROWS_FDI(R, n, g, s) ROWS_U(R, n, g, s)
#define ROWS_FDIUL(R, n, g, s) ROWS_FDIU(R, n, g, s) ROWS_L(R, n, g, s)
