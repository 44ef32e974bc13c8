// Top-k by magnitude with a quickselect on vectors, the peer of the projection benchmarks. Compiled once for AVX2 and once
// for AVX-512 (cmake/baselines.cmake), so that one library has both and a caller may choose the narrower.
//
// Quickselect after Hoare (Algorithm 65, CACM 4(7), 1961); vectors are split by packing lanes, with a table of
// permutations on AVX2 and with compress on AVX-512. The pivot is the median of a sample, as libraries of sorts choose
// it, or what the sample puts near the rank sought (Floyd and Rivest, CACM 18(3), 1975), which takes fewer rounds.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <immintrin.h>

#include "baselines.h"

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
using Vector = __m512i;
using Mask = __mmask16;

inline Vector load(const void *from) { return _mm512_loadu_si512(from); }
inline void store(void *to, Vector v) { _mm512_storeu_si512(to, v); }
inline Vector all(int32_t v) { return _mm512_set1_epi32(v); }
inline Vector both(Vector a, Vector b) { return _mm512_and_si512(a, b); }
inline Mask greater(Vector a, Vector b) { return _mm512_cmpgt_epi32_mask(a, b); }
inline Mask equal(Vector a, Vector b) { return _mm512_cmpeq_epi32_mask(a, b); }
inline Vector pack(Vector v, Mask m) { return _mm512_maskz_compress_epi32(m, v); }
inline Vector keep(Vector v, Mask m) { return _mm512_maskz_mov_epi32(m, v); }
#else
constexpr int LANES = 8;
using Vector = __m256i;
using Mask = uint8_t;

// The indices of the lanes whose bit is set, in order, one byte each.
constexpr std::array<uint64_t, 256> packings() {
    std::array<uint64_t, 256> table{};
    for (int mask = 0; mask < 256; mask++) {
        int at = 0;
        for (int lane = 0; lane < 8; lane++) {
            if (mask >> lane & 1) {
                table[mask] |= (uint64_t) lane << 8 * at++;
            }
        }
    }
    return table;
}

alignas(64) constexpr std::array<uint64_t, 256> PACKINGS = packings();

inline Vector load(const void *from) { return _mm256_loadu_si256((const Vector *) from); }
inline void store(void *to, Vector v) { _mm256_storeu_si256((Vector *) to, v); }
inline Vector all(int32_t v) { return _mm256_set1_epi32(v); }
inline Vector both(Vector a, Vector b) { return _mm256_and_si256(a, b); }
inline Mask bits(Vector lanes) { return (Mask) _mm256_movemask_ps(_mm256_castsi256_ps(lanes)); }
inline Mask greater(Vector a, Vector b) { return bits(_mm256_cmpgt_epi32(a, b)); }
inline Mask equal(Vector a, Vector b) { return bits(_mm256_cmpeq_epi32(a, b)); }
inline Vector pack(Vector v, Mask m) {
    return _mm256_permutevar8x32_epi32(v, _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t) PACKINGS[m])));
}
inline Vector keep(Vector v, Mask m) {
    const Vector bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return both(v, _mm256_cmpeq_epi32(both(all(m), bit), bit));
}
#endif

// A magnitude is a float without its sign; as integers, magnitudes are in the same order.
constexpr int32_t UNSIGNED = 0x7fffffff;
// As few as this are left to std::nth_element, and what so many rounds have not ended.
constexpr int64_t SMALL = 64;
constexpr int MOST_ROUNDS = 128;

// Puts what is above the pivot at the front of `above`, which may be `from`, and the rest at the front of `rest`. Returns
// how many are above. A vector is stored whole: what it has too much is overwritten, or lies within the first n.
int64_t split(const int32_t *from, int32_t *above, int32_t *rest, int64_t n, int32_t pivot) {
    const Vector magnitude = all(UNSIGNED);
    const Vector bound = all(pivot);
    int64_t up = 0;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        const Vector v = both(load(from + i), magnitude);
        const Vector w = both(load(from + i + LANES), magnitude);
        const Mask m = greater(v, bound);
        const Mask l = greater(w, bound);
        const int64_t next = up + __builtin_popcount(m);
        store(above + up, pack(v, m));
        store(above + next, pack(w, l));
        store(rest + (i - up), pack(v, (Mask) ~m));
        store(rest + (i + LANES - next), pack(w, (Mask) ~l));
        up = next + __builtin_popcount(l);
    }
    for (; i < n; i++) {
        const int32_t v = from[i] & UNSIGNED;
        const int64_t down = i - up;
        if (v > pivot) {
            above[up++] = v;
        } else {
            rest[down] = v;
        }
    }
    return up;
}

// A pivot for the k-th greatest of n. A sample's rank is moved towards the middle, so that the smaller side of a split
// mostly holds the k-th.
int32_t pivot(const int32_t *from, int64_t n, int64_t k, Pivot rule) {
    constexpr int MOST = 512;
    int32_t sample[MOST];
    const int64_t one_of = rule == Pivot::MEDIAN ? 256 : 64;
    const int count = (int) std::min<int64_t>(MOST, std::max<int64_t>(16, n / one_of));
    for (int i = 0; i < count; i++) {
        sample[i] = from[(2 * i + 1) * n / (2 * count)] & UNSIGNED;
    }
    int rank = count / 2;
    if (rule == Pivot::NEAR_RANK) {
        const int wanted = (int) (k * count / n);
        // Twice the deviation of the rank that the k-th has in a sample.
        const int margin = 2 + (int) (2 * std::sqrt((double) wanted * (count - wanted) / count));
        rank = std::min(std::max(wanted < rank ? wanted + margin : wanted - margin, 0), count - 1);
    }
    std::nth_element(sample, sample + rank, sample + count, [](int32_t a, int32_t b) { return a > b; });
    return sample[rank];
}

// The k-th greatest magnitude of x, and in `ties` how many of its equals are among the k greatest.
int32_t select(const int32_t *x, int32_t *scratch, int32_t *other, int64_t n, int64_t k, Pivot rule,
               int64_t &ties) {
    const int32_t *from = x;
    int32_t *here = scratch;
    int32_t *there = other;
    for (int rounds = 0; n > SMALL && rounds < MOST_ROUNDS; rounds++) {
        const int32_t bound = pivot(from, n, k, rule);
        const int64_t up = split(from, here, there, n, bound);
        if (k <= up) {
            from = here;
            n = up;
            continue;
        }
        k -= up;
        n -= up;
        from = there;
        std::swap(here, there);
        if (up == 0) {
            // The pivot is the greatest: split off its equals, or many of them would hold the search up.
            const int64_t equals = split(from, here, there, n, bound - 1);
            if (k <= equals) {
                ties = k;
                return bound;
            }
            k -= equals;
            n -= equals;
            from = there;
            std::swap(here, there);
        }
    }
    if (from == x) {
        split(x, here, there, n, -1);
    }
    std::nth_element(here, here + (k - 1), here + n, [](int32_t a, int32_t b) { return a > b; });
    const int32_t found = here[k - 1];
    ties = k - std::count_if(here, here + k, [=](int32_t v) { return v > found; });
    return found;
}

// z = x where the magnitude is above the threshold or among the first of its equals, 0 elsewhere.
void mask(const int32_t *x, int32_t *z, int64_t n, int32_t threshold, int64_t ties) {
    const Vector magnitude = all(UNSIGNED);
    const Vector bound = all(threshold);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const Vector v = load(x + i);
        const Vector m = both(v, magnitude);
        unsigned kept = greater(m, bound);
        unsigned equals = equal(m, bound);
        if (__builtin_expect(equals != 0, 0)) {
            for (; equals != 0 && ties > 0; equals &= equals - 1, ties--) {
                kept |= equals & -equals;
            }
        }
        store(z + i, keep(v, (Mask) kept));
    }
    for (; i < n; i++) {
        const int32_t m = x[i] & UNSIGNED;
        const bool tie = m == threshold && ties > 0;
        ties -= tie;
        z[i] = m > threshold || tie ? x[i] : 0;
    }
}

}

void PARE_QUICKSELECT(const float *x, float *z, float *scratch, int64_t n, int64_t k, Pivot rule) {
    if (k <= 0) {
        std::memset(z, 0, n * sizeof(float));
        return;
    }
    int64_t ties;
    const int32_t threshold = select((const int32_t *) x, (int32_t *) scratch, (int32_t *) z, n, k,
                                     rule, ties);
    mask((const int32_t *) x, (int32_t *) z, n, threshold, ties);
}
