#include "autograd/kernels/gamma.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

#include "autograd/kernels/double_double.hpp"
#include "autograd/kernels/horner.hpp"

/// \file
/// By the rational approximations of fdlibm (Sun Microsystems, 1993). Left of 0, where two terms may leave little of each
/// other, they have twice the digits.

namespace xgrad::kernels {

namespace {

/// log x of a normal number: x = 2ᵏ (1 + f), √½ ≤ 1 + f < √2, with s = f / (2 + f).
double logarithm(double x) {
  constexpr double odd[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                            2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                            1.479819860511658591e-01};
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t power = (bits - 0x3fe6a09e667f3bcd) & 0xfff0000000000000;
  const double m = std::bit_cast<double>(bits - power);
  const auto exponent = static_cast<double>(static_cast<std::int64_t>(power) / (std::int64_t{1} << 52));
  const double f = m - 1;
  const double s = f / (2 + f);
  const double half = 0.5 * f * f;
  const double r = s * s * horner(s * s, odd);
  return exponent * 6.93147180369123816490e-01 -
         ((half - (s * (half + r) + exponent * 1.90821492927058770002e-10)) - f);
}

/// sin(π x) of 0 ≤ x ≤ 1/2.
double sine_of_pi(double x) {
  constexpr double half_turn = 3.14159265358979311600;
  constexpr double sine[] = {-1.66666666666666307295e-1, 8.33333333332211858878e-3,  -1.98412698295895385996e-4,
                             2.75573136213857245213e-6,  -2.50507477628578072866e-8, 1.58962301576546568060e-10};
  constexpr double cosine[] = {4.16666666666665929218e-2,  -1.38888888888730564116e-3, 2.48015872888517045348e-5,
                               -2.75573141792967388112e-7, 2.08757008419747316778e-9,  -1.13585365213876817300e-11};
  const double y = half_turn * (x > 0.25 ? 0.5 - x : x);
  const double square = y * y;
  return x > 0.25 ? 1 + (square * square * horner(square, cosine) - 0.5 * square)
                  : y + y * square * horner(square, sine);
}

/// log Γ(2 - y), 0 ≤ y ≤ 0.27.
double left_of_2(double y) {
  constexpr double c[] = {7.72156649015328655494e-02, 3.22467033424113591611e-01, 6.73523010531292681824e-02,
                          2.05808084325167332806e-02, 7.38555086081402883957e-03, 2.89051383673415629091e-03,
                          1.19270763183362067845e-03, 5.10069792153511336608e-04, 2.20862790713908385557e-04,
                          1.08011567247583939954e-04, 2.52144565451257326939e-05, 4.48640949618915160150e-05};
  return y * horner(y, c) - 0.5 * y;
}

/// log Γ(x) around its least value, at x = 1.46..., of the distance from there.
double around_minimum(double y) {
  constexpr double c[] = {0,
                          0,
                          4.83836122723810047042e-01,
                          -1.47587722994593911752e-01,
                          6.46249402391333854778e-02,
                          -3.27885410759859649565e-02,
                          1.79706750811820387126e-02,
                          -1.03142241298341437450e-02,
                          6.10053870246291332635e-03,
                          -3.68452016781138256760e-03,
                          2.25964780900612472250e-03,
                          -1.40346469989232843813e-03,
                          8.81081882437654011382e-04,
                          -5.38595305356740546715e-04,
                          3.15632070903625950361e-04,
                          -3.12754168375120860518e-04,
                          3.35529192635519073543e-04};
  return -1.21486290535849611461e-01 + (horner(y, c) + 3.63867699703950536541e-18);
}

/// log Γ(1 + y), 0 ≤ y ≤ 0.24.
double right_of_1(double y) {
  constexpr double top[] = {-7.72156649015328655494e-02, 6.32827064025093366517e-01, 1.45492250137234768737e+00,
                            9.77717527963372745603e-01,  2.28963728064692451092e-01, 1.33810918536787660377e-02};
  constexpr double bottom[] = {1.0,
                               2.45597793713041134822e+00,
                               2.12848976379893395361e+00,
                               7.69285150456672783825e-01,
                               1.04222645593369134254e-01,
                               3.21709242282423911810e-03};
  return y * horner(y, top) / horner(y, bottom) - 0.5 * y;
}

/// log Γ(2 + y), 0 ≤ y ≤ 1.
double right_of_2(double y) {
  constexpr double top[] = {-7.72156649015328655494e-02, 2.14982415960608852501e-01, 3.25778796408930981787e-01,
                            1.46350472652464452805e-01,  2.66422703033638609560e-02, 1.84028451407337715652e-03,
                            3.19475326584100867617e-05};
  constexpr double bottom[] = {1.0,
                               1.39200533467621045958e+00,
                               7.21935547567138069525e-01,
                               1.71933865632803078993e-01,
                               1.86459191715652901344e-02,
                               7.77942496381893596434e-04,
                               7.32668430744625636189e-06};
  return 0.5 * y + y * horner(y, top) / horner(y, bottom);
}

/// log Γ(x) of x > 2⁻⁶⁰.
double log_gamma_of_positive(double x) {
  constexpr double minimum = 1.46163214496836224576;
  if (x <= 0.9) {  // Γ(x) = Γ(1 + x) / x
    const double log = logarithm(x);
    return x >= minimum - 1 - 0.23 ? (x >= 0.73 ? left_of_2(1 - x) : around_minimum(x - (minimum - 1))) - log
                                   : right_of_1(x) - log;
  }
  if (x < 2) {
    return x >= minimum + 0.27   ? left_of_2(2 - x)
           : x >= minimum - 0.23 ? around_minimum(x - minimum)
                                 : right_of_1(x - 1);
  }
  if (x < 8) {  // Γ(x) = (x - 1) ... (2 + y) Γ(2 + y)
    const double whole = std::floor(x);
    const double y = x - whole;
    double product = 1;
    for (double k = 2; k < whole; ++k) {
      product *= y + k;
    }
    return right_of_2(y) + (product > 1 ? logarithm(product) : 0);
  }
  if (x < 0x1p58) {  // Stirling's series
    constexpr double c[] = {8.33333333333329678849e-02,  -2.77777777728775536470e-03, 7.93650558643019558500e-04,
                            -5.95187557450339963135e-04, 8.36339918996282139126e-04,  -1.63092934096575273989e-03};
    const double inverse = 1 / x;
    return (x - 0.5) * (logarithm(x) - 1) + (4.18938533204672725052e-01 + inverse * horner(inverse * inverse, c));
  }
  return x * (logarithm(x) - 1);
}

namespace digits {

// B₂ⱼ / (2j) of Bernoulli's numbers.
constexpr DoubleDouble bernoulli_parts[] = {
    {0x1.5555555555555p-4, 0x1.5555555555555p-58},  {-0x1.1111111111111p-7, -0x1.1111111111111p-63},
    {0x1.041041041041p-8, 0x1.041041041041p-62},    {-0x1.1111111111111p-8, -0x1.1111111111111p-64},
    {0x1.f07c1f07c1f08p-8, -0x1.f07c1f07c1f08p-63}, {-0x1.5995995995996p-6, 0x1.9a99a99a99a9ap-60},
    {0x1.5555555555555p-4, 0x1.5555555555555p-58},  {-0x1.c5e5e5e5e5e5ep-2, -0x1.7979797979798p-56},
    {0x1.86e7f9b9fe6e8p+1, -0x1.918064601918p-57},  {-0x1.a74ca514ca515p+4, 0x1.ad759ad759ad7p-51},
    {0x1.1975cc0ed7304p+8, -0x1.28cfc4a33f129p-46}, {-0x1.c2f0566566566p+11, -0x1.5995995995996p-43}};
/// log Γ(2 + t) of |t| ≤ 1/2: (1 - γ) t + Σ (ζ(k) - 1) (-t)ᵏ / k.
DoubleDouble log_gamma_around_2(const DoubleDouble& t) {
  constexpr DoubleDouble around_2[] = {
      {0x1.b0ee6072093cep-2, 0x1.6cb90701fbfabp-58},     {0x1.4a34cc4a60fa6p-2, 0x1.1873d8912200cp-56},
      {-0x1.13e001a557607p-4, 0x1.fb68be2f8821fp-58},    {0x1.51322ac7d8483p-6, 0x1.afc89088cb729p-60},
      {-0x1.e404fc218f5f2p-8, 0x1.e4a627cf1eb34p-62},    {0x1.7add6eadb6c3p-9, -0x1.5b7828c7fd7f4p-64},
      {-0x1.38ac5c2bf8e08p-10, 0x1.8a4c1cfd9cec8p-65},   {0x1.0b36af86396e9p-11, -0x1.0698d6c892967p-65},
      {-0x1.d3fd4c76d2fc8p-13, 0x1.c7c55cfccbb83p-68},   {0x1.a127b0f17d65ap-14, 0x1.9d309aa700268p-69},
      {-0x1.78de5bd7c81efp-15, 0x1.a20541cde47a6p-72},   {0x1.580dcee66eb02p-16, 0x1.260574b258f72p-71},
      {-0x1.3cbc963ce2243p-17, 0x1.ea56e6c7d5329p-71},   {0x1.2597a39f34aacp-18, -0x1.bf911462a7d81p-72},
      {-0x1.11b2eb7679541p-19, -0x1.c76b0e65ac63ap-75},  {0x1.0064cdeb22f0fp-20, 0x1.d0156affdbc11p-75},
      {-0x1.e2600d93cfd2fp-22, 0x1.130ac39e5c106p-76},   {0x1.c76bbb3f07a4dp-23, 0x1.d9a2b77769b52p-77},
      {-0x1.af5a6cbbf8a97p-24, -0x1.95f227e96d83ep-78},  {0x1.99b93c2070b0fp-25, 0x1.0327164736428p-79},
      {-0x1.862c734df3eacp-26, -0x1.b32802bec0dap-80},   {0x1.7469daccfadcdp-27, -0x1.369d388cebaa9p-81},
      {-0x1.6434a8447aeadp-28, -0x1.af72edf876fcdp-87},  {0x1.555a877ffd2c3p-29, -0x1.875065f26a43bp-83},
      {-0x1.47b1679258d0ep-30, -0x1.04f36e0e854e4p-84},  {0x1.3b15d2b2fc10cp-31, -0x1.d79f6feeeb28bp-86},
      {-0x1.2f69a9fabe3ep-32, 0x1.a162ab374c789p-86},    {0x1.24932a337434cp-33, 0x1.060829c24508fp-87},
      {-0x1.1a7c26ec2523cp-34, -0x1.4f4ebdb4a04b5p-88},  {0x1.11116e693ed98p-35, -0x1.c7034d49e7fc7p-89},
      {-0x1.08424cbc543d8p-36, -0x1.40ef820dbc9eap-91},  {0x1.000026e3f644fp-37, 0x1.3546a6054c889p-91},
      {-0x1.f07c514fc9f0ap-39, -0x1.75b6be545ac09p-96},  {0x1.e1e2026aafcd8p-40, -0x1.62a858653862p-94},
      {-0x1.d41d56e5ee2e2p-41, 0x1.43894d27ced5ep-96},   {0x1.c71c7f6f10e37p-42, -0x1.01074764d33f2p-96},
      {-0x1.bacf9a27bc89bp-43, 0x1.4a5a215e0508ep-98},   {0x1.af28718a10d6ep-44, 0x1.40d7f1b842cb8p-99},
      {-0x1.a41a45603e5b6p-45, 0x1.62be9cf212d9p-99},    {0x1.99999c0716ee9p-46, -0x1.39e10f90435bbp-100},
      {-0x1.8f9c1a8df9d78p-47, 0x1.9da56d447192p-103},   {0x1.8618628d28905p-48, -0x1.9d7d4ee5a8873p-103},
      {-0x1.7d05f4c31c56p-49, -0x1.71bba0b7cc338p-103},  {0x1.745d17b56ba4ap-50, 0x1.9d38bc00d70a3p-104},
      {-0x1.6c16c1b4d6456p-51, -0x1.aed172e5c90f6p-105}, {0x1.642c85c023d9dp-52, -0x1.de052190d7af6p-106},
      {-0x1.5c9882d825e9dp-53, 0x1.9723f1bf240bfp-107},  {0x1.555555698a866p-54, 0x1.cf5c8649750a4p-109},
      {-0x1.4e5e0a8022bc9p-55, 0x1.28b9dc88f5b02p-110}};
  return t * horner<24>(t, around_2);
}

/// log Γ(x) of x ≥ 20, by Stirling's series: (x - 1/2) log x - x + log(2π) / 2 + Σ B₂ⱼ / (2j (2j - 1) x²ʲ⁻¹).
DoubleDouble stirling(const DoubleDouble& x) {
  const DoubleDouble inverse = DoubleDouble(1) / x;
  const DoubleDouble square = inverse * inverse;
  DoubleDouble sum = 0;
  for (std::size_t j = std::size(bernoulli_parts); j >= 1; --j) {
    sum = sum * square + bernoulli_parts[j - 1] / static_cast<double>(2 * j - 1);
  }
  return ((x - 0.5) * log(x) - x) + (DoubleDouble{0x1.d67f1c864beb5p-1, -0x1.65b5a1b7ff5dfp-55} + inverse * sum);
}

/// log Γ(x) of x > 0, from where one of the above holds by Γ(x + 1) = x Γ(x).
DoubleDouble log_gamma_of_positive(double x) {
  if (x >= 20) {
    return stirling(x);
  }
  if (x < 0.5) {
    return log_gamma_around_2(x) - (log(x) + log(exact_sum(x, 1)));
  }
  if (x < 1.5) {
    return log_gamma_around_2(exact_sum(x, -1)) - log(x);
  }
  DoubleDouble y = x;
  DoubleDouble product = 1;
  while (y.high > 2.5) {
    y = y - 1;
    product *= y;
  }
  const DoubleDouble sum = log_gamma_around_2(y - 2);
  return x > 2.5 ? sum + log(product) : sum;
}

/// log |Γ(-x)| of x > 0. Γ(x) Γ(-x) = π / (x sin(π x)), but for the sign.
double log_gamma_of_negative(double x, double off_whole) {
  const DoubleDouble sine = sin_of_pi(off_whole);
  return static_cast<double>(DoubleDouble{0x1.250d048e7a1bdp+0, 0x1.7abf2ad8d5088p-57} - log(sine * x) -
                             log_gamma_of_positive(x));
}

}  // namespace digits

}  // namespace

double log_gamma(double x) {
  if (std::isnan(x) || std::isinf(x)) {
    return std::abs(x);
  }
  const double size = std::abs(x);
  if (size < 0x1p-60) {
    return size == 0 ? std::numeric_limits<double>::infinity()
                     : 100 * 6.93147180559945286227e-01 - logarithm(size * 0x1p100);  // may be subnormal
  }
  if (x == 1 || x == 2) {
    return 0;
  }
  if (x > 0) {
    return x > 2.5563481638716906e305 ? std::numeric_limits<double>::infinity() : log_gamma_of_positive(x);
  }
  const double off_whole = std::abs(x - std::nearbyint(x));
  if (!(off_whole > 0)) {
    return std::numeric_limits<double>::infinity();
  }
  const double first = logarithm(sine_of_pi(off_whole) * size);
  const double second = log_gamma_of_positive(size);
  const double result = (1.14472988584940016388 - first) - second;
  const double error = std::abs(first) + 1.5 * std::abs(second) + 2;  // in units of 2⁻⁵³
  return error > 4.5 * std::abs(result) ? digits::log_gamma_of_negative(size, off_whole) : result;
}

}  // namespace xgrad::kernels
