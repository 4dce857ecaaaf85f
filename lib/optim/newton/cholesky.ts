/**
 * Linear systems with a symmetric positive definite matrix, dense, in float64: A = LLᵀ (Cholesky), then two triangular
 * solves. Only the lower triangle of A is read.
 */

/**
 * Overwrites the lower triangle of the row-major n×n matrix with L. Returns false where A is not positive definite to
 * working precision, NaN included; the matrix is then partly overwritten.
 */
export function factorize(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i > j) a[i * n + j] = sum / a[j * n + j];
      // A pivot that is rounding of the diagonal element is as good as zero.
      else if (sum > n * Number.EPSILON * Math.abs(a[i * n + i])) a[i * n + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

/** x with LLᵀx = b, for the factor that `factorize` left. */
export function solveFactored(l: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
    x[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= l[k * n + i] * x[k];
    x[i] /= l[i * n + i];
  }
  return x;
}
