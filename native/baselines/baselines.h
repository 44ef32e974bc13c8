// What the C++ baselines of the benchmarks share.
#pragma once
#include <cstdint>

enum class Pivot { MEDIAN, NEAR_RANK };

// The same quickselect on vectors of 256 and of 512 bits: for x86-64-v3 and x86-64-v4 only.
void quickselect_avx2(const float *x, float *z, float *scratch, int64_t n, int64_t k, Pivot rule);
void quickselect_avx512(const float *x, float *z, float *scratch, int64_t n, int64_t k, Pivot rule);
