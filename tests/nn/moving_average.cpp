#include "nn/moving_average.hpp"

#include <stdexcept>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_moving_average)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;

}  // namespace

// The first update copies, as PyTorch's averaged model does; then a = d a + (1 - d) w.
BOOST_AUTO_TEST_CASE(averages_follow_the_weights) {
  const Variable w(Tensor{8.0, -8.0}, "w");
  nn::ExponentialMovingAverage average({w}, {.decay = 0.75});
  BOOST_TEST(average.averages()[0].name() == "0.w.average");
  check_elements(average.averages()[0], {2}, {8, -8});
  double expected = 4;
  for (const double x : {4.0, 1.0, -2.0, 16.0}) {
    w.assign(Tensor{x, -x});
    average.update();
    expected = average.count().item() == 1 ? x : 0.75 * expected + 0.25 * x;
    check_elements(average.averages()[0], {2}, {expected, -expected}, 1e-15);
  }
  BOOST_TEST(average.count().item() == 4);
}

// Σ dⁿ⁻ⁱ wᵢ / Σ dⁿ⁻ⁱ
BOOST_AUTO_TEST_CASE(corrected_averages_weigh_all_weights_by_age) {
  const Variable w(Tensor(100.0), "w");
  nn::ExponentialMovingAverage average({w}, {.decay = 0.9, .bias_correction = true});
  double sum = 0;
  double weights = 0;
  for (const double x : {3.0, -1.0, 4.0, 1.5}) {
    w.assign(x);
    average.update();
    sum = 0.9 * sum + x;
    weights = 0.9 * weights + 1;
    check_elements(average.averages()[0], {}, {sum / weights}, 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(weights_and_averages_are_swapped_for_a_while) {
  const Variable w(Tensor{1.0F, 2.0F}, "w");
  const Variable b(Tensor(5.0), "b");
  nn::ExponentialMovingAverage average({w, b}, {.decay = 0.5});
  average.update();
  w.assign(Tensor{3.0F, 4.0F});
  b.assign(7);
  average.update();
  {
    const auto swapped = average.swap();
    check_elements(w, {2}, {2, 3});
    BOOST_TEST(b.item() == 6);
    check_throws<ValueError>([&] { average.update(); }, {"[moving_average] ", "swapped", "moving_average.cpp"});
    check_throws<ValueError>([&] { static_cast<void>(average.swap()); }, {"swapped"});
  }
  check_elements(w, {2}, {3, 4});
  BOOST_TEST(b.item() == 7);
  check_elements(average.averages()[0], {2}, {2, 3});
  try {
    const auto swapped = average.swap();
    throw std::runtime_error("in the evaluation");
  } catch (const std::runtime_error&) {
  }
  BOOST_TEST(b.item() == 7);
  average.update();
  BOOST_TEST(average.averages()[1].item() == 6.5);
}

BOOST_AUTO_TEST_CASE(the_decay_changes_by_assigning) {
  const Variable w(Tensor(1.0), "w");
  nn::ExponentialMovingAverage average({w}, {.decay = 0.5});
  average.update();
  w.assign(2);
  average.decay().assign(0.0);
  average.update();
  BOOST_TEST(average.averages()[0].item() == 2);
}

BOOST_AUTO_TEST_CASE(senseless_averages_are_refused) {
  const Variable w(Tensor(1.0), "w");
  check_throws<ValueError>([] { nn::ExponentialMovingAverage({}); }, {"[moving_average] ", "empty"});
  check_throws<ValueError>([&] { nn::ExponentialMovingAverage({w, w}); }, {"same variable, 'w'"});
  check_throws<ValueError>([&] { nn::ExponentialMovingAverage({w}, {.decay = 1}); },
                           {"the decay is in [0, 1), got 1", "moving_average.cpp"});
  check_throws<DTypeError>([] { nn::ExponentialMovingAverage({Variable(Tensor(1), "steps")}); },
                           {"'0.steps'", "int32"});
}

BOOST_AUTO_TEST_SUITE_END()
