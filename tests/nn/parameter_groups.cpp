#include <cmath>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/plan/compile.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_parameter_groups)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;

Variable make(double value, const std::string& name) { return Variable(Tensor(value), name); }

}  // namespace

BOOST_AUTO_TEST_CASE(groups_have_numbers_of_their_own) {
  const nn::Variables weights = {make(2, "a"), make(4, "b")};
  const nn::Variables biases = {make(8, "c")};
  nn::SGD sgd({{weights, {.weight_decay = 0.5}}, {biases, {.learning_rate = 0.25}}}, {.learning_rate = 0.5});
  BOOST_TEST(sgd.group_count() == 2U);
  BOOST_TEST(sgd.parameters().size() == 3U);
  sgd.step({Tensor(1.0), Tensor(1.0), Tensor(1.0)});
  BOOST_TEST(weights[0].item() == 2 - 0.5 * (1 + 0.5 * 2));
  BOOST_TEST(weights[1].item() == 4 - 0.5 * (1 + 0.5 * 4));
  BOOST_TEST(biases[0].item() == 8 - 0.25);
}

// As the constructor does it: in a step, in a plan, and whatever a schedule gave.
BOOST_AUTO_TEST_CASE(assigned_numbers_are_checked_by_the_next_step) {
  const Variable w = make(1, "w");
  const Tensors gradients = {Tensor(1.0)};
  nn::SGD sgd({w}, {.momentum = 0.5, .weight_decay = 0.1});
  nn::AdamW adam({w});
  const auto check = [&](nn::Optimizer& optimizer, const Variable& number, double value, std::string_view words) {
    const double before = number.item();
    const double weight = w.item();
    number.assign(value);
    check_throws<ValueError>([&] { optimizer.step(gradients); }, {words, "parameter_groups.cpp"});
    const auto compiled = compile([&](const Tensor& g) { optimizer.step({g}); });
    check_throws<ValueError>([&] { compiled(gradients[0]); }, {words, "parameter_groups.cpp"});
    BOOST_TEST(w.item() == weight);
    number.assign(before);
    compiled(gradients[0]);
    BOOST_TEST(w.item() != weight);
  };
  check(sgd, sgd.learning_rate(), -1, "[sgd] the learning rate is 0 or more, got -1");
  check(sgd, sgd.learning_rate(), std::nan(""), "[sgd] the learning rate is 0 or more, got nan");
  check(sgd, sgd.momentum(), -0.5, "[sgd] momentum is 0 or more, got -0.5");
  check(sgd, sgd.weight_decay(), -0.1, "[sgd] weight decay is 0 or more, got -0.1");
  check(adam, adam.momentum(), 1, "[adamw] beta1 is in [0, 1), got 1");
  check(adam, adam.learning_rate(), nn::schedules::one_cycle(1, 10)(0) * -1, "[adamw] the learning rate is 0 or more");
  nn::ExponentialMovingAverage average({w});
  average.decay().assign(1.5);
  check_throws<ValueError>([&] { average.update(); }, {"[moving_average] the decay is in [0, 1), got 1.5"});
}

BOOST_AUTO_TEST_CASE(groups_without_a_number_share_one) {
  const Variable a = make(1, "a");
  const Variable b = make(1, "b");
  const Variable c = make(1, "c");
  nn::SGD sgd({{{a}, {}}, {{b}, {.learning_rate = 0.25}}, {{c}, {.momentum = 0.5}}}, {.learning_rate = 0.5});
  BOOST_TEST(sgd.learning_rate(0).same_as(sgd.learning_rate(2)));
  BOOST_TEST(!sgd.learning_rate(0).same_as(sgd.learning_rate(1)));
  BOOST_TEST(sgd.learning_rate(1).name() == "group_1.learning_rate");
  sgd.learning_rate().assign(0.125);
  for (int i = 0; i < 2; ++i) {
    sgd.step({Tensor(1.0), Tensor(1.0), Tensor(1.0)});
  }
  BOOST_TEST(a.item() == 1 - 2 * 0.125);
  BOOST_TEST(b.item() == 1 - 2 * 0.25);
  BOOST_TEST(c.item() == 1 - 0.125 * (1 + 1.5));
  // α, group 1's α, μ of 0 and 2, once each, and the velocities
  BOOST_TEST(sgd.variables().size() == 4U + 3U);
}

// Two groups alone are two optimisers.
BOOST_AUTO_TEST_CASE(groups_do_not_mix) {
  const auto loss = [](const Tensor& x, const Tensor& y) { return square(x * y - 1) + square(x - 0.3 * y); };
  const Variable a = make(0.5, "a");
  const Variable b = make(-0.7, "b");
  nn::NAdam together({{{a}, {.learning_rate = 0.05}}, {{b}, {.weight_decay = 0.1, .momentum = 0.5}}});
  const Variable c = a.clone();
  const Variable d = b.clone();
  nn::NAdam first({c}, {.learning_rate = 0.05});
  nn::NAdam second({d}, {.beta1 = 0.5, .weight_decay = 0.1});
  for (int i = 0; i < 10; ++i) {
    together.minimize(loss(a, b));
    const Tensors gradients = grad(loss(c, d), {c, d});
    first.step({gradients[0]});
    second.step({gradients[1]});
  }
  check_elements(a, {}, {c.item()}, 1e-14);
  check_elements(b, {}, {d.item()}, 1e-14);
}

BOOST_AUTO_TEST_CASE(weight_decay_and_momentum_change_by_assigning) {
  const Variable w = make(1, "w");
  nn::SGD sgd({w}, {.learning_rate = 0.5, .momentum = 0.5, .weight_decay = 0.5});
  sgd.weight_decay().assign(0);
  sgd.momentum().assign(0);
  sgd.step({Tensor(1.0)});
  BOOST_TEST(w.item() == 0.5);
  sgd.momentum().assign(1);
  sgd.weight_decay().assign(2);
  sgd.step({Tensor(1.0)});  // v = 1 + (1 + 2 · 0.5)
  BOOST_TEST(w.item() == 0.5 - 0.5 * 3);

  const Variable u = make(1, "u");
  nn::AdamW adamw({u}, {.learning_rate = 0.5});
  adamw.weight_decay().assign(0.5);
  adamw.momentum().assign(0.0);
  adamw.step({Tensor(0.0)});
  BOOST_TEST(u.item() == 1 - 0.5 * 0.5);
}

BOOST_AUTO_TEST_CASE(parameters_of_two_dtypes_train_together) {
  const Variable a(Tensor{1.0F, 2.0F}, "a");
  const Variable b(Tensor{1.0, 2.0}, "b");
  const Variable c(Tensor{3.0F}, "c");
  nn::AdamW adamw({a, b, c}, {.learning_rate = 0.5, .weight_decay = 0.5});
  adamw.step({Tensor{1.0F, 1.0F}, Tensor{1.0, 1.0}, Tensor{1.0F}});
  check_elements(b, {2}, {0.75 - 0.5, 1.5 - 0.5}, 1e-7);
  check_elements(a, {2}, {0.75 - 0.5, 1.5 - 0.5}, 1e-6);
  check_elements(c, {1}, {2.25 - 0.5}, 1e-6);
  BOOST_TEST(a.dtype() == DType::float32);
}

BOOST_AUTO_TEST_CASE(a_number_that_is_left_out_cannot_be_had) {
  const Variable w = make(1, "w");
  const nn::SGD sgd({w});
  check_throws<ValueError>([&] { sgd.weight_decay(); }, {"[sgd] ", "weight decay", "left out", "above 0"});
  check_throws<ValueError>([&] { sgd.momentum(); }, {"[sgd] ", "momentum", "left out"});
  check_throws<ValueError>([&] { sgd.learning_rate(1); }, {"[sgd] ", "no group 1"});
  BOOST_TEST(nn::Adam({w}).momentum().item() == 0.9);
}

BOOST_AUTO_TEST_CASE(senseless_groups_are_refused) {
  const Variable a = make(1, "a");
  const Variable b = make(1, "b");
  using Groups = std::vector<nn::ParameterGroup>;
  const auto sgd = [](const Groups& groups) { return [=] { nn::SGD{nn::Parameters(groups)}; }; };
  check_throws<ValueError>(sgd({{{a}, {}}, {{}, {}}}), {"[optimizer] ", "group 1 has no parameters"});
  check_throws<ValueError>(sgd({{{a, b}, {}}, {{b}, {}}}), {"parameters 1 and 2 are the same variable, 'b'"});
  check_throws<ValueError>(sgd({{{a}, {.learning_rate = -0.5}}}), {"[sgd] ", "the learning rate", "-0.5"});
  check_throws<ValueError>(sgd({{{a}, {.weight_decay = -0.5}}}), {"[sgd] ", "weight decay", "-0.5"});
  check_throws<ValueError>(sgd({{{a}, {.momentum = -0.5}}}), {"[sgd] ", "momentum", "-0.5"});
  check_throws<ValueError>([&] { nn::Adam({{{a}, {.momentum = 1}}}); }, {"[adam] ", "beta1", "got 1"});
  check_throws<ValueError>([&] { nn::Adagrad({{{a}, {.momentum = 0.9}}}); }, {"[adagrad] ", "momentum"});
  check_throws<DTypeError>(
      [&] {
        nn::SGD({a, Variable(Tensor{1, 2}, "counts")});
      },
      {"[optimizer] ", "parameter '1.counts' is int32"});
}

BOOST_AUTO_TEST_CASE(errors_name_the_line_of_the_user) {
  const Variable w = make(1, "w");
  const auto here = [](int line) { return "parameter_groups.cpp:" + std::to_string(line); };
  check_throws<ValueError>([&] { nn::RMSprop({w}, {.decay = 2}); }, {"decay", here(__LINE__)});
  check_throws<ValueError>([] { nn::Lion({}); }, {"empty", here(__LINE__)});
  check_throws<ValueError>([&] { nn::Adam({w}, {.beta1 = -1}); }, {"beta1", here(__LINE__)});
  check_throws<ValueError>([&] { nn::SGD({w}, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}); },
                           {"Nesterov", "dampening", here(__LINE__ - 1)});
  nn::SGD sgd({w});
  check_throws<ValueError>([&] { sgd.step({}); }, {here(__LINE__)});
  check_throws<GradientError>([&] { sgd.minimize(Tensor(1.0)); }, {"'w'", here(__LINE__)});
  check_throws<ValueError>([&] { sgd.minimize(square(w), {.norm = 0}); }, {"norm", here(__LINE__)});
}

BOOST_AUTO_TEST_SUITE_END()
