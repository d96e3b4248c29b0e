#include "autograd/kernels/double_double.hpp"

namespace xgrad::kernels {

namespace {

constexpr DoubleDouble log_of_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

// 2 / (2 n + 1)
constexpr DoubleDouble log_series[] = {{0x1p+1},
                                       {0x1.5555555555555p-1, 0x1.5555555555555p-55},
                                       {0x1.999999999999ap-2, -0x1.999999999999ap-56},
                                       {0x1.2492492492492p-2, 0x1.2492492492492p-56},
                                       {0x1.c71c71c71c71cp-3, 0x1.c71c71c71c71cp-57},
                                       {0x1.745d1745d1746p-3, -0x1.745d1745d1746p-58},
                                       {0x1.3b13b13b13b14p-3, -0x1.3b13b13b13b14p-57},
                                       {0x1.1111111111111p-3, 0x1.1111111111111p-59},
                                       {0x1.e1e1e1e1e1e1ep-4, 0x1.e1e1e1e1e1e1ep-60},
                                       {0x1.af286bca1af28p-4, 0x1.af286bca1af28p-58},
                                       {0x1.8618618618618p-4, 0x1.8618618618618p-58},
                                       {0x1.642c8590b2164p-4, 0x1.642c8590b2164p-59},
                                       {0x1.47ae147ae147bp-4, -0x1.eb851eb851eb8p-60},
                                       {0x1.2f684bda12f68p-4, 0x1.2f684bda12f68p-58},
                                       {0x1.1a7b9611a7b96p-4, 0x1.1a7b9611a7b96p-60},
                                       {0x1.0842108421084p-4, 0x1.0842108421084p-59},
                                       {0x1.f07c1f07c1f08p-5, -0x1.f07c1f07c1f08p-60},
                                       {0x1.d41d41d41d41dp-5, 0x1.075075075075p-59},
                                       {0x1.bacf914c1badp-5, -0x1.bacf914c1badp-59},
                                       {0x1.a41a41a41a41ap-5, 0x1.069069069069p-59}};
// (-1)ⁿ / (2 n + 1)! and (-1)ⁿ / (2 n)!
constexpr DoubleDouble sine_series[] = {{0x1p+0},
                                        {-0x1.5555555555555p-3, -0x1.5555555555555p-57},
                                        {0x1.1111111111111p-7, 0x1.1111111111111p-63},
                                        {-0x1.a01a01a01a01ap-13, -0x1.a01a01a01a01ap-73},
                                        {0x1.71de3a556c734p-19, -0x1.c154f8ddc6cp-73},
                                        {-0x1.ae64567f544e4p-26, 0x1.c062e06d1f209p-80},
                                        {0x1.6124613a86d09p-33, 0x1.f28e0cc748ebep-87},
                                        {-0x1.ae7f3e733b81fp-41, -0x1.1d8656b0ee8cbp-97},
                                        {0x1.952c77030ad4ap-49, 0x1.ac981465ddc6cp-103},
                                        {-0x1.2f49b46814157p-57, -0x1.2650f61dbdcb4p-112},
                                        {0x1.71b8ef6dcf572p-66, -0x1.d043ae40c4647p-120},
                                        {-0x1.761b41316381ap-75, 0x1.3423c7d91404fp-130},
                                        {0x1.3f3ccdd165fa9p-84, -0x1.58ddadf344487p-139},
                                        {-0x1.d1ab1c2dccea3p-94, -0x1.054d0c78aea14p-149},
                                        {0x1.259f98b4358adp-103, 0x1.eaf8c39dd9bc5p-157}};
constexpr DoubleDouble cosine_series[] = {{0x1p+0},
                                          {-0x1p-1},
                                          {0x1.5555555555555p-5, 0x1.5555555555555p-59},
                                          {-0x1.6c16c16c16c17p-10, 0x1.f49f49f49f49fp-65},
                                          {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
                                          {-0x1.27e4fb7789f5cp-22, -0x1.cbbc05b4fa99ap-76},
                                          {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83},
                                          {-0x1.93974a8c07c9dp-37, -0x1.05d6f8a2efd1fp-92},
                                          {0x1.ae7f3e733b81fp-45, 0x1.1d8656b0ee8cbp-101},
                                          {-0x1.6827863b97d97p-53, -0x1.eec01221a8b0bp-107},
                                          {0x1.e542ba4020225p-62, 0x1.ea72b4afe3c2fp-120},
                                          {-0x1.0ce396db7f853p-70, 0x1.aebcdbd20331cp-124},
                                          {0x1.f2cf01972f578p-80, -0x1.9ada5fcc1ab14p-135},
                                          {-0x1.88e85fc6a4e5ap-89, 0x1.71c37ebd1654p-143},
                                          {0x1.0a18a2635085dp-98, 0x1.b9e2e28e1aa54p-153}};
/// sin(x) of |x| ≤ π/4.
DoubleDouble small_sine(const DoubleDouble& x) { return x * horner<10>(x * x, sine_series); }
DoubleDouble small_cosine(const DoubleDouble& x) { return horner<10>(x * x, cosine_series); }

}  // namespace

// x = 2ᵏ m, √½ ≤ m < √2, and log m = 2 artanh((m - 1) / (m + 1)).
DoubleDouble log(const DoubleDouble& x) {
  int exponent = 0;
  const double digits = std::frexp(x.high, &exponent);
  if (digits < 0x1.6a09e667f3bcdp-1) {
    --exponent;
  }
  const DoubleDouble m =
      scaled(scaled(x, -exponent / 2), -(exponent - exponent / 2));  // in steps: 2⁻ᵏ may be too large
  const DoubleDouble s = (m - 1) / (m + 1);
  return DoubleDouble(exponent) * log_of_2 + s * horner<10>(s * s, log_series);
}

DoubleDouble sin_of_pi(double x) {
  return x > 0.25 ? small_cosine(pi_of_both * (0.5 - x)) : small_sine(pi_of_both * x);
}

}  // namespace xgrad::kernels
