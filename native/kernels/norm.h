// Layer and batch normalization and their gradients. Any strides; no output may overlap another operand.
// Means and variances take two passes in the contract's order of additions; NaN and ∞ spread over their row
// or channel.
#pragma once

#include "lines.h"

// 1/√(variance + eps).
template <class T>
typename Vec<T>::V reciprocal_deviation(typename Vec<T>::V variance, T eps) {
  using X = Vec<T>;
  return X::div(X::set1(1), X::sqrt(X::add(variance, X::set1(eps))));
}

// h = (x − mean)·rstd.
template <class T, class V>
V normalized(V x, V mean, V rstd) {
  return Vec<T>::mul(Vec<T>::sub(x, mean), rstd);
}

#include "batch_norm.h"
#include "layer_norm.h"
