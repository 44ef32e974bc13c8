// Plain C++ baselines of the projection benchmarks, compiled with -O3 -march=native and called through FFM.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

extern "C" {

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
