#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "nn/partial_update.hpp"
#include "nn/rank_sums.hpp"
#include "tests/nn/ranked_training.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_trainer_rank_parts)

namespace nn_trainer_rank_parts {

using namespace xgrad;
using namespace testing::ranked;
using testing::run_ranks;
using testing::text_of;

template <class O>
std::shared_ptr<nn::Optimizer> make(const nn::Variables& parameters) {
  return std::make_shared<O>(parameters);
}

// Gradients of length 1: no element by itself.
class Normalized : public nn::Optimizer {
 public:
  explicit Normalized(const nn::Variables& parameters)
      : Optimizer(parameters, {.name = "normalized", .learning_rate = 0.05}, std::source_location::current()) {}

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override {
    for (const Entry& p : step.entries) {
      const Tensor length = sqrt(sum(square(p.g)) + 1e-12);
      updates.emplace_back(p.variable, p.w - cast(step.learning_rate, p.w.dtype()) * p.g / length);
    }
  }
};

// Leaves the first parameter as it is.
class AllButFirst : public nn::Optimizer {
 public:
  explicit AllButFirst(const nn::Variables& parameters)
      : Optimizer(parameters, {.name = "all_but_first", .learning_rate = 0.05}, std::source_location::current()) {}

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override {
    for (std::size_t i = 1; i < step.entries.size(); ++i) {
      const Entry& p = step.entries[i];
      updates.emplace_back(p.variable, p.w - cast(step.learning_rate, p.w.dtype()) * p.g);
    }
  }
};

// A layer with a parameter that is one number.
struct Scaled : nn::Layer<Scaled> {
  nn::Dense inner{12, 3};
  Variable scale{full({}, 0.5, DType::float32), "scale"};
  static constexpr auto members = fields("inner", &Scaled::inner, "scale", &Scaled::scale);
  Tensor operator()(const Operand& x) const { return inner(x) * scale.read(); }
};

bool is_cut(const nn::Optimizer& optimizer, const nn::Clipping& clipping = {}) {
  const auto world = std::make_shared<testing::ThreadRank>(std::make_shared<testing::MeetingPlace>(2), 1);
  return nn::detail::PartialUpdate::of(optimizer, clipping, nn::detail::RankTalk(world)) != nullptr;
}

bool is_cut(const Make& make_optimizer, const nn::Clipping& clipping = {}) {
  const nn::Sequential model = make_model();
  return is_cut(*make_optimizer(model.parameters()), clipping);
}

// The largest label: what two of them have counted is not added up.
struct Largest {
  double largest = 0;
  void update(const Tensor&, const Tensor& targets) { largest = std::max(largest, amax(targets).item()); }
  void reset() { largest = 0; }
  double value() const { return largest; }
  std::string name() const { return "largest"; }
  void save(nn::Saved& saved) const { saved.put("largest", largest); }
  void load(const nn::Saved& saved) { saved.load("largest", largest); }
  void merge(const Largest& other) { largest = std::max(largest, other.largest); }
};

// Keeps a running mean of its inputs, rounded to bfloat16.
struct StoredMean : nn::Layer<StoredMean> {
  nn::Dense dense{12, 3};
  nn::Statistic mean{zeros({12}, DType::bfloat16)};
  static constexpr auto members = fields("dense", &StoredMean::dense, "mean", &StoredMean::mean);
  Tensor operator()(const Operand& x, const nn::Mode& mode = {}) const {
    const Tensor rows = reshape(x.tensor(), {-1, 12});
    if (mode.training()) {
      const Tensor before = cast(mean, DType::float32);
      mean.assign(cast(before + (xgrad::mean(rows, 0) - before) * 0.25F, DType::bfloat16));
    }
    return dense(rows);
  }
};

struct Forgetful {
  void update(const Tensor&, const Tensor&) {}
  void reset() {}
  double value() const { return 0; }
  std::string name() const { return "forgetful"; }
};

}  // namespace nn_trainer_rank_parts

using namespace nn_trainer_rank_parts;

BOOST_AUTO_TEST_CASE(minus_zero_adds_nothing) {
  const Tensor minus = nn::detail::nothing_to_add({{3}, DType::float32});
  const Tensor sum = nn::detail::nothing_to_add({{}, DType::float64}) + Tensor(-0.0);
  const auto compiled = compile([&](const Tensor& x) { return x + nn::detail::nothing_to_add({{2}, DType::float32}); });
  const xt::xarray<float> signs = {-0.0F, 0.0F};
  BOOST_TEST(std::signbit(minus.value<float>()(1)));
  BOOST_TEST(std::signbit(sum.item()));
  BOOST_TEST(std::signbit(compiled(signs).value<float>()(0)));
  BOOST_TEST(!std::signbit(compiled(signs).value<float>()(1)));
}

BOOST_AUTO_TEST_CASE(sums_are_made_in_a_binary_tree) {
  const auto text = [](std::size_t count, std::size_t parts) {
    Tensors terms;
    for (std::size_t i = 0; i < count; ++i) {  // of these, float sums tell each other apart by their order
      terms.push_back(Tensor(std::pow(3.0, static_cast<double>(7 * i)) + 1.0 / 3));
    }
    const double sum = nn::detail::tree_sum(terms, parts).item();
    const auto t = [&](std::size_t i) { return terms[i].item(); };
    switch (count) {
      case 1: return sum == t(0);
      case 3: return sum == (t(0) + t(1)) + t(2);
      case 5: return sum == ((t(0) + t(1)) + (t(2) + t(3))) + t(4);
      default: return sum == ((t(0) + t(1)) + (t(2) + t(3))) + ((t(4) + t(5)) + (t(6) + t(7)));
    }
  };
  BOOST_TEST(text(1, 8));
  BOOST_TEST(text(3, 4));
  BOOST_TEST(text(5, 8));
  BOOST_TEST(text(8, 8));
}

BOOST_AUTO_TEST_CASE(each_rank_updates_its_part_of_the_weights) {
  const auto amsgrad = [](const nn::Variables& parameters) -> std::shared_ptr<nn::Optimizer> {
    return std::make_shared<nn::AdamW>(nn::Parameters({{{parameters[0]}, {.learning_rate = 0.02, .weight_decay = 0.1}},
                                                       {nn::Variables(parameters.begin() + 1, parameters.end()), {}}}),
                                       nn::AdamWOptions{.amsgrad = true});
  };
  const Make all[] = {make_sgd,          make<nn::SGD>,      make<nn::Lion>,  amsgrad,
                      make<nn::Adamax>,  make<nn::NAdam>,    make<nn::RAdam>, make<nn::RMSprop>,
                      make<nn::Adagrad>, make<nn::Adadelta>, make<Normalized>};
  for (const Make& make_optimizer : all) {
    const Run run{.shards = 4, .make_optimizer = make_optimizer, .random = false, .epochs = 2};
    const Trained alone = run(nullptr);
    for (const std::int64_t ranks : {2, 4}) {
      for (const Trained& one : train_on(ranks, run)) {
        check_same(alone, one, " on " + std::to_string(ranks) + " ranks");
      }
    }
    BOOST_TEST(is_cut(make_optimizer) == (&make_optimizer != std::end(all) - 1));
  }
  BOOST_TEST(is_cut(make_adam, {.value = 0.1}));
  BOOST_TEST(!is_cut(make_adam, {.norm = 1}));
  BOOST_TEST(!is_cut(make_adam, {.not_finite = nn::NotFinite::skip}));
}

BOOST_AUTO_TEST_CASE(moments_of_a_parameter_that_is_one_number_are_divided_too) {
  const auto train = [](const World& world) {
    nn::Sequential model(Scaled{});
    model.initialize(random::Key(2));
    const std::shared_ptr<nn::Optimizer> optimizer = make_adam(model.parameters());
    nn::Trainer trainer(model, optimizer, nn::cross_entropy,
                        {.batches = {.batch_size = 16}, .world = world, .shards = 4});
    trainer.fit(make_data(64), {.epochs = 2, .progress = nn::Progress::quiet});
    return Trained{.model = model.state(), .optimizer = nn::detail::state_of(optimizer->named_variables())};
  };
  BOOST_TEST(is_cut(*make_adam(nn::Sequential(Scaled{}).parameters())));
  const Trained alone = train(nullptr);
  BOOST_TEST(Tensor(alone.model.at("0.scale")).item<float>() != 0.5F);
  std::vector<Trained> results(2);
  for (const std::exception_ptr& thrown :
       run_ranks(2, [&](const World& world) { results[static_cast<std::size_t>(world->rank())] = train(world); })) {
    BOOST_TEST(text_of(thrown) == "");
  }
  for (const Trained& one : results) {
    check_same(alone.model, one.model, " of a scaled model");
    check_same(alone.optimizer, one.optimizer, " of a scaled model");
  }
}

BOOST_AUTO_TEST_CASE(an_update_that_leaves_out_a_parameter_is_not_cut) {
  BOOST_TEST(!is_cut(make<AllButFirst>));
  const Run run{.shards = 4, .make_optimizer = make<AllButFirst>, .random = false, .epochs = 2};
  const Trained alone = run(nullptr);
  for (const Trained& one : train_on(2, run)) {
    check_same(alone, one, " without the first parameter");
  }
}

BOOST_AUTO_TEST_CASE(ranks_with_other_parts_of_the_optimiser_are_told_which) {
  const auto thrown = run_ranks(2, [](const World& world) {
    const Variable weight(zeros({world->rank() == 0 ? 4 : 6}, DType::float32), "weight");
    const nn::Adam adam(nn::Variables{weight});
    nn::detail::RankTalk talk(world);
    const auto update = nn::detail::PartialUpdate::of(adam, {}, talk);
    update->divide();
    update->join(talk);
  });
  BOOST_TEST(contains(text_of(thrown[0]), "rank 1 has 3 elements of float32 in its part of "), text_of(thrown[0]));
  BOOST_TEST(contains(text_of(thrown[0]), " of parameter 0 ('weight'), 2 of float32 are expected"), text_of(thrown[0]));
  BOOST_TEST(contains(text_of(thrown[1]), "rank 0 has 2 elements of float32 in its part of "), text_of(thrown[1]));
}

BOOST_AUTO_TEST_CASE(large_weights_are_sent_by_themselves) {
  const Tensors tensors = {zeros({600, 500}, DType::float32), ones({3}, DType::float32),    ones({2}, DType::float64),
                           zeros({300000}, DType::float32),   ones({2, 2}, DType::float32), ones({1}, DType::int32)};
  const std::vector<std::vector<std::size_t>> groups = nn::detail::sent_together(tensors);
  BOOST_TEST((groups == std::vector<std::vector<std::size_t>>{{0}, {3}, {1, 4}, {2}, {5}}));

  const auto train = [](const World& world, const nn::Clipping& clipping) {
    nn::Sequential model(nn::Dense(12, 599), nn::Tanh(), nn::Dense(599, 453), nn::Tanh(), nn::Dense(453, 3));
    model.initialize(random::Key(2));
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy,
                        {.clipping = clipping, .batches = {.batch_size = 16}, .world = world, .shards = 4});
    trainer.fit(make_data(32), {.epochs = 1, .progress = nn::Progress::quiet});
    return Trained{.model = model.state()};
  };
  for (const nn::Clipping& clipping : {nn::Clipping{}, nn::Clipping{.norm = 0.1}}) {
    const Trained alone = train(nullptr, clipping);
    std::vector<Trained> results(4);
    for (const std::exception_ptr& thrown : run_ranks(4, [&](const World& world) {
           results[static_cast<std::size_t>(world->rank())] = train(world, clipping);
         })) {
      BOOST_TEST(text_of(thrown) == "");
    }
    for (const Trained& one : results) {
      check_same(alone.model, one.model, " of a large model");
    }
  }
}

BOOST_AUTO_TEST_CASE(statistics_of_bfloat16_are_means_over_all_samples) {
  const auto train = [](const World& world, std::int64_t shards) {
    nn::Module model = StoredMean();
    model.initialize(random::Key(2));
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy,
                        {.batches = {.batch_size = 22}, .world = world, .shards = shards});
    trainer.fit(make_data(66), {.epochs = 2, .progress = nn::Progress::quiet});
    return Trained{.model = model.state()};
  };
  const Trained whole = train(nullptr, 0);
  const Trained alone = train(nullptr, 4);
  BOOST_TEST_REQUIRE((alone.model.at("mean").dtype() == DType::bfloat16));
  const Tensor expected = cast(Tensor(whole.model.at("mean")), DType::float64);
  const Tensor actual = cast(Tensor(alone.model.at("mean")), DType::float64);
  BOOST_TEST(amin(expected).item() > 0.3);
  BOOST_TEST(amax(abs(actual / expected - 1)).item() <
             5.0 / 128);  // each step rounds twice, and a quarter of that is forgotten
  for (const std::int64_t ranks : {2, 4}) {
    std::vector<Trained> results(static_cast<std::size_t>(ranks));
    for (const std::exception_ptr& thrown : run_ranks(
             ranks, [&](const World& world) { results[static_cast<std::size_t>(world->rank())] = train(world, 4); })) {
      BOOST_TEST(text_of(thrown) == "");
    }
    for (const Trained& one : results) {
      check_same(alone.model, one.model, " with a statistic of bfloat16");
    }
  }
}

BOOST_AUTO_TEST_CASE(moments_are_in_parts_while_training_goes_on) {
  std::vector<int> during(2);
  std::vector<double> after(2), failed(2);
  run_ranks(2, [&](const World& world) {
    const auto rank = static_cast<std::size_t>(world->rank());
    const nn::Sequential model = make_model(false);
    const nn::Adam adam(model.parameters());
    const auto moments = [&] {
      double all = 0;
      for (const Variable& variable : adam.state()) {
        all += variable.shape().empty() ? 0 : sum(abs(Tensor(variable))).item();
      }
      return all;
    };
    nn::Trainer trainer(model, adam, nn::cross_entropy, {.batches = {.batch_size = 32}, .world = world});
    nn::FitOptions options{.epochs = 1, .progress = nn::Progress::quiet};
    options.callbacks = {{.on_batch_end = [&](nn::TrainingState&) {
      try {
        moments();
      } catch (const ValueError&) {
        during[rank] = 1;
      }
    }}};
    trainer.fit(make_data(64), options);
    after[rank] = moments();
    options.callbacks = {{.on_batch_end = [&](nn::TrainingState&) {
      if (rank == 1) {
        throw std::out_of_range("for a reason");
      }
    }}};
    try {
      trainer.fit(make_data(64), options);
    } catch (const std::exception&) {
      failed[rank] = moments();
    }
  });
  for (std::size_t rank = 0; rank < 2; ++rank) {
    BOOST_TEST(during[rank] == 1);
    BOOST_TEST(after[rank] > 0);
    BOOST_TEST(failed[rank] > 0);
    BOOST_TEST(failed[rank] != after[rank]);
    BOOST_TEST(failed[rank] == failed[0]);
  }
}

BOOST_AUTO_TEST_CASE(a_step_takes_one_message_one_sum_and_one_gathering) {
  const auto meetings = [](std::int64_t samples, bool silent) {
    const auto place = std::make_shared<testing::MeetingPlace>(2);
    const auto thrown = run_ranks(
        2,
        [&](const World& world) {
          const nn::Sequential model = make_model(false);
          nn::ExponentialMovingAverage average(model.parameters());
          nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy,
                              {.metrics = {nn::Accuracy()}, .batches = {.batch_size = 16}, .world = world});
          const nn::Callback watching{.on_batch_end = [](nn::TrainingState&) {}, .silent = silent};
          trainer.fit(make_data(samples), {.epochs = 1,
                                           .callbacks = {nn::callbacks::schedule(nn::schedules::constant(1e-3)),
                                                         nn::callbacks::moving_average(average), watching},
                                           .progress = nn::Progress::quiet});
        },
        place);
    BOOST_TEST(text_of(thrown[0]) == "");
    return place->meetings();
  };
  BOOST_TEST(meetings(160, true) - meetings(80, true) == 5 * 3);
  BOOST_TEST(meetings(160, false) - meetings(80, false) == 5 * 5);  // scores, and whether it goes on
}

BOOST_AUTO_TEST_CASE(metrics_are_brought_together_in_their_own_way) {
  const Trained alone = Run{.shards = 0, .random = false, .metrics = {Largest()}}(nullptr);
  BOOST_TEST(alone.history["largest"].back() == 2);
  for (const Trained& one : train_on(4, Run{.shards = 0, .random = false, .metrics = {Largest()}})) {
    BOOST_TEST(one.history["largest"].back() == 2);
    BOOST_TEST(one.history["validation_largest"].back() == 2);
  }
  testing::check_throws<ValueError>([] { Run{.metrics = {Forgetful()}}(nullptr); },
                                    {"'forgetful' has no save and load"});

  // Any way of cutting the samples gives the same.
  const Tensor y = random::normal(random::Key(1), {30, 2}), p = y + 0.3 * random::normal(random::Key(2), {30, 2});
  const auto check = [&](const nn::Metric& metric) {
    nn::Metric whole = metric.clone();
    whole.update(p, y);
    nn::Metric joined = metric.clone();
    for (const auto& [first, end] : {std::pair(0, 1), std::pair(1, 12), std::pair(12, 30)}) {
      nn::Metric part = metric.clone();
      part.update(p[{range(first, end)}], y[{range(first, end)}]);
      nn::Saved saved;
      part.save(saved);
      joined.merge(saved);
    }
    BOOST_TEST(joined.value() == whole.value(), boost::test_tools::tolerance(1e-12));
  };
  check(nn::R2());
  check(nn::ExplainedVariance());
  check(nn::MeanSquaredError());
}

BOOST_AUTO_TEST_SUITE_END()
