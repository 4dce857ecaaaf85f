// Expands a row of kernels.def into one ROW(name, tag, type, signature, scalars) per element type.
// Whoever includes kernels.def defines ROW first and undefines it after.
#pragma once

#define KERNEL(name, dtypes, signature, scalars) ROWS_##dtypes(name, signature, scalars)

#define ROWS_F(n, g, s) ROW(n, f32, float, g, s)
#define ROWS_D(n, g, s) ROW(n, f64, double, g, s)
#define ROWS_I(n, g, s) ROW(n, i32, int32_t, g, s)
#define ROWS_U(n, g, s) ROW(n, u8, uint8_t, g, s)
#define ROWS_L(n, g, s) ROW(n, i64, int64_t, g, s)
#define ROWS_FD(n, g, s) ROWS_F(n, g, s) ROWS_D(n, g, s)
#define ROWS_FDI(n, g, s) ROWS_FD(n, g, s) ROWS_I(n, g, s)
#define ROWS_FDIU(n, g, s) ROWS_FDI(n, g, s) ROWS_U(n, g, s)
#define ROWS_FDIUL(n, g, s) ROWS_FDIU(n, g, s) ROWS_L(n, g, s)
