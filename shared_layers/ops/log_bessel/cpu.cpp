// log I_v(x) and log K_v(x) of real order v >= 0 and x > 0, with I_{v+1}/I_v and K_{v+1}/K_v.
//
// With w = sqrt(v^2 + x^2), q = (v/w)^2 and t = x^2/4, the pairs are sorted into regions:
//   w >= 18          Debye's uniform expansion, 20 to 5 terms (DLMF 10.41.3-4, 10.41.9)
//   else, for I      the power series, all terms positive (DLMF 10.25.2)
//   else, for K      x <= 2: Temme's series and the upward recurrence in v;
//                    x > 2: the trapezoid rule on the integral of exp(-x cosh s) cosh(v s)
// Each region runs on full vectors; exp and log are written out so that no vector library is needed.
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

typedef double Vec __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t Int __attribute__((vector_size(VECTOR_BYTES)));
constexpr int WIDTH = VECTOR_BYTES / 8;
constexpr int BLOCK = 512;
constexpr double PI = 3.14159265358979323846, LN2 = 0.693147180559945309417;
constexpr double LN2_HIGH = 0x1.62e42fefa3800p-1, LN2_LOW = 0x1.ef35793c76730p-45;

static inline Vec square_root(Vec x) {
  Vec r;
  for (int i = 0; i < WIDTH; ++i) r[i] = __builtin_sqrt(x[i]);
  return r;
}

// exp for |x| < 708, smaller arguments give 0 to within 1e-307.
static inline Vec exponential(Vec x) {
  x = x < -708.0 ? Vec{} - 708.0 : x;
  const Vec magic = Vec{} + 0x1.8p52;
  const Vec shifted = x * (1 / LN2) + magic, n = shifted - magic;
  const Vec r = (x - n * LN2_HIGH) - n * LN2_LOW;
  double factor = 1.0 / 6227020800.0;  // 1/13!, then Horner's scheme
  Vec sum = Vec{} + factor;
  static const double inverse_factorial[13] = {1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600};
  for (int k = 12; k >= 0; --k) sum = sum * r + inverse_factorial[k];
  const Int scale = (Int)shifted << 52;
  return (Vec)((Int)sum + scale);
}

// log for positive finite x: 2 atanh((m-1)/(m+1)) + e log 2 with m in [sqrt(1/2), sqrt 2).
static inline Vec logarithm(Vec x) {
  const Int is_subnormal = x < 0x1p-1000;
  x = is_subnormal ? x * 0x1p200 : x;
  const Int bits = (Int)x - 0x3fe6a09e667f3bcdLL;  // minus the bits of sqrt(1/2)
  const Int e = bits >> 52;
  const Vec m = (Vec)((Int)x - (e << 52));
  const Vec f = m - 1.0, s = f / (f + 2.0), z = s * s;
  Vec sum = Vec{} + 1.0 / 23;
  for (int k = 21; k >= 3; k -= 2) sum = sum * z + 1.0 / k;
  const Vec n = __builtin_convertvector(e, Vec) - (is_subnormal ? Vec{} + 200.0 : Vec{});
  return n * LN2_HIGH + (2.0 * s + (2.0 * s * z * sum + n * LN2_LOW));
}

constexpr int DEBYE_TERMS = 20;
// u_k(p) = p^k sum_j DEBYE[k][j] q^j with q = p^2 (DLMF 10.41.9); SLOPE is the same for
// k U + 2 q dU/dq, which the derivative needs.
static double DEBYE[DEBYE_TERMS + 1][DEBYE_TERMS + 1], SLOPE[DEBYE_TERMS + 1][DEBYE_TERMS + 1];
// 1/Gamma(1+m) = sum_k RECIPROCAL_GAMMA[k] m^k (DLMF 5.7.1, shifted by one).
static const double RECIPROCAL_GAMMA[24] = {
    1.0, 0.57721566490153286061, -0.65587807152025388108, -0.042002635034095235529,
    0.1665386113822914895, -0.042197734555544336748, -0.0096219715278769735621, 0.0072189432466630995424,
    -0.0011651675918590651121, -0.00021524167411495097282, 0.00012805028238811618615, -0.000020134854780788238656,
    -1.2504934821426706573e-6, 1.1330272319816958824e-6, -2.0563384169776071035e-7, 6.1160951044814158179e-9,
    5.0020076444692229301e-9, -1.1812745704870201446e-9, 1.0434267116911005105e-10, 7.782263439905071254e-12,
    -3.6968056186422057082e-12, 5.100370287454475979e-13, -2.0583260535665067832e-14, -5.3481225394230179824e-15};
constexpr int NODES = 32;
constexpr double STEP = 0.14;
static double COSH_LESS_ONE[NODES + 1], COSH[NODES + 1];

static const bool tables_are_filled = [] {
  long double c[DEBYE_TERMS + 2][DEBYE_TERMS + 2] = {};
  c[0][0] = 1;
  for (int k = 0; k < DEBYE_TERMS; ++k)
    for (int j = 0; j <= k; ++j) {
      const long double m = k + 2 * j;
      c[k + 1][j] += c[k][j] * (m / 2 + 1 / (8 * (m + 1)));
      c[k + 1][j + 1] -= c[k][j] * (m / 2 + 5 / (8 * (m + 3)));
    }
  for (int k = 0; k <= DEBYE_TERMS; ++k)
    for (int j = 0; j <= k; ++j) {
      DEBYE[k][j] = c[k][j];
      SLOPE[k][j] = c[k][j] * (k + 2 * j);
    }
  for (int j = 0; j <= NODES; ++j) {
    const double half = std::sinh(j * STEP / 2);
    COSH_LESS_ONE[j] = 2 * half * half;
    COSH[j] = std::cosh(j * STEP);
  }
  return true;
}();

struct Pair { Vec log, ratio; };

template <int TERMS, bool IS_K, bool WITH_RATIO>
static inline Pair debye(Vec v, Vec x) {
  const Vec w = square_root(v * v + x * x), inverse = (IS_K ? -1.0 : 1.0) / w, p = v / w, q = p * p;
  Vec sum{}, slope{};
  for (int k = TERMS; k >= 1; --k) {
    Vec u = Vec{} + DEBYE[k][k], d = Vec{} + SLOPE[k][k];
    for (int j = k - 1; j >= 0; --j) {
      u = u * q + DEBYE[k][j];
      if (WITH_RATIO) d = d * q + SLOPE[k][j];
    }
    sum = (sum + u) * inverse;
    if (WITH_RATIO) slope = (slope + d) * inverse;
  }
  sum += 1.0;
  Pair out{};
  if constexpr (WITH_RATIO) {
    const Vec correction = x / (w * w) * (0.5 + slope / sum);
    out.ratio = IS_K ? (v + w) / x + correction : x / (v + w) - correction;
  } else {
    const Vec eta = w + v * logarithm(x / (v + w));
    const Vec size = sum * sum / w;
    out.log = IS_K ? 0.5 * logarithm(size * (PI / 2)) - eta : 0.5 * logarithm(size * (1 / (2 * PI))) + eta;
  }
  return out;
}

// log Gamma(z) for z >= 13 (DLMF 5.11.1).
static inline Vec log_gamma(Vec z) {
  const Vec r = 1.0 / z, s = r * r;
  static const double c[6] = {1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360};
  Vec sum = Vec{} + c[5];
  for (int k = 4; k >= 0; --k) sum = sum * s + c[k];
  return (z - 0.5) * logarithm(z) - z + 0.918938533204672741780 + sum * r;
}

// sum_k t^k / (k! (v+1)_k) as numerator and denominator: Horner's scheme without a division.
template <int TERMS>
static inline void power_series(Vec v, Vec t, Vec& numerator, Vec& denominator) {
  numerator = denominator = Vec{} + 1.0;
  for (int k = TERMS; k >= 1; --k) {
    denominator *= (v + double(k)) * double(k);
    numerator = denominator + t * numerator;
  }
}

template <int TERMS, bool WITH_RATIO>
static inline Pair series(Vec v, Vec x) {
  const Vec t = 0.25 * x * x;
  Vec a, b;
  power_series<TERMS>(v, t, a, b);
  Pair out{};
  if constexpr (WITH_RATIO) {
    Vec c, d;
    power_series<TERMS>(v + 1.0, t, c, d);
    out.ratio = 0.5 * x / (v + 1.0) * (c / a) * (b / d);
  } else {
    Vec rising = v + 1.0;
    for (int k = 2; k <= 12; ++k) rising *= v + double(k);
    out.log = v * (logarithm(x) - LN2) + logarithm(a / b * rising) - log_gamma(v + 13.0);
  }
  return out;
}

// Temme (1975): K_m and K_{m+1} for |m| <= 1/2, x <= 2, then K_{v+1} = K_{v-1} + (2v/x) K_v.
// All are kept times (x/2)^v, which neither overflows nor underflows as x goes to 0.
template <bool WITH_RATIO>
static inline Pair temme(Vec v, Vec x) {
  const Vec magic = Vec{} + 0x1.8p52;
  const Vec n = (v + magic) - magic, m = v - n, m2 = m * m;
  Vec gamma1{}, gamma2{};
  for (int k = 22; k >= 0; k -= 2) {
    gamma1 = gamma1 * m2 - RECIPROCAL_GAMMA[k + 1];
    gamma2 = gamma2 * m2 + RECIPROCAL_GAMMA[k];
  }
  const Vec plus = 1.0 / (gamma2 - m * gamma1), minus = 1.0 / (gamma2 + m * gamma1);
  const Vec half = 0.5 * x, t = half * half, log_half = logarithm(x) - LN2, sigma = -m * log_half;
  const Vec up = exponential(sigma), down = 1.0 / up, s2 = sigma * sigma;
  Vec small = Vec{} + 1.0 / 39916800;
  for (double k : {1.0 / 362880, 1.0 / 5040, 1.0 / 120, 1.0 / 6, 1.0}) small = small * s2 + k;
  const Vec sinh_ratio = s2 < 0.25 ? small : 0.5 * (up - down) / sigma;
  Vec f = plus * minus * (0.5 * (up + down) * gamma1 - sinh_ratio * log_half * gamma2);
  Vec p = 0.5 * up * plus, q = 0.5 * down * minus, low = f, high = p;
  for (int k = 1; k <= 13; ++k) {
    const Vec inverse = t / (double(k) * (double(k * k) - m2));
    f = (double(k) * f + p + q) * inverse;
    p = p * (double(k) + m) * inverse;
    q = q * (double(k) - m) * inverse;
    low += f;
    high += p - double(k) * f;
  }
  low *= down;
  high *= down;
  for (int k = 1; k <= 18; ++k) {
    const Vec next = t * low + (m + double(k)) * high;
    low = n >= double(k) ? high : low;
    high = n >= double(k) ? next : high;
  }
  Pair out{};
  if constexpr (WITH_RATIO) out.ratio = high / low * (2.0 / x);
  else out.log = logarithm(low) - v * log_half;
  return out;
}

template <int COUNT, bool WITH_RATIO>
static inline Pair trapezoid(Vec v, Vec x) {
  const Vec factor = exponential(v * STEP), inverse = 1.0 / factor;
  Vec up = factor, down = inverse, sum = Vec{} + 0.5, slope = Vec{} + 0.5;
  for (int j = 1; j <= COUNT; ++j) {
    const Vec term = exponential(-x * COSH_LESS_ONE[j]) * (0.5 * (up + down));
    sum += term;
    if (WITH_RATIO) slope += term * COSH[j];
    up *= factor;
    down *= inverse;
  }
  Pair out{};
  if constexpr (WITH_RATIO) out.ratio = v / x + slope / sum;
  else out.log = logarithm(sum * STEP) - x;
  return out;
}

// Zeros, infinities, NaN, arguments above 1e140, and x/v below 1e-290: limits and leading terms.
template <bool IS_K, bool WITH_RATIO>
static double limit(double v, double x) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  if (!(v >= 0) || !(x >= 0) || v == inf) return nan;
  if (x == inf) return WITH_RATIO ? 1.0 : (IS_K ? -inf : inf);
  if (x == 0) {
    if (WITH_RATIO) return IS_K ? inf : 0.0;
    return IS_K ? inf : (v == 0 ? 0.0 : -inf);
  }
  const double w = std::hypot(v, x), eta = w + v * std::log(x / (v + w));
  if (w > 1e140) {
    if (WITH_RATIO) return IS_K ? (v + w) / x : x / (v + w);
    return IS_K ? 0.5 * std::log(PI / 2 / w) - eta : eta - 0.5 * std::log(2 * PI * w);
  }
  // v > 1/2 and x next to nothing beside it: the first term of the series, DLMF 10.30.1-2.
  if (WITH_RATIO) return IS_K ? 2 * v / x : x / (2 * (v + 1));
  const double log_half = std::log(x) - LN2;
  return IS_K ? std::lgamma(v) - LN2 - v * log_half : v * log_half - std::lgamma(v + 1);
}

enum Region { SPECIAL, TINY, SMALL, MIDDLE, DEBYE20, DEBYE14, DEBYE8, DEBYE5, REGIONS };

static inline int region(double v, double x) {
  const bool is_regular = v >= 0 && v < 1e140 && x > 0 && x < 1e140 && (v <= 0.5 || x > 1e-290 * v);
  const double w2 = v * v + x * x;
  const int debye = DEBYE20 + (w2 >= 27.0 * 27) + (w2 >= 80.0 * 80) + (w2 >= 400.0 * 400);
  const int small = TINY + (x > 2) + (x > 6);
  return is_regular ? (w2 >= 18.0 * 18 ? debye : small) : SPECIAL;
}

template <bool IS_K, bool WITH_RATIO>
static inline Pair evaluate(int which, Vec v, Vec x) {
  switch (which) {
    case DEBYE20: return debye<20, IS_K, WITH_RATIO>(v, x);
    case DEBYE14: return debye<14, IS_K, WITH_RATIO>(v, x);
    case DEBYE8: return debye<8, IS_K, WITH_RATIO>(v, x);
    case DEBYE5: return debye<5, IS_K, WITH_RATIO>(v, x);
  }
  if constexpr (IS_K) {
    if (which == TINY) return temme<WITH_RATIO>(v, x);
    if (which == SMALL) return trapezoid<NODES, WITH_RATIO>(v, x);
    return trapezoid<24, WITH_RATIO>(v, x);
  } else {
    if (which == MIDDLE) return series<34, WITH_RATIO>(v, x);
    return series<20, WITH_RATIO>(v, x);
  }
}

template <bool IS_K, bool WITH_RATIO>
static void compute_block(const double* v, const double* x, int count, double* out) {
  int16_t index[REGIONS][BLOCK];
  int size[REGIONS] = {};
  for (int i = 0; i < count; ++i) {
    const int which = region(v[i], x[i]);
    index[which][size[which]++] = i;
  }
  for (int j = 0; j < size[SPECIAL]; ++j) {
    const int i = index[SPECIAL][j];
    out[i] = limit<IS_K, WITH_RATIO>(v[i], x[i]);
  }
  for (int which = SPECIAL + 1; which < REGIONS; ++which)
    for (int j = 0; j < size[which]; j += WIDTH) {
      Vec order, argument;
      for (int lane = 0; lane < WIDTH; ++lane) {
        // The last vector repeats its last pair in the lanes that are left over.
        const int i = index[which][j + lane < size[which] ? j + lane : size[which] - 1];
        order[lane] = v[i];
        argument[lane] = x[i];
      }
      const Pair pair = evaluate<IS_K, WITH_RATIO>(which, order, argument);
      const Vec result = WITH_RATIO ? pair.ratio : pair.log;
      for (int lane = 0; lane < WIDTH && j + lane < size[which]; ++lane)
        out[index[which][j + lane]] = result[lane];
    }
}

template <bool IS_K, bool WITH_RATIO>
static void compute(const double* v, const double* x, int64_t count, double* out, int64_t threads) {
  const int64_t blocks = (count + BLOCK - 1) / BLOCK;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = block * BLOCK, left = count - begin;
    compute_block<IS_K, WITH_RATIO>(v + begin, x + begin, left < BLOCK ? left : BLOCK, out + begin);
  }
}

extern "C" {
void log_iv(const double* v, const double* x, int64_t n, double* o, int64_t t) { compute<false, false>(v, x, n, o, t); }
void log_kv(const double* v, const double* x, int64_t n, double* o, int64_t t) { compute<true, false>(v, x, n, o, t); }
void ratio_iv(const double* v, const double* x, int64_t n, double* o, int64_t t) { compute<false, true>(v, x, n, o, t); }
void ratio_kv(const double* v, const double* x, int64_t n, double* o, int64_t t) { compute<true, true>(v, x, n, o, t); }
}
