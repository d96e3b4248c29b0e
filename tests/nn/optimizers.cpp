#include "nn/optimizers.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"
#include "valley.hpp"

BOOST_AUTO_TEST_SUITE(nn_optimizers)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::Point;
using testing::valley;

/// Where an optimiser is after some steps.
struct Waypoint {
  int steps;
  Point w;
};

Variable make_parameter(const Point& start) { return Variable(Tensor{start[0], start[1], start[2]}, "w"); }

/// Whether the optimiser passes through the points that PyTorch 2.6 computed in float64.
template <class Optimizer, class Options>
void check_trajectory(const Options& options, const Point& start, const std::vector<Waypoint>& waypoints) {
  const Variable w = make_parameter(start);
  Optimizer optimizer({w}, options);
  int step = 0;
  for (const Waypoint& waypoint : waypoints) {
    for (; step < waypoint.steps; ++step) {
      optimizer.minimize(valley(w));
    }
    const std::vector<double> actual = elements(w);
    for (std::size_t i = 0; i < 3; ++i) {
      BOOST_TEST(std::abs(actual[i] - waypoint.w[i]) <= 1e-9 * std::abs(waypoint.w[i]),
                 "step " << step << ", w[" << i << "] is " << actual[i] << ", should be " << waypoint.w[i]);
    }
  }
}

std::unique_ptr<nn::Optimizer> make_optimizer(const std::string& name, const nn::Variables& parameters) {
  using Make = std::function<std::unique_ptr<nn::Optimizer>()>;
  const std::map<std::string, Make> table = {
      {"sgd", [&] { return std::make_unique<nn::SGD>(parameters, nn::SGDOptions{.momentum = 0.9, .dampening = 0.5}); }},
      {"lion", [&] { return std::make_unique<nn::Lion>(parameters, nn::LionOptions{.weight_decay = 0.1}); }},
      {"adam", [&] { return std::make_unique<nn::Adam>(parameters, nn::AdamOptions{.amsgrad = true}); }},
      {"adamw", [&] { return std::make_unique<nn::AdamW>(parameters); }},
      {"adamax", [&] { return std::make_unique<nn::Adamax>(parameters); }},
      {"nadam", [&] { return std::make_unique<nn::NAdam>(parameters, nn::NAdamOptions{.weight_decay = 1e-3}); }},
      {"radam", [&] { return std::make_unique<nn::RAdam>(parameters); }},
      {"rmsprop", [&] { return std::make_unique<nn::RMSprop>(parameters, nn::RMSpropOptions{.centered = true}); }},
      {"adagrad", [&] { return std::make_unique<nn::Adagrad>(parameters); }},
      {"adadelta", [&] { return std::make_unique<nn::Adadelta>(parameters); }},
  };
  return table.at(name)();
}

constexpr std::array optimizer_names = {"sgd",   "lion",  "adam",    "adamw",   "adamax",
                                        "nadam", "radam", "rmsprop", "adagrad", "adadelta"};

}  // namespace

BOOST_AUTO_TEST_CASE(sgd_matches_reference) {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.01},
                            {0.1265925503969454, 0.800102694660549, -0.1091917940072018},
                            {{1, {0.1639093426568346, 0.7216949925760944, -0.10918829426305351}},
                             {2, {0.20340503127166468, 0.6522121205795045, -0.10918242729809449}},
                             {10, {0.48815530340464475, 0.3586008657626884, -0.10896797206156758}},
                             {25, {0.6208865684010783, 0.3496326013778574, -0.10789400662901288}}});
}

BOOST_AUTO_TEST_CASE(sgd_with_momentum_matches_reference) {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.01, .momentum = 0.9},
                            {-0.6384363848093533, 1.092366153675842, 0.988126483071567},
                            {{1, {-0.6918567218737011, 1.0238896400531015, 0.9873209603518316}},
                             {2, {-0.7801924095271769, 0.9077383861475071, 0.9856507965002416}},
                             {10, {-0.1548328398736694, 0.2628599195906637, 0.9417370216968958}},
                             {25, {0.5608985610173277, 0.43057570947200285, 0.872558103907478}}});
}

BOOST_AUTO_TEST_CASE(sgd_with_nesterov_momentum_matches_reference) {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.01, .momentum = 0.9, .nesterov = true},
                            {-1.4515167997062046, 1.2023357569352453, -0.8646568567339981},
                            {{1, {-0.8552985659375936, 1.3742031568851238, -0.8577342203636279}},
                             {2, {-0.7371044145623011, 1.325366114381404, -0.8523986312072693}},
                             {10, {-0.38002349906628063, 0.1712960214380652, -0.8018342936157189}},
                             {25, {0.7111163264090079, 0.5096238041494471, -0.7381344903992799}}});
}

BOOST_AUTO_TEST_CASE(sgd_with_weight_decay_matches_reference) {
  check_trajectory<nn::SGD>(nn::SGDOptions{.learning_rate = 0.01, .momentum = 0.8, .weight_decay = 0.05},
                            {-1.3343748184115518, 0.2689087118312852, -0.31306377508127303},
                            {{1, {-0.8833377165791809, 0.4199390018933272, -0.3117923879298425}},
                             {2, {-0.42056633109972275, 0.5765879164058136, -0.31013280784268243}},
                             {10, {0.8138435081153285, 0.664282887223099, -0.2953389936686331}},
                             {25, {0.8325006443713543, 0.658997883351312, -0.25765908969387874}}});
}

BOOST_AUTO_TEST_CASE(adam_matches_reference) {
  check_trajectory<nn::Adam>(nn::AdamOptions{.learning_rate = 0.05},
                             {0.74288385545047, -1.6778184819262525, -0.3359710000511722},
                             {{1, {0.692883855465793, -1.6278184819486772, -0.2859710135344741}},
                              {2, {0.6431622649060299, -1.5779113370186306, -0.23690243377008827}},
                              {10, {0.2811158495151325, -1.189307621477892, 0.054156903151831956}},
                              {25, {-0.03965202062622542, -0.5708329977219915, 0.2165076324379272}}});
}

BOOST_AUTO_TEST_CASE(adam_with_other_decays_matches_reference) {
  check_trajectory<nn::Adam>(nn::AdamOptions{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6},
                             {0.31973411237351534, -1.6326147815122, -1.871827435363136},
                             {{1, {0.26973411739495556, -1.5826147843943024, -1.8218287417894083}},
                              {2, {0.22071850228998277, -1.5327287394774154, -1.7734081440541745}},
                              {10, {-0.004338044286013589, -1.144628856001297, -1.5367369071220087}},
                              {25, {0.14956404212332522, -0.5211717643307486, -1.3522296090760326}}});
}

BOOST_AUTO_TEST_CASE(adam_with_weight_decay_matches_reference) {
  check_trajectory<nn::Adam>(nn::AdamOptions{.learning_rate = 0.05, .weight_decay = 0.1},
                             {-0.23447841080818232, -1.436770199768171, -1.9415487528498305},
                             {{1, {-0.1844784108599162, -1.3867701998013688, -1.8915487551699708}},
                              {2, {-0.1350570348715159, -1.3368482602627378, -1.8416588510344147}},
                              {10, {0.1661812377548946, -0.9453013787193897, -1.4496454791911022}},
                              {25, {0.15770316590133615, -0.30869740564775655, -0.7722223652360625}}});
}

BOOST_AUTO_TEST_CASE(several_parameters_move_as_one_vector) {
  const Point start = {0.3, -0.8, 0.6};
  for (const char* name : optimizer_names) {
    const Variable whole = make_parameter(start);
    nn::Variables parts;
    for (const double x : start) {
      parts.emplace_back(Tensor(x));
    }
    const auto of_whole = make_optimizer(name, {whole});
    const auto of_parts = make_optimizer(name, parts);
    for (int i = 0; i < 10; ++i) {
      of_whole->minimize(valley(whole));
      of_parts->minimize(valley(stack({parts[0], parts[1], parts[2]})));
    }
    check_elements(whole, {3}, {parts[0].item(), parts[1].item(), parts[2].item()}, 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(parameters_keep_their_dtype) {
  for (const char* name : optimizer_names) {
    const Variable w(Tensor{1.0F, 2.0F}, "w");
    const auto optimizer = make_optimizer(name, {w});
    optimizer->minimize(sum(square(w)));
    BOOST_TEST(w.dtype() == DType::float32);
    BOOST_TEST(optimizer->learning_rate().dtype() == DType::float64);
    for (const double x : elements(w)) {
      BOOST_TEST(x < 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(learning_rate_changes_by_assigning) {
  const Variable w(Tensor(1.0), "w");
  nn::SGD sgd({w}, {.learning_rate = 0.5});
  sgd.step({Tensor(1.0)});
  BOOST_TEST(w.item() == 0.5);
  sgd.learning_rate().assign(0.25);
  sgd.step({Tensor(1.0)});
  BOOST_TEST(w.item() == 0.25);
  sgd.learning_rate().assign(0);
  sgd.step({Tensor(1.0)});
  BOOST_TEST(w.item() == 0.25);

  const Variable v(Tensor(1.0), "v");
  nn::Adam adam({v}, {.learning_rate = 0});
  adam.step({Tensor(1.0)});
  BOOST_TEST(v.item() == 1.0);
  adam.learning_rate().assign(0.5);
  adam.step({Tensor(1.0)});
  check_elements(v, {}, {0.5}, 1e-7);  // equal gradients move a parameter by the learning rate
}

BOOST_AUTO_TEST_CASE(state_lists_what_is_remembered) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  BOOST_TEST(nn::SGD({w}).state().empty());
  const nn::SGD with_momentum({w}, {.momentum = 0.9});
  BOOST_TEST_REQUIRE(with_momentum.state().size() == 1);
  BOOST_TEST(with_momentum.state()[0].name() == "0.w.momentum");

  nn::Adam adam({w});
  adam.step({Tensor{1.0, -2.0}});
  adam.step({Tensor{1.0, -2.0}});
  BOOST_TEST_REQUIRE(adam.state().size() == 3);
  BOOST_TEST(adam.state()[0].name() == "step");
  BOOST_TEST(adam.state()[0].item() == 2);
  check_elements(adam.state()[1], {2}, {0.19, -0.38}, 1e-14);             // (1 - 0.9²) g
  check_elements(adam.state()[2], {2}, {0.001999, 4 * 0.001999}, 1e-14);  // (1 - 0.999²) g²
}

BOOST_AUTO_TEST_CASE(a_parameter_that_the_loss_does_not_reach_is_named) {
  for (const char* name : optimizer_names) {
    const Variable used(Tensor(1.0), "used");
    const Variable forgotten(Tensor(1.0), "forgotten");
    const auto optimizer = make_optimizer(name, {used, forgotten});
    check_throws<GradientError>([&] { optimizer->minimize(square(used)); }, {"does not depend", "'forgotten'"});
    BOOST_TEST(used.item() == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(a_loss_from_before_the_last_step_is_refused) {
  const Variable w(Tensor(1.0), "w");
  nn::SGD sgd({w});
  const Tensor loss = square(w);
  sgd.minimize(loss);
  check_throws<GradientError>([&] { sgd.minimize(loss); }, {"'w'", "has been assigned since"});
}

BOOST_AUTO_TEST_CASE(senseless_options_are_refused) {
  const Variable w(Tensor(1.0), "w");
  const auto sgd = [&w](const nn::SGDOptions& options) { return [=] { nn::SGD({w}, options); }; };
  const auto adam = [&w](const nn::AdamOptions& options) { return [=] { nn::Adam({w}, options); }; };
  check_throws<ValueError>(sgd({.learning_rate = -1}), {"[sgd] ", "learning rate", "-1"});
  check_throws<ValueError>(adam({.learning_rate = std::numeric_limits<double>::infinity()}), {"learning rate", "inf"});
  check_throws<ValueError>(sgd({.momentum = -0.5}), {"[sgd] ", "momentum", "-0.5"});
  check_throws<ValueError>(sgd({.nesterov = true}), {"[sgd] ", "Nesterov", "momentum"});
  check_throws<ValueError>(sgd({.weight_decay = -0.1}), {"[sgd] ", "weight decay", "-0.1"});
  check_throws<ValueError>(adam({.beta1 = 1}), {"[adam] ", "beta1", "got 1"});
  check_throws<ValueError>(adam({.beta2 = -0.1}), {"[adam] ", "beta2", "-0.1"});
  check_throws<ValueError>(adam({.epsilon = 0}), {"[adam] ", "epsilon", "got 0"});
  check_throws<ValueError>(adam({.weight_decay = -1}), {"[adam] ", "weight decay", "-1"});
}

BOOST_AUTO_TEST_CASE(gradients_and_parameters_that_do_not_fit_are_refused) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  nn::SGD sgd({w});
  check_throws<ValueError>([&] { sgd.step({}); }, {"[optimizer] 0 gradients for 1 parameters"});
  check_throws<ShapeError>([&] { sgd.step({Tensor{1.0}}); },
                           {"[optimizer] the gradient of parameter '0.w' is float64(1,), the parameter float64(2,)"});
  check_throws<DTypeError>([&] { sgd.step({Tensor{1.0F, 2.0F}}); }, {"is float32(2,), the parameter float64(2,)"});
  check_throws<ValueError>([&] { nn::Adam({w, w}); }, {"[optimizer] parameters 0 and 1 are the same variable, 'w'"});
  check_throws<ValueError>([] { nn::SGD({}); }, {"[optimizer] the list of parameters is empty"});
  check_elements(w, {2}, {1, 2});
}

// Rates with which each learns: Adadelta's and Adagrad's steps are small at first, Lion's never get smaller.
double rate_for_exclusive_or(std::string_view name) {
  return name == "adadelta" ? 10 : name == "adagrad" ? 0.5 : name == "lion" ? 0.02 : name == "sgd" ? 0.2 : 0.05;
}

// The exclusive or needs a hidden layer, so gradients must flow through one.
BOOST_AUTO_TEST_CASE(all_learn_the_exclusive_or) {
  const Tensor x = {{0.0F, 0.0F}, {0.0F, 1.0F}, {1.0F, 0.0F}, {1.0F, 1.0F}};
  const Tensor y = {0, 1, 1, 0};
  for (const char* name : optimizer_names) {
    nn::Sequential model(nn::Dense(2, 8), nn::Tanh(), nn::Dense(8, 2));
    model.initialize(random::Key(1));
    const auto optimizer = make_optimizer(name, model.parameters());
    optimizer->learning_rate().assign(rate_for_exclusive_or(name));
    for (int i = 0; i < 300; ++i) {
      optimizer->minimize(nn::cross_entropy(model(x), y));
    }
    BOOST_TEST(nn::cross_entropy(model(x), y).item() < 0.05, name);
    BOOST_TEST(nn::accuracy(model(x), y) == 1.0, name);
  }
}

BOOST_AUTO_TEST_CASE(changes_of_the_learning_rate_take_effect) {
  for (const char* name : optimizer_names) {
    const Variable w(Tensor{1.0, -2.0}, "w");
    const auto optimizer = make_optimizer(name, {w});
    optimizer->step({Tensor{1.0, -2.0}});
    const std::vector<double> before = elements(w);
    optimizer->learning_rate().assign(0);
    optimizer->step({Tensor{1.0, -2.0}});
    BOOST_TEST(elements(w) == before, name);
    optimizer->learning_rate().assign(0.1);
    optimizer->step({Tensor{1.0, -2.0}});
    BOOST_TEST(elements(w)[0] < before[0], name);
    BOOST_TEST(elements(w)[1] > before[1], name);
  }
}

// An element out of range is found only when the new values are computed.
BOOST_AUTO_TEST_CASE(a_failing_step_changes_nothing) {
  for (const char* name : optimizer_names) {
    const Variable w(Tensor{{1.0, 2.0}, {3.0, 4.0}}, "w");
    const Variable b(Tensor{1.0, 2.0}, "b");
    const auto optimizer = make_optimizer(name, {b, w});
    optimizer->minimize(nn::cross_entropy(w + b, Tensor{0, 1}));
    std::vector<std::vector<double>> before = {elements(w), elements(b)};
    for (const Variable& state : optimizer->state()) {
      before.push_back(elements(state));
    }
    check_throws<ValueError>([&] { optimizer->minimize(nn::cross_entropy(w + b, Tensor{0, 7})); }, {"7"});
    std::vector<std::vector<double>> after = {elements(w), elements(b)};
    for (const Variable& state : optimizer->state()) {
      after.push_back(elements(state));
    }
    BOOST_TEST((after == before), name);
  }
}

BOOST_AUTO_TEST_CASE(states_are_named_by_position_and_parameter) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"sgd", {"step", "0.weight.momentum", "1.momentum"}},
      {"lion", {"0.weight.momentum", "1.momentum"}},
      {"adam",
       {"step", "0.weight.first_moment", "1.first_moment", "0.weight.second_moment", "1.second_moment",
        "0.weight.largest_second_moment", "1.largest_second_moment"}},
      {"adamw", {"step", "0.weight.first_moment", "1.first_moment", "0.weight.second_moment", "1.second_moment"}},
      {"adamax",
       {"step", "0.weight.first_moment", "1.first_moment", "0.weight.largest_gradient", "1.largest_gradient"}},
      {"nadam",
       {"step", "momentum_product", "0.weight.first_moment", "1.first_moment", "0.weight.second_moment",
        "1.second_moment"}},
      {"radam", {"step", "0.weight.first_moment", "1.first_moment", "0.weight.second_moment", "1.second_moment"}},
      {"rmsprop", {"0.weight.second_moment", "1.second_moment", "0.weight.first_moment", "1.first_moment"}},
      {"adagrad", {"step", "0.weight.sum_of_squares", "1.sum_of_squares"}},
      {"adadelta", {"0.weight.second_moment", "1.second_moment", "0.weight.squared_update", "1.squared_update"}},
  };
  for (const auto& [name, names] : expected) {
    const auto optimizer = make_optimizer(name, {Variable(Tensor(1.0), "weight"), Variable(Tensor(1.0))});
    std::vector<std::string> actual;
    for (const Variable& state : optimizer->state()) {
      actual.push_back(state.name());
    }
    BOOST_TEST(actual == names, boost::test_tools::per_element());
  }
}

// What a loop over assignments of state carries from one optimiser to another is all that there is to carry.
BOOST_AUTO_TEST_CASE(variables_hold_all_that_a_run_needs_to_go_on) {
  for (const char* name : optimizer_names) {
    const Variable w = make_parameter({0.3, -0.8, 0.6});
    const auto first = make_optimizer(name, {w});
    first->learning_rate().assign(0.02);
    for (int i = 0; i < 3; ++i) {
      first->minimize(valley(w));
    }
    const Variable copy = w.clone();
    const auto second = make_optimizer(name, {copy});
    const nn::Variables from = first->variables();
    const nn::Variables to = second->variables();
    BOOST_TEST_REQUIRE(from.size() == to.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i].assign(from[i]);
    }
    first->minimize(valley(w));
    second->minimize(valley(copy));
    BOOST_TEST(elements(copy) == elements(w), name);
  }
}

// Squares of what is beyond 1.8e19 do not fit into float32: such an element stays, the others move.
BOOST_AUTO_TEST_CASE(adam_leaves_alone_what_it_cannot_square) {
  const Variable w(Tensor{1.0F, 1.0F}, "w");
  nn::Adam adam({w}, {.learning_rate = 0.5});
  adam.step({Tensor{1e25F, 1e18F}});
  BOOST_TEST(elements(w)[0] == 1);
  BOOST_TEST(elements(w)[1] == 0.5, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(errors_name_the_parameter_and_the_users_line) {
  const auto made = std::to_string(__LINE__ + 1);
  const nn::Sequential model(nn::Dense(2, 2), nn::Dense(2, 2));
  nn::Adam adam(model.parameters());
  const Tensor first = (*model[0].as<nn::Dense>())(ones({1, 2}));
  const auto line = std::to_string(__LINE__ + 1);
  const auto minimize = [&] { adam.minimize(sum(first)); };
  check_throws<GradientError>(
      minimize, {"does not depend", "optimizers.cpp:" + made, "optimizers.cpp:" + line, "for parameter '2.weight'"});
  check_throws<ShapeError>(
      [&] {
        adam.step({ones({2, 2}), ones({3}), ones({2, 2}), ones({2})});
      },
      {"the gradient of parameter '1.bias' is float32(3,)", "optimizers.cpp:"});
  check_throws<ValueError>([&] { adam.weight_decay(); }, {"[adam] ", "optimizers.cpp:"});
  check_throws<ValueError>([&] { adam.learning_rate(1); }, {"[adam] there is no group 1", "optimizers.cpp:"});
}

BOOST_AUTO_TEST_SUITE_END()
