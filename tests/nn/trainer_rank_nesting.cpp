#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/nn/ranked_training.hpp"
#include "tests/testing.hpp"

/// \file
/// What of a Trainer its own callbacks call, in one process and on ranks that share out what the optimiser remembers.

BOOST_AUTO_TEST_SUITE(nn_trainer_rank_nesting)

namespace nn_trainer_rank_nesting {

using namespace xgrad;
using namespace testing::ranked;

using Callbacks = std::vector<nn::Callback>;
using Call = std::function<void(const World&, nn::Trainer&)>;

nn::LearningRateOptions silently(std::int64_t steps = 30) {
  return {.steps = steps, .print = false, .progress = nn::Progress::quiet};
}

// Behind an epoch, once, all ranks make a call.
Run with_call(const Run& plain, std::int64_t epoch, const Call& call) {
  Run run = plain;
  run.callbacks = [=](const World& world, nn::Trainer& trainer) -> Callbacks {
    return {{.on_epoch_end = [=, &trainer](nn::TrainingState& t) {
      if (t.epoch == epoch) {
        call(world, trainer);
      }
    }}};
  };
  return run;
}

// What trainings without ranks, and on two of them, come to.
void check_all_alike(const Trained& expected, const Run& run, const std::string& what) {
  check_same(expected, run(nullptr), what);
  for (const Trained& one : train_on(2, run)) {
    check_same(expected, one, what + " on two ranks");
  }
}

std::string what_is_thrown_by(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace nn_trainer_rank_nesting

using namespace nn_trainer_rank_nesting;

BOOST_AUTO_TEST_CASE(a_learning_rate_test_leaves_training_as_it_was) {
  const Run whole_updates{.shards = 2, .clipping = {.norm = 1}};
  for (const Run& plain : {Run{.shards = 2}, Run{.shards = 2, .accumulate = 3}, whole_updates}) {
    const Run run =
        with_call(plain, 1, [](const World&, nn::Trainer& t) { t.find_learning_rate(make_data(64), silently()); });
    check_all_alike(plain(nullptr), run, " with a test behind the first epoch");
  }
}

BOOST_AUTO_TEST_CASE(a_learning_rate_test_within_an_epoch_leaves_training_as_it_was) {
  for (const std::int64_t accumulate : {1, 3}) {
    const Run plain{.shards = 2, .accumulate = accumulate, .epochs = 2};
    Run run = plain;
    run.callbacks = [](const World&, nn::Trainer& trainer) -> Callbacks {
      return {{.on_batch_end = [&trainer](nn::TrainingState& t) {
        if (t.step == 2) {  // of three that make an update
          trainer.find_learning_rate(make_data(64), silently());
        }
      }}};
    };
    check_all_alike(plain(nullptr), run, " with a test behind the second batch");
  }
}

BOOST_AUTO_TEST_CASE(training_goes_on_behind_a_learning_rate_test_that_threw) {
  const Run plain{.shards = 2};
  std::vector<std::string> texts(2);
  const Run run = with_call(plain, 1, [&](const World& world, nn::Trainer& trainer) {
    const auto rank = static_cast<std::size_t>(world->rank());
    texts[rank] = what_is_thrown_by([&] { trainer.find_learning_rate(make_data(64), silently(30 + world->rank())); });
  });
  const Trained alone = plain(nullptr);
  for (const Trained& one : train_on(2, run)) {
    check_same(alone, one, " behind what was caught");
  }
  for (const std::string& text : texts) {
    BOOST_TEST(contains(text, "steps on rank 1: 31, on rank 0: 30"), text);
  }
}

BOOST_AUTO_TEST_CASE(moments_that_a_callback_assigns_before_a_learning_rate_test_are_taken) {
  const auto assigning = [](bool tests) {
    Run run{.shards = 2};
    run.callbacks = [=](const World&, nn::Trainer& trainer) -> Callbacks {
      return {{.on_epoch_end = [=, &trainer](nn::TrainingState& t) {
        for (const Variable& variable : t.optimizer.state()) {
          if (t.epoch == 1 && !variable.shape().empty()) {
            variable.assign(full(variable.shape(), 0.01, variable.dtype()));
          }
        }
        if (t.epoch == 1 && tests) {
          trainer.find_learning_rate(make_data(64), silently());
        }
      }}};
    };
    return run;
  };
  const Trained expected = assigning(false)(nullptr);
  BOOST_TEST(largest_difference(expected.model, Run{.shards = 2}(nullptr).model) > 1e-5);
  check_all_alike(expected, assigning(true), " with a test behind what was assigned");
}

BOOST_AUTO_TEST_CASE(moments_are_whole_in_the_end_whatever_callbacks_call_then) {
  const Run plain{.shards = 2};
  std::vector<double> seen(2);
  Run run = plain;
  run.callbacks = [&](const World& world, nn::Trainer& trainer) -> Callbacks {
    double* const moments = &seen[static_cast<std::size_t>(world->rank())];
    return {{.on_end = [&trainer](nn::TrainingState&) { trainer.find_learning_rate(make_data(64), silently()); }},
            {.on_end = [=](nn::TrainingState& t) {
              *moments = 0;
              for (const Variable& variable : t.optimizer.state()) {
                *moments += sum(abs(cast(Tensor(variable), DType::float64))).item();
              }
            }}};
  };
  const Trained alone = plain(nullptr);
  for (const Trained& one : train_on(2, run)) {
    check_same(alone, one, " with a test in the end");
  }
  BOOST_TEST(seen[0] > 0);
  BOOST_TEST(seen[0] == seen[1]);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_a_callback_loads_is_where_training_goes_on) {
  const testing::TemporaryFolder folder;
  const Run short_run{.shards = 2, .epochs = 2};
  const Run long_run{.shards = 2, .epochs = 3};
  Run run = long_run;
  run.callbacks = [&](const World& world, nn::Trainer& trainer) -> Callbacks {
    const auto path = folder.folder / (world ? "ranks.safetensors" : "alone.safetensors");
    return {{.on_epoch_end = [path, &trainer](nn::TrainingState& t) {
      if (t.epoch == 1) {
        trainer.save(path);
      } else if (t.epoch == 2) {  // and so the third epoch is the second one again
        trainer.load(path);
      }
    }}};
  };
  const Trained expected = short_run(nullptr);
  BOOST_TEST(largest_difference(expected.model, long_run(nullptr).model) > 1e-5);
  std::vector<Trained> all = train_on(2, run);
  all.push_back(run(nullptr));
  for (const Trained& one : all) {
    check_same(expected.model, one.model, " of the second epoch");
    check_same(expected.optimizer, one.optimizer, " of the second epoch");
    BOOST_TEST(one.history["loss"][1] == one.history["loss"][2]);
    BOOST_TEST(one.history["loss"][0] != one.history["loss"][1]);
  }
}

BOOST_AUTO_TEST_CASE(a_fit_within_a_fit_is_refused) {
  const Run plain{.shards = 2};
  std::vector<std::string> texts(2);
  const Run run = with_call(plain, 1, [&](const World& world, nn::Trainer& trainer) {
    texts[world ? static_cast<std::size_t>(world->rank()) : 0] =
        what_is_thrown_by([&] { trainer.fit(make_data(64), {.epochs = 1, .progress = nn::Progress::quiet}); });
  });
  const Trained alone = plain(nullptr);
  check_same(alone, run(nullptr), " behind what was refused");
  BOOST_TEST(contains(texts[0], "[fit] this Trainer is in the middle of a fit"), texts[0]);
  for (const Trained& one : train_on(2, run)) {
    check_same(alone, one, " behind what was refused on two ranks");
  }
  for (const std::string& text : texts) {
    BOOST_TEST(contains(text, "[fit] this Trainer is in the middle of a fit"), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
