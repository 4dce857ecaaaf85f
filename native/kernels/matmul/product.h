// What the ways of computing a matrix product share: the matrices and their chains.
#pragma once

#include "pack.h"

// Numbers of k in one chain: fixed by the contract.
constexpr int64_t kChain = 256;

// Multiply-adds that are worth a thread of their own: some 3 µs.
constexpr int64_t kProductGrain = 1 << 17;

template <class T>
struct Matrix {
  T* p;
  int64_t row, column;  // strides
  T* at(int64_t i, int64_t j) const { return p + i * row + j * column; }
};

// c = a·b, a being m×k, b k×n. c may not overlap a or b.
template <class T>
struct Product {
  int64_t m, k, n;
  Matrix<const T> a, b;
  Matrix<T> c;
};
