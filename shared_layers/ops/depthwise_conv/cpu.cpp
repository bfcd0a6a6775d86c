// Depthwise convolution of contiguous (N, C, D, H, W) tensors, one (n, c) plane at a time.
//
// Each plane is copied once into a zero-padded scratch, so the inner loops have no borders.  The
// forward tile keeps ROWS x VECS output vectors in registers: an input vector is loaded once and
// used for ROWS rows of the kernel, a weight is broadcast once and used for VECS vectors.  Rows of
// a tile lie `dilation` apart, so that a dilated kernel has the same reuse as a plain one.
// The input gradient is the forward pass with the kernel mirrored.  The weight gradient keeps
// TY x TX kernel positions in registers and sums over the plane.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
constexpr int MAX_VECS = 4;
#elif defined(__AVX__)
#define VECTOR_BYTES 32
constexpr int MAX_VECS = 2;
#else
#define VECTOR_BYTES 16
constexpr int MAX_VECS = 2;
#endif
constexpr int ROWS = 4;

template <class T>
struct Simd {
  typedef T type __attribute__((vector_size(VECTOR_BYTES), aligned(alignof(T)), may_alias));
  static constexpr int64_t width = VECTOR_BYTES / sizeof(T);
};
template <class T>
using Vec = typename Simd<T>::type;

template <class T>
static inline Vec<T> load(const T* p) { return *reinterpret_cast<const Vec<T>*>(p); }

struct Shape {
  int64_t n, c;
  int64_t size[3], kernel[3], dilation[3], padding[3];
  int64_t threads, mirrored;
  int64_t out[3];
  explicit Shape(const int64_t* a) : n(a[0]), c(a[1]), threads(a[14]), mirrored(a[15]) {
    for (int i = 0; i < 3; ++i) {
      size[i] = a[2 + i];
      kernel[i] = a[5 + i];
      dilation[i] = a[8 + i];
      padding[i] = a[11 + i];
      out[i] = size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1);
    }
  }
  int64_t volume() const { return size[0] * size[1] * size[2]; }
  int64_t out_volume() const { return out[0] * out[1] * out[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

static int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// A plane with margins: `at(z, y)` is the row y of slice z, both counted from the margin's start.
template <class T>
struct Plane {
  int64_t rows, stride;
  std::vector<T> data;
  Plane(int64_t slices, int64_t rows_, int64_t stride_)
      : rows(rows_), stride(stride_), data(slices * rows_ * stride_ + 2 * Simd<T>::width, T(0)) {}
  T* at(int64_t z, int64_t y) { return data.data() + (z * rows + y) * stride; }
  void fill(const T* source, const int64_t* size, const int64_t* margin) {
    for (int64_t z = 0; z < size[0]; ++z)
      for (int64_t y = 0; y < size[1]; ++y)
        std::memcpy(at(z + margin[0], y + margin[1]) + margin[2],
                    source + (z * size[1] + y) * size[2], size[2] * sizeof(T));
  }
};

// Rows LOW..HIGH of the tile meet kernel row `weight_row`, `weight_row - 1`, ...
template <class T, int NROWS, int NVECS, int LOW, int HIGH>
static inline __attribute__((always_inline)) void accumulate(Vec<T> (&sum)[NROWS][NVECS], const T* row,
                                                             const T* weight, int64_t taps_x,
                                                             int64_t step_x) {
  for (int64_t kx = 0; kx < taps_x; ++kx, row += step_x) {
    Vec<T> value[NVECS];
#pragma GCC unroll 8
    for (int v = 0; v < NVECS; ++v) value[v] = load(row + v * Simd<T>::width);
#pragma GCC unroll 4
    for (int r = LOW; r <= HIGH; ++r) {
      const T w = weight[kx - r * taps_x];
#pragma GCC unroll 8
      for (int v = 0; v < NVECS; ++v) sum[r][v] += w * value[v];
    }
  }
}

template <class T, int NROWS, int NVECS>
static void forward_tile(const Shape& s, Plane<T>& in, const T* weight, T bias, int64_t z, int64_t y,
                         int64_t x, T* out) {
  Vec<T> sum[NROWS][NVECS];
#pragma GCC unroll 4
  for (int r = 0; r < NROWS; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < NVECS; ++v) sum[r][v] = Vec<T>{} + bias;
  const int64_t ky_n = s.kernel[1], kx_n = s.kernel[2], dx = s.dilation[2];
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz) {
    const T* w = weight + kz * ky_n * kx_n;
    const T* row = in.at(z + kz * s.dilation[0], y) + x;
    const int64_t step = s.dilation[1] * in.stride;
    for (int64_t j = 0; j < ky_n + NROWS - 1; ++j, row += step, w += kx_n) {
      if constexpr (NROWS == 1) {
        accumulate<T, 1, NVECS, 0, 0>(sum, row, w, kx_n, dx);
      } else {
        const int64_t low = std::max<int64_t>(0, j - ky_n + 1), high = std::min<int64_t>(NROWS - 1, j);
        switch (low * 4 + high) {
#define CASE(L, H) \
  case L * 4 + H: accumulate<T, NROWS, NVECS, L, H>(sum, row, w, kx_n, dx); break;
          CASE(0, 3) CASE(0, 0) CASE(0, 1) CASE(0, 2) CASE(1, 1) CASE(1, 2) CASE(1, 3) CASE(2, 2)
          CASE(2, 3) CASE(3, 3)
#undef CASE
        }
      }
    }
  }
  const int64_t columns = std::min<int64_t>(NVECS * Simd<T>::width, s.out[2] - x);
  for (int r = 0; r < NROWS; ++r) {
    const int64_t oy = y + r * s.dilation[1];
    if (oy < s.out[1])
      std::memcpy(out + (z * s.out[1] + oy) * s.out[2] + x, &sum[r][0], columns * sizeof(T));
  }
}

template <class T, int NROWS, int MAX>
static void forward_row(const Shape& s, Plane<T>& in, const T* weight, T bias, int64_t z, int64_t y, T* out) {
  int64_t vecs = (s.out[2] + Simd<T>::width - 1) / Simd<T>::width, x = 0;
  while (vecs > 0) {
    // Even shares: 5 vectors are cheaper as 3 + 2 than as 4 + 1.
    const int64_t parts = (vecs + MAX - 1) / MAX, now = (vecs + parts - 1) / parts;
    switch (now) {
      case 1: forward_tile<T, NROWS, 1>(s, in, weight, bias, z, y, x, out); break;
      case 2: forward_tile<T, NROWS, 2>(s, in, weight, bias, z, y, x, out); break;
      case 3: forward_tile<T, NROWS, 3>(s, in, weight, bias, z, y, x, out); break;
      default: forward_tile<T, NROWS, 4>(s, in, weight, bias, z, y, x, out); break;
    }
    x += now * Simd<T>::width;
    vecs -= now;
  }
}

template <class T>
static void forward(const int64_t* args, const T* x, const T* weight, const T* bias, T* out) {
  const Shape s(args);
  const int64_t width = Simd<T>::width;
  const int64_t stride = round_up(std::max(s.size[2] + 2 * s.padding[2],
                                           round_up(s.out[2], width) + s.dilation[2] * (s.kernel[2] - 1)),
                                  width);
  const int64_t rows = s.size[1] + 2 * s.padding[1] + ROWS * s.dilation[1];
#pragma omp parallel num_threads(s.threads)
  {
    Plane<T> in(s.size[0] + 2 * s.padding[0], rows, stride);
    std::vector<T> kernel(s.taps());
#pragma omp for schedule(static)
    for (int64_t plane = 0; plane < s.n * s.c; ++plane) {
      const int64_t c = plane % s.c, taps = s.taps();
      for (int64_t i = 0; i < taps; ++i) kernel[i] = weight[c * taps + (s.mirrored ? taps - 1 - i : i)];
      in.fill(x + plane * s.volume(), s.size, s.padding);
      T* target = out + plane * s.out_volume();
      const T b = bias ? bias[c] : T(0);
      for (int64_t z = 0; z < s.out[0]; ++z) {
        if (s.out[1] == 1) {
          forward_row<T, 1, 4>(s, in, kernel.data(), b, z, 0, target);
          continue;
        }
        for (int64_t phase = 0; phase < std::min(s.dilation[1], s.out[1]); ++phase)
          for (int64_t y = phase; y < s.out[1]; y += ROWS * s.dilation[1])
            forward_row<T, ROWS, MAX_VECS>(s, in, kernel.data(), b, z, y, target);
      }
    }
  }
}

template <class T, int TY, int TX>
static void weight_tile(const Shape& s, Plane<T>& in, Plane<T>& grad, int64_t kz, int64_t ky, int64_t kx,
                        int64_t margin, T* out) {
  Vec<T> sum[TY][TX];
#pragma GCC unroll 8
  for (int a = 0; a < TY; ++a)
#pragma GCC unroll 8
    for (int b = 0; b < TX; ++b) sum[a][b] = Vec<T>{};
  const int64_t dy = s.dilation[1], dx = s.dilation[2], back = dy * grad.stride;
  for (int64_t z = 0; z < s.out[0]; ++z)
    for (int64_t y = 0; y < s.out[1] + (TY - 1) * dy; ++y) {
      const T* row = in.at(z + kz * s.dilation[0], y + ky * dy) + kx * dx;
      const T* g = grad.at(z, y + margin);
      for (int64_t x = 0; x < s.out[2]; x += Simd<T>::width) {
        Vec<T> gradient[TY];
#pragma GCC unroll 8
        for (int a = 0; a < TY; ++a) gradient[a] = load(g + x - a * back);
#pragma GCC unroll 8
        for (int b = 0; b < TX; ++b) {
          const Vec<T> value = load(row + x + b * dx);
#pragma GCC unroll 8
          for (int a = 0; a < TY; ++a) sum[a][b] += gradient[a] * value;
        }
      }
    }
  for (int a = 0; a < TY && ky + a < s.kernel[1]; ++a)
    for (int b = 0; b < TX; ++b) {
      T total = 0;
      for (int64_t i = 0; i < Simd<T>::width; ++i) total += sum[a][b][i];
      out[((kz * s.kernel[1]) + ky + a) * s.kernel[2] + kx + b] += total;
    }
}

template <class T, int TY>
static void weight_columns(const Shape& s, Plane<T>& in, Plane<T>& grad, int64_t kz, int64_t ky,
                           int64_t margin, T* out) {
  const int64_t most = TY == 5 ? 5 : 7;
  int64_t kx = 0, left = s.kernel[2];
  while (left > 0) {
    const int64_t parts = (left + most - 1) / most, now = (left + parts - 1) / parts;
    switch (now) {
      case 1: weight_tile<T, TY, 1>(s, in, grad, kz, ky, kx, margin, out); break;
      case 2: weight_tile<T, TY, 2>(s, in, grad, kz, ky, kx, margin, out); break;
      case 3: weight_tile<T, TY, 3>(s, in, grad, kz, ky, kx, margin, out); break;
      case 4: weight_tile<T, TY, 4>(s, in, grad, kz, ky, kx, margin, out); break;
      case 5: weight_tile<T, TY, 5>(s, in, grad, kz, ky, kx, margin, out); break;
      case 6: weight_tile<T, TY, 6>(s, in, grad, kz, ky, kx, margin, out); break;
      default: weight_tile<T, TY, 7>(s, in, grad, kz, ky, kx, margin, out); break;
    }
    kx += now;
    left -= now;
  }
}

template <class T>
static void grad_weight(const int64_t* args, const T* x, const T* gradient, T* out) {
  const Shape s(args);
  const int64_t width = Simd<T>::width, taps_y = s.kernel[1];
  const int64_t columns = round_up(s.out[2], width);
  const int64_t stride = round_up(std::max(s.size[2] + 2 * s.padding[2],
                                           columns + s.dilation[2] * (s.kernel[2] - 1)), width);
  const int64_t margin = 4 * s.dilation[1];
  const int64_t rows = s.size[1] + 2 * s.padding[1] + margin;
  const int64_t grad_margin[3] = {0, margin, 0};
  std::memset(out, 0, s.c * s.taps() * sizeof(T));
#pragma omp parallel num_threads(s.threads)
  {
    Plane<T> in(s.size[0] + 2 * s.padding[0], rows, stride);
    Plane<T> grad(s.out[0], s.out[1] + 2 * margin, columns);
#pragma omp for schedule(static)
    for (int64_t c = 0; c < s.c; ++c)
      for (int64_t n = 0; n < s.n; ++n) {
        in.fill(x + (n * s.c + c) * s.volume(), s.size, s.padding);
        grad.fill(gradient + (n * s.c + c) * s.out_volume(), s.out, grad_margin);
        T* target = out + c * s.taps();
        for (int64_t kz = 0; kz < s.kernel[0]; ++kz)
          for (int64_t ky = 0; ky < taps_y;) {
            // Five rows at a time is fastest where they fill up; then four or three, one alone last.
            const int64_t left = taps_y - ky;
            const bool is_five = left == 5 || (left > 8 && left != 12);
            const int64_t rows_now = is_five ? 5 : left % 4 == 0 ? 4 : left == 1 ? 1 : 3;
            switch (rows_now) {
              case 5: weight_columns<T, 5>(s, in, grad, kz, ky, margin, target); break;
              case 4: weight_columns<T, 4>(s, in, grad, kz, ky, margin, target); break;
              case 3: weight_columns<T, 3>(s, in, grad, kz, ky, margin, target); break;
              default: weight_columns<T, 1>(s, in, grad, kz, ky, margin, target); break;
            }
            ky += rows_now;
          }
      }
  }
}

extern "C" {
void forward_f32(const int64_t* a, const float* x, const float* w, const float* b, float* o) { forward(a, x, w, b, o); }
void forward_f64(const int64_t* a, const double* x, const double* w, const double* b, double* o) { forward(a, x, w, b, o); }
void grad_weight_f32(const int64_t* a, const float* x, const float* g, float* o) { grad_weight(a, x, g, o); }
void grad_weight_f64(const int64_t* a, const double* x, const double* g, double* o) { grad_weight(a, x, g, o); }
}
