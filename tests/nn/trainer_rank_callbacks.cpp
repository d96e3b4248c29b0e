#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/nn/ranked_training.hpp"
#include "tests/testing.hpp"

/// \file
/// What callbacks of several ranks may do, and what they are told.

BOOST_AUTO_TEST_SUITE(nn_trainer_rank_callbacks)

namespace nn_trainer_rank_callbacks {

using namespace xgrad;
using namespace testing::ranked;
using testing::run_ranks;
using testing::text_of;

using Callbacks = std::vector<nn::Callback>;

// The moments of an optimiser, without numbers such as that of steps.
nn::Variables moments_of(const nn::Optimizer& optimizer) {
  nn::Variables moments;
  for (const Variable& variable : optimizer.state()) {
    if (!variable.shape().empty()) {
      moments.push_back(variable);
    }
  }
  return moments;
}

double size_of_moments(const nn::Optimizer& optimizer) {
  double all = 0;
  for (const Variable& moment : moments_of(optimizer)) {
    all += sum(abs(Tensor(moment))).item();
  }
  return all;
}

// What ranks throw when the callbacks of one of them are others.
std::vector<std::string> texts_of(std::int64_t ranks, const Run& run) {
  std::vector<std::string> texts;
  for (const std::exception_ptr& thrown : run_ranks(ranks, [&](const World& world) { run(world); })) {
    texts.push_back(text_of(thrown));
  }
  return texts;
}

void check_all_say(const std::vector<std::string>& texts, const std::vector<std::string>& parts) {
  for (const std::string& text : texts) {
    for (const std::string& part : parts) {
      BOOST_TEST(contains(text, part), text);
    }
  }
}

// After \p step steps, once.
Run with_batch_end(std::int64_t step, const std::function<void(const World&, nn::TrainingState&)>& f) {
  return {.shards = 0, .random = false, .callbacks = [=](const World& world, nn::Trainer&) -> Callbacks {
            return {{.on_batch_end = [=](nn::TrainingState& t) {
              if (t.step == step) {
                f(world, t);
              }
            }}};
          }};
}

}  // namespace nn_trainer_rank_callbacks

using namespace nn_trainer_rank_callbacks;

BOOST_AUTO_TEST_CASE(all_ranks_know_of_an_error_before_callbacks_do) {
  std::vector<std::promise<void>> knows(2);
  std::vector<std::shared_future<void>> known = {knows[0].get_future().share(), knows[1].get_future().share()};
  std::vector<std::string> told(2);
  std::vector<double> moments(2);
  Run run = with_batch_end(2, [](const World& world, nn::TrainingState&) {
    if (world->rank() == 1) {
      throw std::out_of_range("for a reason");
    }
  });
  const auto inner = run.callbacks;
  run.callbacks = [&](const World& world, nn::Trainer& trainer) {
    Callbacks all = inner(world, trainer);
    all.push_back({.on_error = [&, rank = static_cast<std::size_t>(world->rank())](nn::TrainingState& t,
                                                                                   const std::exception& error) {
      knows[rank].set_value();
      const bool both = known[1 - rank].wait_for(std::chrono::seconds(20)) == std::future_status::ready;
      told[rank] = both ? error.what() : "the other rank has not been told";
      moments[rank] = size_of_moments(t.optimizer);
    }});
    return all;
  };
  check_all_say(texts_of(2, run), {"for a reason"});
  check_all_say(told, {"for a reason"});
  BOOST_TEST(moments[0] > 0);
  BOOST_TEST(moments[0] == moments[1]);
}

BOOST_AUTO_TEST_CASE(what_callbacks_of_all_ranks_catch_does_not_end_training) {
  for (const std::int64_t leaving : {-1, 0, 1}) {  // which one does not catch it
    const Run plain{.shards = 0, .random = false, .epochs = 2};
    Run run = plain;
    run.callbacks = [=](const World& world, nn::Trainer&) -> Callbacks {
      const auto armed = std::make_shared<bool>(false);
      const auto snapshot = [=](nn::TrainingState& t) {
        *armed = t.step == 2 && world->rank() == 1;
        bool taken = true;
        try {
          t.snapshot();
        } catch (const std::exception&) {
          if (world->rank() == leaving) {
            throw;
          }
          taken = false;
        }
        if (taken && t.step == 2) {
          throw std::logic_error("a snapshot is taken though one rank has failed");
        }
      };
      return {{.on_batch_end = snapshot,
               .save =
                   [=](nn::Saved&) {
                     if (*armed) {
                       throw std::runtime_error("nothing to be saved");
                     }
                   },
               .load = [](const nn::Saved&) {}}};
    };
    if (leaving >= 0) {
      check_all_say(texts_of(3, run), {"nothing to be saved"});
      continue;
    }
    const Trained undisturbed = train_on(3, plain).front();
    for (const Trained& one : train_on(3, run)) {
      check_same(undisturbed.model, one.model, " after what was caught");
      check_same(undisturbed.optimizer, one.optimizer, " after what was caught");
    }
  }
}

BOOST_AUTO_TEST_CASE(moments_that_callbacks_assign_are_taken) {
  Run run{.shards = 4, .epochs = 2};
  run.callbacks = [](const World&, nn::Trainer&) -> Callbacks {
    return {{.on_batch_end =
                 [](nn::TrainingState& t) {
                   if (t.step % 3 == 2) {  // some of them, by what depends on the place
                     const Variable moment = moments_of(t.optimizer)[1 + static_cast<std::size_t>(t.step) % 2];
                     moment.assign(reshape(arange(static_cast<double>(moment.size()), moment.dtype()), moment.shape()) *
                                   1e-3);
                   }
                 },
             .on_epoch_end =
                 [](nn::TrainingState& t) {
                   if (t.epoch == 2) {  // no step follows
                     moments_of(t.optimizer)[0].assign(ones_like(moments_of(t.optimizer)[0]));
                   }
                 }}};
  };
  const Trained alone = run(nullptr);
  BOOST_TEST(largest_difference(alone.model, Run{.shards = 4, .epochs = 2}(nullptr).model) > 1e-5);
  for (const std::int64_t ranks : {2, 4}) {
    for (const Trained& one : train_on(ranks, run)) {
      check_same(alone, one, " on " + std::to_string(ranks) + " ranks");
    }
  }
}

BOOST_AUTO_TEST_CASE(moments_cannot_be_read_while_they_are_divided) {
  const Run read = with_batch_end(1, [](const World&, nn::TrainingState& t) { size_of_moments(t.optimizer); });
  check_all_say(texts_of(2, read), {"divided among ranks while they train together"});
  const Run scale = with_batch_end(1, [](const World&, nn::TrainingState& t) {
    const Variable moment = moments_of(t.optimizer).front();
    moment.assign(moment * 0.5);
  });
  check_all_say(texts_of(2, scale), {"divided among ranks while they train together"});
}

BOOST_AUTO_TEST_CASE(the_root_alone_saves_moments) {
  std::vector<nn::State> saved(2);
  const Run run = with_batch_end(2, [&](const World& world, nn::TrainingState& t) {
    saved[static_cast<std::size_t>(world->rank())] = t.snapshot().state("optimizer");
  });
  nn::State alone;
  const Run same =
      with_batch_end(2, [&](const World&, nn::TrainingState& t) { alone = t.snapshot().state("optimizer"); });
  train_on(2, run);
  same(nullptr);
  BOOST_TEST(saved[0].size() == alone.size());
  BOOST_TEST(saved[1].size() > 0);
  for (const auto& [name, array] : alone) {
    BOOST_TEST(saved[0].contains(name), name);
    BOOST_TEST(saved[1].contains(name) == array.shape().empty(), name);
  }
  BOOST_TEST(largest_difference(alone, saved[0]) < 1e-4);
}

BOOST_AUTO_TEST_CASE(callbacks_of_ranks_have_to_assign_the_same) {
  const Run rate = with_batch_end(2, [](const World& world, nn::TrainingState& t) {
    t.optimizer.learning_rate().assign(world->rank() == 1 ? 0.25 : 0.125);
  });
  check_all_say(texts_of(3, rate), {"callbacks have not assigned the same on all ranks",
                                    "learning_rate on rank 1: 0.25, on rank 0: 0.125", "in epoch 1, batch 3 of 4"});
  const Run moment = with_batch_end(2, [](const World& world, nn::TrainingState& t) {
    if (world->rank() == 1) {
      moments_of(t.optimizer).front().assign(zeros_like(moments_of(t.optimizer).front()));
    }
  });
  check_all_say(texts_of(2, moment), {"callbacks have not assigned the same on all ranks", "of parameter 0",
                                      "on rank 1: ", ", on rank 0: none"});
  const Run at_last = with_batch_end(12, [](const World& world, nn::TrainingState& t) {
    if (world->rank() == 1) {
      moments_of(t.optimizer).front().assign(zeros_like(moments_of(t.optimizer).front()));
    }
  });
  check_all_say(texts_of(2, at_last), {"callbacks have not assigned the same on all ranks"});
  const Run weight = with_batch_end(2, [](const World& world, nn::TrainingState& t) {
    if (world->rank() == 1) {
      const Variable bias = t.model.parameters()[1];
      bias.assign(bias + 0.5);
    }
  });
  check_all_say(texts_of(2, weight), {"model/0.bias on rank 1: ", ", on rank 0: ", "batch 3 of 4"});
  Run whole = weight;
  whole.clipping = {.norm = 1};  // so that each rank computes the whole update
  check_all_say(texts_of(2, whole), {"model/0.bias on rank 1: ", ", on rank 0: "});
  const Run after_the_last_batch = with_batch_end(4, [](const World& world, nn::TrainingState& t) {
    const Variable bias = t.model.parameters()[1];
    bias.assign(bias + static_cast<double>(world->rank()));
  });
  check_all_say(texts_of(2, after_the_last_batch), {"elements of model/0.bias on rank 1"});
}

BOOST_AUTO_TEST_CASE(weights_that_callbacks_assign_on_all_ranks_are_taken) {
  Run run{.shards = 4, .epochs = 2};
  run.callbacks = [](const World&, nn::Trainer&) -> Callbacks {
    const nn::Callback looking{.on_batch_end =
                                   [](nn::TrainingState& t) {  // and puts back what there was
                                     const nn::State state = t.model.state();
                                     t.model.parameters()[0].assign(zeros_like(t.model.parameters()[0]));
                                     t.model.load_state(state);
                                   },
                               .root_only = true};
    return {looking, {.on_batch_end = [](nn::TrainingState& t) {
              const Variable weight = t.model.parameters()[0];
              weight.assign(clip(weight, -0.1, 0.1));
            }}};
  };
  const Trained alone = run(nullptr);
  for (const Trained& one : train_on(2, run)) {
    check_same(alone, one, " with clipped weights");
  }
}

BOOST_AUTO_TEST_CASE(callbacks_of_ranks_have_to_have_the_same_options) {
  const auto with = [](const std::function<nn::Callback(std::int64_t rank)>& make) {
    return Run{.shards = 0, .random = false, .callbacks = [=](const World& world, nn::Trainer&) -> Callbacks {
                 return {make(world->rank())};
               }};
  };
  check_all_say(
      texts_of(2, with([](std::int64_t rank) { return nn::callbacks::early_stopping({.patience = 2 + rank}); })),
      {"patience of callback 'early_stopping' on rank 1: 3, on rank 0: 2"});
  check_all_say(texts_of(2, with([](std::int64_t rank) {
                           return nn::callbacks::reduce_on_plateau({.factor = rank == 0 ? 0.5 : 0.25});
                         })),
                {"factor of callback 'reduce_on_plateau' on rank 1: 0.25, on rank 0: 0.5"});
  check_all_say(texts_of(2, with([](std::int64_t rank) {
                           return nn::callbacks::schedule([=](std::int64_t step) {
                             return step == 3 ? 0.01 * static_cast<double>(1 + rank) : 0.01;
                           });
                         })),
                {"learning_rate on rank 1: 0.02, on rank 0: 0.01", "in epoch 1, batch 4 of 4"});
  check_all_say(texts_of(2, with([](std::int64_t rank) {
                           return nn::Callback{.on_batch_end = [](nn::TrainingState&) {}, .silent = rank == 0};
                         })),
                {"what callback 0 has on rank 1: on_batch_end, on rank 0: on_batch_end, silent"});
}

BOOST_AUTO_TEST_CASE(tests_and_evaluations_of_ranks_have_to_be_the_same) {
  const auto text = [](const std::function<void(std::int64_t rank, nn::Trainer&)>& f, nn::TrainerOptions options = {}) {
    std::vector<std::string> texts;
    for (const std::exception_ptr& thrown : run_ranks(2, [&](const World& world) {
           const nn::Sequential model = make_model(false);
           nn::TrainerOptions own = options;
           own.world = world;
           own.batches.batch_size = 16;
           if (world->is_root()) {
             own.check = nn::Check::loss;
           }
           nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, own);
           f(world->rank(), trainer);
         })) {
      texts.push_back(text_of(thrown));
    }
    return texts;
  };
  check_all_say(text([](std::int64_t rank, nn::Trainer& trainer) {
                  trainer.evaluate(make_data(32, static_cast<std::uint64_t>(rank)));
                }),
                {"[evaluate] ranks have other data", "data contents on rank 1"});
  check_all_say(text([](std::int64_t rank, nn::Trainer& trainer) {
                  trainer.find_learning_rate(make_data(32), {.max = rank == 0 ? 1.0 : 2.0, .print = false});
                }),
                {"[find_learning_rate] ranks are not alike", "max on rank 1: 2, on rank 0: 1"});
  check_all_say(text([](std::int64_t rank, nn::Trainer& trainer) {
                  trainer.find_learning_rate(make_data(32), {.steps = 20 + rank, .print = false});
                }),
                {"steps on rank 1: 21, on rank 0: 20"});
  const auto fit = [](std::int64_t rank, nn::Trainer& trainer) {
    nn::FitOptions options{.epochs = 1, .progress = nn::Progress::quiet};
    if (rank == 1) {
      options.validation = make_data(8);
    }
    trainer.fit(make_data(32), options);
  };
  check_all_say(text(fit, {.check = nn::Check::gradients}), {"option check on rank 1: gradients, on rank 0: loss",
                                                             "validation contents on rank 1: ", ", on rank 0: none"});
}

BOOST_AUTO_TEST_CASE(a_shard_of_one_sample_cannot_be_normalised) {
  // Batches of 32, the last one of 25: shards of 4, the seventh has one sample.
  const std::vector<std::string> texts = texts_of(2, Run{.samples = 57});
  check_all_say(texts, {"in training each feature needs two elements or more, an input of shape (1, 8) has 1",
                        "in shard 6 of 8, which has 1 of 25 samples", "in epoch 1, batch 2 of 2"});
  BOOST_TEST(contains(texts[0], "rank 1 cannot go on"), texts[0]);
  check_all_say(texts_of(2, Run{.shards = 0, .samples = 49}), {"in the part of rank 1, which has 1 of 17 samples"});
}

BOOST_AUTO_TEST_SUITE_END()
