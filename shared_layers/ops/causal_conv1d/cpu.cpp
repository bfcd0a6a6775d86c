// Causal depthwise convolution of (B, T, C) rows, the channel running fastest: no transposes.
//
//   y[t] = b + sum_j w[j] x[t - (K-1) + j]       or, reversed in time, x[t + (K-1) - j]
//
// Weights come as (K, C).  Rows before the start (after the end) of the sequence are zeros.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

template <class T>
struct Simd {
  typedef T type __attribute__((vector_size(VECTOR_BYTES), aligned(alignof(T)), may_alias));
  static constexpr int64_t width = VECTOR_BYTES / sizeof(T);
};
template <class T>
using Vec = typename Simd<T>::type;

template <class T>
static inline Vec<T> load(const T* p) { return *reinterpret_cast<const Vec<T>*>(p); }

constexpr int TAPS = 4;  // kernel positions handled together; longer kernels take several rounds

struct Shape {
  int64_t batch, steps, channels, taps, reversed, threads;
  explicit Shape(const int64_t* a)
      : batch(a[0]), steps(a[1]), channels(a[2]), taps(a[3]), reversed(a[4]), threads(a[5]) {}
  // The step that kernel position j reads for output step t.
  int64_t source(int64_t t, int64_t j) const { return reversed ? t + taps - 1 - j : t - taps + 1 + j; }
};

template <class T>
static void row_sum(int64_t channels, const T* const* x, const T* const* w, const T* start, T* __restrict out) {
  const T *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3], *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
#pragma GCC ivdep
  for (int64_t c = 0; c < channels; ++c)
    out[c] = ((start[c] + w0[c] * x0[c]) + w1[c] * x1[c]) + (w2[c] * x2[c] + w3[c] * x3[c]);
}

template <class T>
static void forward(const int64_t* args, const T* x, const T* weight, const T* bias, T* out) {
  const Shape s(args);
  const std::vector<T> zeros(s.channels, T(0));
  const int64_t rows = s.batch * s.steps;
#pragma omp parallel for num_threads(s.threads) schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t t = row % s.steps;
    const T* sequence = x + (row - t) * s.channels;
    T* target = out + row * s.channels;
    for (int64_t first = 0; first < s.taps; first += TAPS) {
      const T *inputs[TAPS], *weights[TAPS];
      for (int64_t k = 0; k < TAPS; ++k) {
        const int64_t j = first + k, step = s.source(t, j);
        const bool is_inside = j < s.taps && step >= 0 && step < s.steps;
        inputs[k] = is_inside ? sequence + step * s.channels : zeros.data();
        weights[k] = j < s.taps ? weight + j * s.channels : zeros.data();
      }
      const T* start = first > 0 ? target : (bias ? bias : zeros.data());
      row_sum(s.channels, inputs, weights, start, target);
    }
  }
}

// Two vectors of channels by TAPS kernel positions stay in registers over all steps.
template <class T>
static void weight_block(const Shape& s, const T* x, const T* grad, int64_t first, int64_t c, int64_t count,
                         T* out) {
  constexpr int64_t width = Simd<T>::width;
  const bool is_full = count == 2 * width;
  T edge_x[2 * width] = {}, edge_g[2 * width] = {};
  Vec<T> total[TAPS][2] = {};
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t begin = 0; begin < s.steps; begin += 512) {
      // Partial sums over 512 steps keep the rounding error of long sequences small.
      Vec<T> sum[TAPS][2] = {};
      for (int64_t t = begin; t < std::min(begin + 512, s.steps); ++t) {
        const T* g = grad + (b * s.steps + t) * s.channels + c;
        if (!is_full) g = static_cast<T*>(std::memcpy(edge_g, g, count * sizeof(T)));
        const Vec<T> g0 = load(g), g1 = load(g + width);
#pragma GCC unroll 4
        for (int k = 0; k < TAPS; ++k) {
          const int64_t step = s.source(t, first + k);
          if (step < 0 || step >= s.steps) continue;
          const T* row = x + (b * s.steps + step) * s.channels + c;
          if (!is_full) row = static_cast<T*>(std::memcpy(edge_x, row, count * sizeof(T)));
          sum[k][0] += g0 * load(row);
          sum[k][1] += g1 * load(row + width);
        }
      }
      for (int k = 0; k < TAPS; ++k)
        for (int i = 0; i < 2; ++i) total[k][i] += sum[k][i];
    }
  for (int64_t k = 0; k < std::min<int64_t>(TAPS, s.taps - first); ++k)
    std::memcpy(out + (first + k) * s.channels + c, &total[k][0], count * sizeof(T));
}

template <class T>
static void grad_weight(const int64_t* args, const T* x, const T* grad, T* out) {
  const Shape s(args);
  const int64_t block = 2 * Simd<T>::width, blocks = (s.channels + block - 1) / block;
#pragma omp parallel for num_threads(s.threads) schedule(static)
  for (int64_t i = 0; i < blocks; ++i)
    for (int64_t first = 0; first < s.taps; first += TAPS)
      weight_block(s, x, grad, first, i * block, std::min(block, s.channels - i * block), out);
}

extern "C" {
void forward_f32(const int64_t* a, const float* x, const float* w, const float* b, float* o) { forward(a, x, w, b, o); }
void forward_f64(const int64_t* a, const double* x, const double* w, const double* b, double* o) { forward(a, x, w, b, o); }
void grad_weight_f32(const int64_t* a, const float* x, const float* g, float* o) { grad_weight(a, x, g, o); }
void grad_weight_f64(const int64_t* a, const double* x, const double* g, double* o) { grad_weight(a, x, g, o); }
}
