#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/nn/ranked_training.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_trainer_rank_faults)

namespace nn_trainer_rank_faults {

using namespace xgrad;
using namespace testing::ranked;
using testing::run_ranks;
using testing::text_of;

// What happens on ranks when one of them fails, and whether weights are as they were before the step.
struct Failure {
  std::vector<std::string> texts = {};
  std::vector<bool> unchanged = {};
};

Failure fail(std::int64_t ranks, const Dataset& data,
             const std::function<void(std::int64_t rank, nn::TrainerOptions&, std::vector<nn::Callback>&)>& change,
             std::int64_t shards = 0) {
  Failure failure;
  failure.texts.resize(static_cast<std::size_t>(ranks));
  std::vector<int> unchanged(static_cast<std::size_t>(ranks));
  const auto thrown = run_ranks(ranks, [&](const World& world) {
    const nn::Sequential model = make_model(false);
    nn::TrainerOptions options{.batches = {.batch_size = 32, .shuffle = false}, .world = world, .shards = shards};
    std::vector<nn::Callback> callbacks;
    nn::State before;
    callbacks.push_back({.on_batch_start = [&](nn::TrainingState& t) { before = t.model.state(); }});
    change(world->rank(), options, callbacks);
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, options);
    try {
      trainer.fit(data, {.epochs = 2, .callbacks = callbacks, .progress = nn::Progress::quiet});
    } catch (...) {
      unchanged[static_cast<std::size_t>(world->rank())] =
          before.empty() || largest_difference(before, model.state()) == 0;
      throw;
    }
  });
  for (std::size_t i = 0; i < thrown.size(); ++i) {
    failure.texts[i] = text_of(thrown[i]);
    failure.unchanged.push_back(unchanged[i] != 0);
  }
  return failure;
}

Array copy_of(const Array& array) {
  Array copy(array.shape(), array.dtype());
  std::memcpy(copy.data(), array.data(), array.bytes());
  return copy;
}

void check_all(const Failure& failure, const std::string& part) {
  for (std::size_t rank = 0; rank < failure.texts.size(); ++rank) {
    BOOST_TEST(contains(failure.texts[rank], part), failure.texts[rank]);
    BOOST_TEST(failure.unchanged[rank]);
  }
}

}  // namespace nn_trainer_rank_faults

using namespace nn_trainer_rank_faults;

BOOST_AUTO_TEST_CASE(what_one_rank_throws_all_throw) {
  const auto nothing = [](std::int64_t, nn::TrainerOptions&, std::vector<nn::Callback>&) {};
  // Sample 50 is in the second batch, of rank 1 of 2.
  const Dataset bad = make_data(96);
  Array labels = copy_of(bad.targets());
  labels.data<std::int64_t>()[50] = 17;
  for (const std::int64_t shards : {0, 8}) {
    const Failure failure = fail(2, {bad.features(), labels}, nothing, shards);
    check_all(failure, "17");
    BOOST_TEST(contains(failure.texts[0], "rank 1 cannot go on"), failure.texts[0]);
    BOOST_TEST(contains(failure.texts[0], "in epoch 1, batch 2 of 3"), failure.texts[0]);
    BOOST_TEST(contains(failure.texts[1], "on rank 1"), failure.texts[1]);

    Array features = copy_of(bad.features());
    features.data<float>()[50 * 12] = std::numeric_limits<float>::quiet_NaN();
    const Failure nan = fail(4, {features, bad.targets()}, nothing, shards);
    check_all(nan, "a number is not finite in epoch 1, batch 2 of 3");
    BOOST_TEST(contains(nan.texts[0], "rank 2 cannot go on"), nan.texts[0]);
  }
  const Failure thrown = fail(4, make_data(96), [](std::int64_t rank, auto&, std::vector<nn::Callback>& callbacks) {
    callbacks.push_back({.on_batch_end = [=](nn::TrainingState& t) {
      if (rank == 3 && t.step == 2) {
        throw std::out_of_range("the user's own");
      }
    }});
  });
  for (const std::string& text : thrown.texts) {
    BOOST_TEST(contains(text, "the user's own"), text);
  }
  BOOST_TEST(contains(thrown.texts[2], "rank 3 cannot go on"));
}

BOOST_AUTO_TEST_CASE(a_failure_at_the_end_of_one_rank_is_one_of_all) {
  const Failure late = fail(2, make_data(96), [](std::int64_t rank, auto&, std::vector<nn::Callback>& callbacks) {
    callbacks.push_back({.on_end = [=](nn::TrainingState&) {
      if (rank == 0) {
        throw std::runtime_error("the disk is full");
      }
    }});
  });
  for (const std::string& text : late.texts) {
    BOOST_TEST(contains(text, "the disk is full"), text);
  }
}

BOOST_AUTO_TEST_CASE(ranks_with_other_data_are_told) {
  const auto thrown = run_ranks(2, [&](const World& world) {
    const nn::Sequential model = make_model(false);
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, {.world = world});
    const Dataset data = make_data(96);
    Array features = copy_of(data.features());
    features.data<float>()[7] += static_cast<float>(world->rank());
    trainer.fit({features, data.targets()}, {.epochs = 1, .progress = nn::Progress::quiet});
  });
  for (const auto& each : thrown) {
    BOOST_TEST(contains(text_of(each), "data contents on rank 1"), text_of(each));
  }
}

BOOST_AUTO_TEST_CASE(errors_of_all_ranks_are_no_errors_of_ranks) {
  const Failure failure = fail(2, make_data(96), [](std::int64_t, auto&, std::vector<nn::Callback>& callbacks) {
    callbacks.push_back({.on_batch_start = [=](nn::TrainingState& t) { t.optimizer.learning_rate().assign(-1.0); }});
  });
  check_all(failure, "the learning rate is 0 or more");
  BOOST_TEST(!contains(failure.texts[0], "cannot go on"), failure.texts[0]);
}

BOOST_AUTO_TEST_CASE(ranks_that_are_not_alike_are_told) {
  const Failure sizes = fail(2, make_data(96), [](std::int64_t rank, nn::TrainerOptions& options, auto&) {
    options.batches.batch_size = rank == 1 ? 16 : 32;
  });
  check_all(sizes, "option batch_size on rank 1: 16, on rank 0: 32");
  const Failure callbacks = fail(3, make_data(96), [](std::int64_t rank, auto&, std::vector<nn::Callback>& all) {
    if (rank == 2) {
      all.push_back({.name = "mine"});
    }
  });
  check_all(callbacks, "callback 1 on rank 2: mine, on rank 0: none");
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_go_together_are_errors) {
  const auto make = [](nn::TrainerOptions options) {
    const nn::Sequential model = make_model(false);
    nn::Trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, std::move(options));
  };
  testing::check_throws<ValueError>([&] { make({.shards = 6}); }, {"6 shards on 1 ranks"});
  testing::check_throws<ValueError>([&] { make({.shards = -2}); }, {"-2 shards on 1 ranks"});
  testing::check_throws<ValueError>([&] { make({.shards = 2, .synchronize_batch_norm = true}); }, {"not synchronised"});
  const auto three = std::make_shared<testing::MeetingPlace>(3);
  const auto world = std::make_shared<testing::ThreadRank>(three, 0);
  testing::check_throws<ValueError>([&] { make({.world = world, .shards = 8}); }, {"8 shards on 3 ranks"});
}

BOOST_AUTO_TEST_CASE(one_rank_stops_all_after_the_same_batch) {
  for (const bool interrupted : {false, true}) {
    const auto callbacks = [=](const World& world, nn::Trainer&) -> std::vector<nn::Callback> {
      return {{.on_batch_end = [=](nn::TrainingState& t) {
        if (t.step == 5 && world->rank() == 1) {
          interrupted ? t.interrupt("enough") : t.stop("enough");
        }
      }}};
    };
    const Run run{.shards = 0, .callbacks = callbacks};
    for (const Trained& one : train_on(4, run)) {
      BOOST_TEST(one.losses.size() == 5);
      BOOST_TEST(one.history.stopped == "enough");
      BOOST_TEST(one.history.epochs.size() == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(callbacks_of_the_root_are_called_there_alone) {
  std::mutex mutex;
  std::vector<std::int64_t> called;
  const auto callbacks = [&](const World& world, nn::Trainer&) -> std::vector<nn::Callback> {
    return {{.on_epoch_end =
                 [&, world](nn::TrainingState& t) {
                   const std::lock_guard lock(mutex);
                   called.push_back(world->rank());
                   if (t.epoch == 2) {
                     t.stop("the root has had enough");
                   }
                 },
             .root_only = true}};
  };
  for (const Trained& one : train_on(4, Run{.shards = 0, .callbacks = callbacks})) {
    BOOST_TEST(one.history.stopped == "the root has had enough");
    BOOST_TEST(one.history.epochs.size() == 2);
  }
  BOOST_TEST(called == (std::vector<std::int64_t>{0, 0}));
}

BOOST_AUTO_TEST_CASE(all_ranks_have_to_call_the_same) {
  const auto thrown = run_ranks(2, [](const World& world) {
    const nn::Sequential model = make_model(false);
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy,
                        {.batches = {.batch_size = 32}, .world = world});
    const nn::Callback evaluating{.on_batch_end = [&](nn::TrainingState& t) {
      if (t.is_root()) {
        trainer.evaluate(make_data(64));
      }
    }};
    trainer.fit(make_data(64), {.epochs = 1, .callbacks = {evaluating}, .progress = nn::Progress::quiet});
  });
  for (const std::exception_ptr& one : thrown) {
    BOOST_TEST(contains(text_of(one), "rank 0 is at the beginning of evaluate, rank 1 at whether training goes on"),
               text_of(one));
  }
}

BOOST_AUTO_TEST_SUITE_END()
