#include "nn/losses.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "autograd/transforms/vmap.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_classification_losses)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::make_tensor;
using testing::random_tensor;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t batch = 6, classes = 4;
const std::vector<double> label_values = {3, 0, 1, 1, 2, 0};

Tensor labels(DType dtype = DType::int64) { return make_tensor(label_values, {batch}, dtype); }
Tensor logits() { return random_tensor({batch, classes}, -3, 3); }

// softmax(z)ⱼ of one row, from the definition.
double probability(const std::vector<double>& z, std::size_t row, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    sum += std::exp(z[row * classes + k]);
  }
  return std::exp(z[row * classes + j]) / sum;
}

double naive_cross_entropy(const std::vector<double>& z) {
  double loss = 0;
  for (std::size_t row = 0; row < batch; ++row) {
    loss -= std::log(probability(z, row, static_cast<std::size_t>(label_values[row]))) / batch;
  }
  return loss;
}

const std::vector<double> weight_values = {0.5, 2, 1.5, 0.25};
Tensor weights() { return make_tensor(weight_values, {classes}, DType::float64); }
Tensor probabilities() { return softmax(random_tensor({batch, classes}, -2, 2, 5)).detach(); }

/// What an option says of a row.
struct Row {
  double loss, weight;
};

/// The loss of every row by the formulas in losses.hpp, with ε and class weights.
std::vector<Row> rows_by_definition(const std::vector<double>& z, double epsilon, const std::vector<double>& w) {
  std::vector<Row> rows;
  for (std::size_t row = 0; row < batch; ++row) {
    const auto y = static_cast<std::size_t>(label_values[row]);
    double loss = -(1 - epsilon) * w[y] * std::log(probability(z, row, y));
    for (std::size_t c = 0; c < classes; ++c) {
      loss -= epsilon / classes * w[c] * std::log(probability(z, row, c));
    }
    rows.push_back({loss, w[y]});
  }
  return rows;
}

double weighted_mean(const std::vector<Row>& rows) {
  Row total{0, 0};
  for (const Row& row : rows) {
    total = {total.loss + row.loss, total.weight + row.weight};
  }
  return total.loss / total.weight;
}

std::vector<double> losses_of(const std::vector<Row>& rows) {
  std::vector<double> losses;
  for (const Row& row : rows) {
    losses.push_back(row.loss);
  }
  return losses;
}

double total(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

void check_derivatives(const nn::CrossEntropyOptions& options) {
  BOOST_CHECK_NO_THROW(
      check_grads([&](const Tensors& z) { return nn::cross_entropy(z[0], labels(), options); }, {logits()}));
}

}  // namespace

BOOST_AUTO_TEST_CASE(cross_entropy_matches_its_definition) {
  const double expected = naive_cross_entropy(elements(logits()));
  for (const DType dtype : {DType::uint8, DType::int32, DType::int64}) {
    check_elements(nn::cross_entropy(logits(), labels(dtype)), {}, {expected}, 1e-14);
  }
  const Tensor single = nn::cross_entropy(cast(logits(), DType::float32), labels());
  BOOST_TEST(single.dtype() == DType::float32);
  check_elements(single, {}, {expected}, 1e-6);
}

BOOST_AUTO_TEST_CASE(cross_entropy_takes_leading_axes) {
  const Tensor z = reshape(logits(), {2, 3, classes});
  check_elements(nn::cross_entropy(z, reshape(labels(), {2, 3})), {}, {naive_cross_entropy(elements(z))}, 1e-14);
}

BOOST_AUTO_TEST_CASE(cross_entropy_gradient_is_softmax_minus_one_hot) {
  const Tensor z = logits();
  std::vector<double> expected = elements(z);
  const std::vector<double> values = expected;
  for (std::size_t row = 0; row < batch; ++row) {
    for (std::size_t j = 0; j < classes; ++j) {
      const double truth = label_values[row] == static_cast<double>(j) ? 1 : 0;
      expected[row * classes + j] = (probability(values, row, j) - truth) / batch;
    }
  }
  check_elements(grad(nn::cross_entropy(z, labels()), z), {batch, classes}, expected, 1e-15);
}

BOOST_AUTO_TEST_CASE(cross_entropy_is_differentiable_twice) {
  BOOST_CHECK_NO_THROW(check_grads([](const Tensors& z) { return nn::cross_entropy(z[0], labels()); }, {logits()}));
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_extreme_logits) {
  const Tensor large = {{1e4, 0.0, -1e4}, {1e4, 0.0, -1e4}};
  const Tensor y = {0, 2};
  check_elements(nn::cross_entropy(large, y), {}, {1e4}, 1e-15);  // (0 + 20000) / 2
  check_elements(grad(nn::cross_entropy(large, y), large), {2, 3}, {0, 0, 0, 0.5, 0, -0.5}, 1e-15);

  const Tensor single = cast(large, DType::float32);
  check_elements(nn::cross_entropy(single, y), {}, {1e4}, 1e-6);
  check_elements(grad(nn::cross_entropy(single, y), single), {2, 3}, {0, 0, 0, 0.5, 0, -0.5}, 1e-6);
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_impossible_classes) {
  const Tensor z = {{2.0, -infinity, 1.0}};
  const Tensor loss = nn::cross_entropy(z, Tensor{0});
  const double p = std::exp(2) / (std::exp(2) + std::exp(1));
  check_elements(loss, {}, {-std::log(p)}, 1e-14);
  check_elements(grad(loss, z), {1, 3}, {p - 1, 0, 1 - p}, 1e-14);
  check_elements(nn::cross_entropy(z, Tensor{1}), {}, {infinity});
}

BOOST_AUTO_TEST_CASE(cross_entropy_names_a_label_out_of_range) {
  const auto line = std::to_string(__LINE__ + 1);
  const Tensor loss = nn::cross_entropy(logits(), Tensor{0, 1, 2, 3, 4, 0});
  check_throws<ValueError>([&] { loss.item(); }, {"[cross_entropy] the label of row 4 of 6 is 4, outside [0, 4)",
                                                  "classification_losses.cpp:" + line});
  check_throws<ValueError>(
      [&] {
        nn::cross_entropy(logits(), Tensor{0, -1, 2, 3, 0, 0}).item();
      },
      {"the label of row 1 of 6 is -1"});
}

BOOST_AUTO_TEST_CASE(failing_step_changes_nothing) {
  const nn::Sequential model(nn::Dense(5, 8), nn::Tanh(), nn::Dense(8, 4));
  nn::Adam adam(model.parameters());
  const Tensor x = cast(random_tensor({3, 5}), DType::float32);
  adam.minimize(nn::cross_entropy(model(x), Tensor{0, 1, 2}));

  nn::Variables cells = adam.state();
  cells.insert(cells.end(), adam.parameters().begin(), adam.parameters().end());
  std::vector<std::vector<double>> before;
  for (const Variable& cell : cells) {
    before.push_back(elements(cell));
  }
  check_throws<ValueError>(
      [&] {
        adam.minimize(nn::cross_entropy(model(x), Tensor{0, 1, 7}));
      },
      {"[cross_entropy] the label of row 2 of 3 is 7"});
  for (std::size_t i = 0; i < cells.size(); ++i) {
    BOOST_TEST((elements(cells[i]) == before[i]), cells[i].name() << " changed");
  }
  adam.minimize(nn::cross_entropy(model(x), Tensor{0, 1, 2}));
  BOOST_TEST((elements(model.parameters()[0]) != before[cells.size() - 4]));
}

BOOST_AUTO_TEST_CASE(cross_entropy_refuses_what_does_not_belong_together) {
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::cross_entropy(logits(), Tensor{0, 1}); };
  check_throws<ShapeError>(call, {"[cross_entropy] ", "(6, 4)", "(6,)", "(2,)", "classification_losses.cpp:" + line});
  check_throws<ShapeError>([] { nn::cross_entropy(logits(), one_hot(labels(), classes, DType::int64)); },
                           {"labels of shape (6,)"});
  check_throws<ShapeError>([] { nn::cross_entropy(zeros({6, 0}), labels()); }, {"one class or more", "(6, 0)"});
  check_throws<ShapeError>([] { nn::cross_entropy(1.0, 1); }, {"[cross_entropy] ", "()"});
  check_throws<DTypeError>([] { nn::cross_entropy(logits(), labels(DType::float32)); },
                           {"integers", "float32", "cast"});
}

BOOST_AUTO_TEST_CASE(equal_logits_of_any_size_cost_the_logarithm_of_their_number) {
  for (const double z : {0.0, 1e4, -1e4, 3e30}) {
    const Tensor logits = full({2, 3}, z);
    for (const double epsilon : {0.0, 0.3}) {
      const Tensor loss = nn::cross_entropy(logits, Tensor{0, 2}, {.label_smoothing = epsilon});
      check_elements(loss, {}, {std::log(3)}, 1e-7);
    }
    check_elements(nn::cross_entropy(logits, full({2, 3}, 1.0 / 3)), {}, {std::log(3)}, 1e-7);
    const Tensor third = full({2, 3}, 1.0 / 3);
    check_elements(grad(nn::cross_entropy(logits, Tensor{0, 2}), logits), {2, 3},
                   elements((third - one_hot(Tensor{0, 2}, 3)) / 2), 1e-7);
  }
}

BOOST_AUTO_TEST_CASE(small_losses_of_large_logits) {
  const Tensor z = {{1e4F, 1e4F - 2}};
  check_elements(nn::cross_entropy(z, Tensor{0}), {}, {std::log1p(std::exp(-2))}, 1e-6);
  check_elements(nn::cross_entropy(z, Tensor{1}), {}, {2 + std::log1p(std::exp(-2))}, 1e-6);
}

BOOST_AUTO_TEST_CASE(impossible_classes_beside_an_impossible_label) {
  const Tensor z = {{2.0, -infinity, 1.0, -infinity}};
  check_elements(nn::cross_entropy(z, Tensor{3}), {}, {infinity});
  check_elements(nn::cross_entropy(z, Tensor{{1.0, 0.0, 0.0, 0.0}}), {}, {std::log1p(std::exp(-1))}, 1e-14);
  check_elements(nn::cross_entropy(z, Tensor{{0.5, 0.5, 0.0, 0.0}}), {}, {infinity});
}

BOOST_AUTO_TEST_CASE(reductions_of_cross_entropy) {
  const std::vector<double> rows = losses_of(rows_by_definition(elements(logits()), 0, {1, 1, 1, 1}));
  check_elements(nn::cross_entropy(logits(), labels(), {.reduction = nn::Reduction::none}), {batch}, rows, 1e-14);
  check_elements(nn::cross_entropy(logits(), labels(), {.reduction = nn::Reduction::sum}), {}, {total(rows)}, 1e-14);
  check_derivatives({.reduction = nn::Reduction::none});
}

BOOST_AUTO_TEST_CASE(label_smoothing_and_class_weights) {
  for (const double epsilon : {0.0, 0.1, 1.0}) {
    for (const std::vector<double>& w : {std::vector<double>{1, 1, 1, 1}, weight_values}) {
      nn::CrossEntropyOptions options{.label_smoothing = epsilon};
      if (w == weight_values) {
        options.class_weights = cast(weights(), DType::float32);  // takes the dtype of the logits
      }
      const std::vector<Row> rows = rows_by_definition(elements(logits()), epsilon, w);
      check_elements(nn::cross_entropy(logits(), labels(), options), {}, {weighted_mean(rows)}, 1e-13);
      check_derivatives(options);
      options.reduction = nn::Reduction::none;
      check_elements(nn::cross_entropy(logits(), labels(), options), {batch}, losses_of(rows), 1e-13);
    }
  }
}

BOOST_AUTO_TEST_CASE(ignored_labels_count_for_nothing) {
  const Tensor z = concatenate({logits(), full({1, classes}, infinity, DType::float64)});
  for (const std::int64_t ignored : {-100, 2, 255}) {
    std::vector<double> y = label_values;
    y.push_back(static_cast<double>(ignored));  // also ignores what label 2 stands for, and a row of infinite logits
    const Tensor with_ignored = make_tensor(y, {batch + 1}, ignored == 255 ? DType::uint8 : DType::int64);
    for (const bool weighted : {false, true}) {
      nn::CrossEntropyOptions options{.label_smoothing = 0.2, .ignored_label = ignored};
      if (weighted) {
        options.class_weights = weights();
      }
      std::vector<Row> kept;
      std::vector<double> losses;
      for (const Row& row :
           rows_by_definition(elements(logits()), 0.2, weighted ? weight_values : std::vector<double>{1, 1, 1, 1})) {
        const bool counts = static_cast<std::int64_t>(label_values[losses.size()]) != ignored;
        if (counts) {
          kept.push_back(row);
        }
        losses.push_back(counts ? row.loss : 0);
      }
      losses.push_back(0);
      check_elements(nn::cross_entropy(z, with_ignored, options), {}, {weighted_mean(kept)}, 1e-13);
      options.reduction = nn::Reduction::none;
      check_elements(nn::cross_entropy(z, with_ignored, options), {batch + 1}, losses, 1e-13);
    }
  }
  check_derivatives({.ignored_label = 1});
  check_throws<ValueError>(
      [&] {
        nn::cross_entropy(logits(), Tensor{0, 1, 9, -1, 0, 0}, {.ignored_label = 9}).item();
      },
      {"the label of row 3 of 6 is -1"});
}

BOOST_AUTO_TEST_CASE(probabilities_in_place_of_labels) {
  const std::vector<double> z = elements(logits());
  const std::vector<double> q = elements(probabilities());
  for (const double epsilon : {0.0, 0.1}) {
    for (const std::vector<double>& w : {std::vector<double>{1, 1, 1, 1}, weight_values}) {
      std::vector<double> rows(batch, 0.0);
      for (std::size_t i = 0; i < z.size(); ++i) {
        rows[i / classes] -= w[i % classes] * ((1 - epsilon) * q[i] + epsilon / classes) *
                             std::log(probability(z, i / classes, i % classes));
      }
      nn::CrossEntropyOptions options{.label_smoothing = epsilon};
      if (w == weight_values) {
        options.class_weights = weights();
      }
      check_elements(nn::cross_entropy(logits(), probabilities(), options), {}, {total(rows) / batch}, 1e-13);
      BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& x) { return nn::cross_entropy(x[0], x[1], options); },
                                       {logits(), probabilities()}));
      options.reduction = nn::Reduction::none;
      check_elements(nn::cross_entropy(logits(), probabilities(), options), {batch}, rows, 1e-13);
    }
  }
  // Certain ones are labels.
  check_elements(nn::cross_entropy(logits(), one_hot(labels(), classes, DType::float64)), {}, {naive_cross_entropy(z)},
                 1e-14);
}

BOOST_AUTO_TEST_CASE(nll_is_cross_entropy_of_log_softmax) {
  for (const auto reduction : {nn::Reduction::mean, nn::Reduction::sum, nn::Reduction::none}) {
    for (const Tensor& w : {Tensor(), weights()}) {
      for (const std::optional<std::int64_t> ignored :
           {std::optional<std::int64_t>(), std::optional<std::int64_t>(1)}) {
        const Tensor expected = nn::cross_entropy(
            logits(), labels(), {.reduction = reduction, .class_weights = w, .ignored_label = ignored});
        const nn::NllOptions options{.reduction = reduction, .class_weights = w, .ignored_label = ignored};
        check_elements(nn::nll(log_softmax(logits()), labels(), options), expected.shape(), elements(expected), 1e-14);
        BOOST_CHECK_NO_THROW(
            check_grads([&](const Tensors& x) { return nn::nll(x[0], labels(), options); }, {logits()}));
      }
    }
  }
  check_throws<ShapeError>([] { nn::nll(logits(), Tensor{0}); }, {"[nll] ", "(6, 4)", "(1,)"});
  check_throws<ValueError>(
      [] {
        nn::nll(logits(), Tensor{0, 1, 2, 3, 4, 0}).item();
      },
      {"[nll] the label of row 4 of 6 is 4"});
}

BOOST_AUTO_TEST_CASE(one_class_is_certain) {
  const Tensor z = random_tensor({3, 1}, -1e4, 1e4);
  check_elements(nn::cross_entropy(z, Tensor{0, 0, 0}), {}, {0});
  check_elements(grad(nn::cross_entropy(z, Tensor{0, 0, 0}), z), {3, 1}, {0, 0, 0});
  check_elements(nn::cross_entropy(z, ones({3, 1}, DType::float64)), {}, {0});
}

BOOST_AUTO_TEST_CASE(a_mean_over_nothing_is_nan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor none = zeros({0, 3});
  const Tensor no_labels = zeros({0}, DType::int64);
  check_elements(nn::cross_entropy(none, no_labels), {}, {nan});
  check_elements(nn::cross_entropy(none, no_labels, {.reduction = nn::Reduction::sum}), {}, {0});
  check_elements(nn::cross_entropy(none, no_labels, {.reduction = nn::Reduction::none}), {0}, {});
  check_elements(nn::cross_entropy(none, none), {}, {nan});
  check_elements(nn::cross_entropy(logits(), zeros({batch}, DType::int64), {.ignored_label = 0}), {}, {nan});
  check_elements(grad(nn::cross_entropy(none, no_labels), none), {0, 3}, {});
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_samples_by_vmap) {
  const auto loss = [](const Tensor& z, const Tensor& y) { return nn::cross_entropy(z, y, {.label_smoothing = 0.1}); };
  const nn::CrossEntropyOptions per_row{.reduction = nn::Reduction::none, .label_smoothing = 0.1};
  check_elements(vmap(loss)(logits(), labels()), {batch}, elements(nn::cross_entropy(logits(), labels(), per_row)),
                 1e-14);
}

BOOST_AUTO_TEST_CASE(senseless_options_of_cross_entropy_are_refused) {
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::cross_entropy(logits(), labels(), {.label_smoothing = 1.5}); };
  check_throws<ValueError>(call, {"[cross_entropy] ", "1.5", "classification_losses.cpp:" + line});
  check_throws<ShapeError>(
      [] {
        nn::cross_entropy(logits(), labels(), {.class_weights = {1.0, 2.0}});
      },
      {"class_weights", "(4,)", "(2,)"});
  check_throws<ValueError>([] { nn::cross_entropy(logits(), probabilities(), {.ignored_label = 0}); },
                           {"ignored_label", "probabilities"});
  check_throws<DTypeError>([] { nn::cross_entropy(logits(), labels(DType::float64), {.ignored_label = 0}); },
                           {"integers", "float64"});
}

BOOST_AUTO_TEST_SUITE_END()
