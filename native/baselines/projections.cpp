// Plain C++ baselines of the projection benchmarks, compiled with -O3 -march=native and called through FFM.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "baselines.h"

extern "C" {

// Compiler and options of this file.
const char *baseline_build() {
    return PARE_BASELINES_BUILD;
}

// The widest vectors, in bits, that the quickselect has on this processor, and at most so many; 0 if it has none.
int64_t baseline_quickselect_bits(int64_t most) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
            && __builtin_cpu_supports("fma");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl");
    return v4 && most >= 512 ? 512 : v3 && most >= 256 ? 256 : 0;
#else
    (void) most;
    return 0;
#endif
}

// Top-k by magnitude: a quickselect on vectors of so many bits, then a mask as below. Rule 0 takes the median of a sample
// as pivot, rule 1 the sample's value near the rank sought. The three ranges lie apart.
void baseline_quickselect(const float *x, float *z, float *scratch, int64_t n, int64_t k, int64_t bits, int64_t rule) {
#if defined(__x86_64__)
    const Pivot pivot = rule == 0 ? Pivot::MEDIAN : Pivot::NEAR_RANK;
    if (bits == 512) {
        quickselect_avx512(x, z, scratch, n, k, pivot);
    } else {
        quickselect_avx2(x, z, scratch, n, k, pivot);
    }
#else
    (void) x, (void) z, (void) scratch, (void) n, (void) k, (void) bits, (void) rule;
#endif
}

// Top-k by magnitude: std::nth_element on a scratch copy of the magnitudes, then a mask with exactly k survivors, the
// lowest index among equals.
void baseline_nth_element(const float *x, float *z, float *scratch, int64_t n, int64_t k) {
    if (k <= 0) {
        std::memset(z, 0, n * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        scratch[i] = std::fabs(x[i]);
    }
    std::nth_element(scratch, scratch + (k - 1), scratch + n, std::greater<float>());
    const float threshold = scratch[k - 1];
    int64_t ties = k;
    for (int64_t i = 0; i < k; i++) {
        ties -= scratch[i] > threshold;
    }
    for (int64_t i = 0; i < n; i++) {
        const float magnitude = std::fabs(x[i]);
        const bool tie = magnitude == threshold && ties > 0;
        ties -= tie;
        z[i] = magnitude > threshold || tie ? x[i] : 0.0f;
    }
}

// Lloyd's algorithm in one dimension from the ascending codebook given, zeros left out, until no codeword moves or the
// rounds are over; then the values. Returns the rounds.
int64_t baseline_lloyd(const float *x, float *z, int64_t n, float *codebook, int64_t m, int64_t most) {
    std::vector<double> sums(m);
    std::vector<int64_t> counts(m);
    std::vector<float> cuts(m);
    int64_t rounds = 0;
    bool moved = true;
    auto nearest = [&](float v) {
        int64_t code = 0;
        for (int64_t j = 0; j + 1 < m; j++) {
            code += v > cuts[j];
        }
        return code;
    };
    auto cut = [&] {
        for (int64_t j = 0; j + 1 < m; j++) {
            cuts[j] = (float) (((double) codebook[j] + codebook[j + 1]) / 2);
        }
    };
    while (moved && rounds < most) {
        cut();
        std::fill(sums.begin(), sums.end(), 0.0);
        std::fill(counts.begin(), counts.end(), 0);
        for (int64_t i = 0; i < n; i++) {
            if (x[i] != 0) {
                const int64_t code = nearest(x[i]);
                sums[code] += x[i];
                counts[code]++;
            }
        }
        moved = false;
        for (int64_t j = 0; j < m; j++) {
            if (counts[j] > 0) {
                const float mean = (float) (sums[j] / counts[j]);
                moved |= mean != codebook[j];
                codebook[j] = mean;
            }
        }
        rounds++;
    }
    cut();
    for (int64_t i = 0; i < n; i++) {
        z[i] = x[i] == 0 ? 0 : codebook[nearest(x[i])];
    }
    return rounds;
}

}
