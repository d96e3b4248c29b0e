#include <cmath>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/provenance/story.hpp"
#include "tests/testing.hpp"

/// \file
/// Training steps that meet numbers that are not finite: what fit says of them.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(nn_not_finite)

namespace {

using datasets::Dataset;
using testing::check_elements;
using testing::check_story;
using testing::elements;

std::string line(int number) { return "not_finite.cpp:" + std::to_string(number); }

nn::FitOptions quiet() { return {.epochs = 1, .progress = nn::Progress::quiet}; }

std::vector<double> contents(const std::vector<Variable>& variables) {
  std::vector<double> all;
  for (const Variable& variable : variables) {
    for (const double x : elements(variable)) {
      all.push_back(x);
    }
  }
  return all;
}

xt::xarray<double> features(std::size_t samples) {
  xt::xarray<double> x = xt::ones<double>({samples, std::size_t{3}});
  for (std::size_t i = 0; i < samples; ++i) {
    x(i, 1) = 0.1 * static_cast<double>(i);
  }
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(fit_names_the_sample_that_is_nan) {
  const nn::Dense model(3, 1);
  const std::vector<double> before = contents(model.parameters());
  nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::mse, {.batches = {.batch_size = 20, .seed = 3}});
  xt::xarray<double> x = features(20);
  x(13, 2) = std::nan("");
  check_story<ValueError>(
      [&] {
        trainer.fit({x, xt::xarray<double>(xt::zeros<double>({20, 1}))}, quiet());
      },
      [&] {
        return std::vector<std::string>{
            "[fit] a number is not finite in epoch 1, batch 1 of 1", "no variable was changed",
            "[loss] the loss is nan", "not finite to begin with: features is nan", "that row is sample 13 of the data"};
      });
  BOOST_TEST(contents(model.parameters()) == before);
}

BOOST_AUTO_TEST_CASE(fit_names_samples_of_the_data_that_it_was_given) {
  int failed = 0;
  for (std::size_t row = 0; row < 20; ++row) {
    const nn::Dense model(3, 1);
    nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::mse, {.batches = {.batch_size = 10, .seed = 3}});
    xt::xarray<double> x = features(20);
    x(row, 1) = std::nan("");
    nn::FitOptions half = quiet();
    half.validation_fraction = 0.5;
    try {
      trainer.fit({x, xt::xarray<double>(xt::zeros<double>({20, 1}))}, half);
    } catch (const ValueError& error) {
      ++failed;
      const std::string line = "that row is sample " + std::to_string(row) + " of the data";
      BOOST_TEST(std::string(error.what()).find(line) != std::string::npos, error.what());
    }
  }
  BOOST_TEST(failed == 10);
}

BOOST_AUTO_TEST_CASE(fit_names_the_line_and_the_sample_of_a_loss_of_ones_own) {
  const nn::Dense model(3, 1);
  int at = 0;
  const auto loss = [&](const Tensor& predictions, const Tensor& targets) {
    at = __LINE__ + 1;
    const Tensor scaled = predictions / targets;
    return mean(square(scaled));
  };
  nn::Trainer trainer(model, nn::Adam(model.parameters()), loss, {.batches = {.batch_size = 8, .shuffle = false}});
  xt::xarray<double> y = xt::ones<double>({24, 1});
  y(17, 0) = 0;
  check_story<ValueError>(
      [&] {
        trainer.fit({features(24), y}, quiet());
      },
      [&] {
        return std::vector<std::string>{"in epoch 1, batch 3 of 3",
                                        "born in [divide] at ",
                                        line(at),
                                        " / 0 is ",
                                        "row 1 of features and targets brings it about",
                                        "sample 17 of the data",
                                        "likely cause: division by 0"};
      });
}

BOOST_AUTO_TEST_CASE(gradients_are_looked_at_before_anything_is_written) {
  int at = 0;
  const auto loss = [&](const Tensor& predictions, const Tensor& targets) {
    at = __LINE__ + 1;
    return mean(sqrt(square(predictions) * targets));
  };
  xt::xarray<double> y = xt::ones<double>({16, 1});
  y(9, 0) = 0;  // the root of 0 is 0, its derivative is infinite
  for (const std::int64_t accumulate : {1, 2}) {
    const nn::Dense model(3, 1);
    const nn::Adam adam(model.parameters());
    const std::vector<double> before = contents(model.parameters());
    nn::Trainer trainer(
        model, adam, loss,
        {.accumulate = accumulate, .batches = {.batch_size = 16, .shuffle = false}, .check = nn::Check::gradients});
    check_story<ValueError>(
        [&] {
          trainer.fit({features(16), y}, quiet());
        },
        [&] {
          return std::vector<std::string>{"[fit] a number is not finite in epoch 1, batch 1 of 1",
                                          "[gradient] the gradient of parameter '",
                                          "has a norm that is nan",
                                          "in the gradient of [sqrt] at ",
                                          line(at),
                                          " / 0 is ",
                                          "row 9 of features and targets",
                                          "sample 9 of the data",
                                          "likely cause: the derivative is infinite or undefined"};
        });
    BOOST_TEST(contents(model.parameters()) == before);
    BOOST_TEST(adam.state().front().item() == 0);
  }
}

BOOST_AUTO_TEST_CASE(looking_at_gradients_changes_no_bit) {
  const auto train = [](nn::Check check, const nn::Clipping& clipping, std::int64_t accumulate) {
    nn::Sequential model(nn::Dense(3, 8), nn::ReLU(), nn::Dense(8, 1));
    model.initialize(random::Key(5));
    nn::Trainer trainer(
        model, nn::Adam(model.parameters()), nn::mse,
        {.clipping = clipping, .accumulate = accumulate, .batches = {.batch_size = 8, .seed = 1}, .check = check});
    trainer.fit({features(40), xt::xarray<double>(xt::ones<double>({40, 1}))}, quiet());
    return contents(model.parameters());
  };
  for (const nn::Clipping& clipping : {nn::Clipping{}, nn::Clipping{.norm = 0.5}}) {
    for (const std::int64_t accumulate : {1, 3}) {
      BOOST_TEST(train(nn::Check::loss, clipping, accumulate) == train(nn::Check::gradients, clipping, accumulate));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_with_gradients_looked_at_or_not) {
  const testing::TemporaryFolder temporary;
  const auto path = temporary.folder / "run.safetensors";
  const auto train = [&](nn::Check check, bool saves, bool resumes) {
    nn::Sequential model(nn::Dense(3, 4, {.key = random::Key(7)}), nn::Dense(4, 1, {.key = random::Key(8)}));
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::mse, {.batches = {.batch_size = 8}, .check = check});
    const nn::Callback save{.on_epoch_end = [&](nn::TrainingState& training) {
      if (saves && training.epoch == 1) {
        trainer.save(path);
      }
    }};
    nn::FitOptions options{.epochs = 3, .callbacks = {save}, .progress = nn::Progress::quiet};
    if (resumes) {
      options.resume = path;
    }
    trainer.fit({features(20), xt::xarray<double>(xt::ones<double>({20, 1}))}, options);
    return contents(model.parameters());
  };
  const std::vector<double> whole = train(nn::Check::loss, true, false);
  BOOST_TEST(train(nn::Check::gradients, false, true) == whole);
}

BOOST_AUTO_TEST_CASE(optimisers_tell_where_a_gradient_was_born) {
  int at = 0;
  const Variable w(Tensor{1.0, 0.0}, "w");
  nn::SGD sgd({w});
  const auto step = compile([&](const Tensor& x) {
    at = __LINE__ + 1;
    const Tensor loss = sum(sqrt(w) * x);
    sgd.minimize(loss, {.not_finite = nn::NotFinite::error});
    return loss;
  });
  check_story<ValueError>(
      [&] {
        step(Tensor{1.0, 1.0});
      },
      [&] {
        return std::vector<std::string>{"[optimizer] the gradient of parameter '0.w' has a norm that is nan",
                                        "Clipping::not_finite",
                                        "in the gradient of [sqrt] at ",
                                        line(at),
                                        " / 0 is inf",
                                        "variable 'w'"};
      });
  check_elements(w, {2}, {1, 0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
