#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Functions of statistics that C has not, against values computed with 60 digits.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_special_functions)

namespace {

using testing::check_elements;
using testing::check_throws;

constexpr long double inf = std::numeric_limits<long double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Known {
  double x;
  long double psi[5];  // of the orders below
};
constexpr int orders[] = {0, 1, 2, 3, 7};

const Known known[] = {
    {1e-300, {-9.999999999999999749409e+299L, inf, -inf, inf, inf}},
    {1e-10,
     {-1.000000000057721530042e+10L, 9.999999999999999271521e+19L, -1.999999999999999781407e+30L,
      5.999999999999999125627e+40L, 5.039999999999998531054e+83L}},
    {0.1,
     {-1.04237549404110762321e+1L, 1.014332991507927477047e+2L, -2.001861457378343673222e+3L,
      6.000451287679025338427e+4L, 5.040000023651911917889e+11L}},
    {0.5,
     {-1.963510026021423479441L, 4.934802200544679309417L, -1.68287966442343199956e+1L, 9.740909103400243723644e+1L,
      1.290440218185598064969e+6L}},
    {1.0,
     {-5.772156649015328606065e-1L, 1.644934066848226436472L, -2.404113806319188570799L, 6.493939402266829149096L,
      5.060549875237639470469e+3L}},
    {1.25,
     {-2.274535333762654080895e-1L, 1.197329154507110739271L, -1.327739937536920333338L, 2.782144009188396022791L,
      8.537090134477776785806e+2L}},
    {1.4,
     {-6.138454458511623680064e-2L, 1.025356590529597525389L, -9.891286235783571122027e-1L, 1.820259033947094912378L,
      3.464186926043075964363e+2L}},
    {1.4616321449683622,
     {-9.241265521729427516792e-17L, 9.676722454476212549952e-1L, -8.85526337967184360306e-1L, 1.550998565733906439503L,
      2.459736123472813881033e+2L}},
    {1.4616321,
     {-4.351463695876977370436e-8L, 9.676722852682918778801e-1L, -8.855264077130535289211e-1L, 1.550998742667558306753L,
      2.459736724725359517747e+2L}},
    {1.5,
     {3.648997397857652055902e-2L, 9.348022005446793094172e-1L, -8.287966442343199955963e-1L, 1.40909103400243723644L,
      2.002181855980649694863e+2L}},
    {1.662,
     {1.779605700646481923705e-1L, 8.168484291072834072626e-1L, -6.393224271782913090216e-1L,
      9.661987241013979959569e-1L, 8.875697967449209387205e+1L}},
    {2.0,
     {4.227843350984671393935e-1L, 6.449340668482264364724e-1L, -4.041138063191885707995e-1L,
      4.93939402266829149096e-1L, 2.054987523763947046857e+1L}},
    {3.5,
     {1.103156640645243187226L, 3.303577561002348649728e-1L, -1.082040516417274030037e-1L, 7.030584881725205125515e-2L,
      2.622219525231313518378e-1L}},
    {10.0,
     {2.251752589066721107647L, 1.051663356816857461222e-1L, -1.10498349708020674621e-2L, 2.319901304289868385558e-3L,
      1.005111159868936303882e-4L}},
    {14.9,
     {2.667428976216042338619L, 6.941658320709578737043e-2L, -4.816732932829049057984e-3L, 6.681876646206823816251e-4L,
      5.545515909696290736628e-6L}},
    {15.0,
     {2.67434666166079370172L, 6.893822784768380622616e-2L, -4.750602716551554746779e-3L, 6.544797782827373484173e-4L,
      5.284083129802819724567e-6L}},
    {100.5,
     {4.605174352581845211869L, 9.999916669583102711637e-3L, -9.999750014581719047573e-5L, 1.99990000874870863089e-6L,
      7.198320440846621465377e-12L}},
    {1000000.0,
     {1.381551005796419077077e+1L, 1.000000500000166666667e-6L, -1.0000010000005e-12L, 2.000003000002e-18L,
      7.2000252000336e-40L}},
    {1e+300, {6.907755278982137052579e+2L, 9.999999999999999474952e-301L, 0.0L, 0.0L, 0.0L}},
    {-0.1,
     {9.24507305005294804233L, 1.01922539959477192432e+2L, 1.996798202956204946951e+3L, 6.000973901409376340714e+4L,
      5.040000117390062043818e+11L}},
    {-0.5,
     {3.648997397857652055902e-2L, 8.934802200544679309417L, -8.287966442343199955963e-1L, 1.934090910340024372364e+2L,
      2.580680218185598064969e+6L}},
    {-0.9,
     {-9.312643829299967963742L, 1.026678670520273711078e+2L, -1.999117973153379632438e+3L, 6.001365782420687235201e+4L,
      5.040000140734011661048e+11L}},
    {-1.5,
     {7.031566406452431872257e-1L, 9.379246644989123753862L, -2.362040516417274030037e-1L, 1.945942762191876224216e+2L,
      2.580876871134843606808e+6L}},
    {-2.75,
     {-1.959055264977997009821L, 1.943386894948846416218e+1L, -1.241176530597151799715e+2L, 1.558489751283293601274e+3L,
      3.303526957011440844433e+8L}},
    {-10.5,
     {2.398239129535781613368L, 9.778757739814812384497L, -8.247469050652217120313e-3L, 1.948166856032526052478e+2L,
      2.580880436334946200827e+6L}},
    {-20.1,
     {1.269421721289251357899e+1L, 1.03307304945824634922e+2L, 1.998657305231048806264e+3L, 6.001425166236422937431e+4L,
      5.040000141041405451916e+11L}},
    {-1000.25,
     {1.005009769306670587548e+1L, 1.973820955169978488167e+1L, 1.240251057226978441391e+2L,
      1.558545456542043490038e+3L, 3.303526958555131046322e+8L}},
    {-1e-09,
     {9.999999994227842711719e+8L, 9.999999999999998770818e+17L, 1.99999999999999962631e+27L,
      5.999999999999998505242e+36L, 5.039999999999997488806e+75L}},
    {-123456.7,
     {9.44114914782479203878L, 1.507940560262888942719e+1L, -6.883754371236257225526e+1L, 7.69020914305133874995e+2L,
      7.690568432725578870649e+7L}},
};

// In units of the last place of the exact number.
template <class T>
double units_off(double found, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (static_cast<T>(found) == rounded) {
    return 0;
  }
  const T size = std::abs(rounded);
  return static_cast<double>(
      std::abs(found - exact) /
      (static_cast<long double>(std::nextafter(size, std::numeric_limits<T>::infinity())) - size));
}

}  // namespace

BOOST_AUTO_TEST_CASE(digamma_and_its_derivatives_of_every_size) {
  for (const Known& each : known) {
    for (std::size_t i = 0; i < std::size(orders); ++i) {
      BOOST_TEST_CONTEXT("order " << orders[i] << " at " << each.x) {
        BOOST_TEST(units_off<double>(polygamma(orders[i], Tensor{each.x}).item(), each.psi[i]) <= 1);
      }
    }
    BOOST_TEST(digamma(Tensor{each.x}).item() == polygamma(0, Tensor{each.x}).item());
  }
}

BOOST_AUTO_TEST_CASE(float32_has_what_float64_rounds_to) {
  for (const float x : {0.3F, 1.0F, 1.4616321F, 7.5F, -0.3F, -3.25F, 1e-20F, 1e20F}) {
    const double wide = static_cast<double>(x);
    BOOST_TEST(units_off<float>(digamma(Tensor{x}).item(), digamma(Tensor{wide}).item()) <= 0.5001);
    BOOST_TEST(units_off<float>(polygamma(1, Tensor{x}).item(), polygamma(1, Tensor{wide}).item()) <= 0.5001);
    BOOST_TEST(units_off<float>(lgamma(Tensor{x}).item(), lgamma(Tensor{wide}).item()) <= 0.5001);
  }
}

BOOST_AUTO_TEST_CASE(poles_and_ends) {
  const double infinite = std::numeric_limits<double>::infinity();
  const Tensor x = {0.0, -0.0, -1.0, -7.0, infinite, -infinite, nan};
  check_elements(digamma(x), {7}, {-infinite, infinite, nan, nan, infinite, nan, nan});
  check_elements(polygamma(1, x), {7}, {infinite, infinite, infinite, infinite, 0, nan, nan});
  check_elements(polygamma(2, x), {7}, {-infinite, infinite, nan, nan, 0, nan, nan});
  check_elements(lgamma(x), {7}, {infinite, infinite, infinite, infinite, infinite, infinite, nan});
  check_elements(lgamma(Tensor{1.0, 2.0, 0.5, -0.5}), {4}, {0, 0, 0.57236494292470008707, 1.26551212348464539649},
                 1e-15);
  check_elements(erfinv(Tensor{0.0, -0.0, 1.0, -1.0, 1.5, nan}), {6}, {0, -0.0, infinite, -infinite, nan, nan});
}

// ψ⁽ⁿ⁾(x + 1) = ψ⁽ⁿ⁾(x) + (-1)ⁿ n! / xⁿ⁺¹
BOOST_AUTO_TEST_CASE(high_orders_keep_their_recurrence) {
  for (const int n : {4, 5, 20, 100}) {
    for (const double x : {0.75, 3.0, 12.5, -0.75, -2.5}) {
      const long double step = (n % 2 == 0 ? 1 : -1) * std::exp(std::lgamma(n + 1.0L)) / std::pow(x + 0.0L, n + 1);
      const long double before = polygamma(n, Tensor{x}).item();
      const double after = polygamma(n, Tensor{x + 1}).item();
      BOOST_TEST(std::abs(static_cast<double>(after - (before + step))) <=
                 1e-14 * static_cast<double>(std::abs(before) + std::abs(step)));
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_are_right_to_the_last) {
  const Tensor x = {0.7};
  Tensor y = lgamma(x);
  for (int order = 0; order < 6; ++order) {
    y = grad(sum(y), x);
    BOOST_TEST(y.item() == polygamma(order, x).item(), boost::test_tools::tolerance(1e-15));
  }
  check_grads([](const Tensors& t) { return grad(sum(erfinv(t[0])), t[0]); }, {{0.4, -0.2}});
}

BOOST_AUTO_TEST_CASE(orders_that_do_not_exist_are_refused) {
  check_throws<ValueError>([] { polygamma(-1, Tensor{1.0}); }, {"[polygamma]", "-1", "[0, 1000]", "special_functions"});
  check_throws<ValueError>([] { polygamma(1001, Tensor{1.0}); }, {"[polygamma]", "1001"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
