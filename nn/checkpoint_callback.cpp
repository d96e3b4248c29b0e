#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "nn/checkpoints.hpp"
#include "nn/monitored.hpp"
#include "nn/saved_file.hpp"
#include "nn/writer_lock.hpp"

/// \file
/// The callback that writes checkpoints.

namespace xgrad::nn::callbacks {

namespace {

constexpr std::string_view checkpoint_op = "checkpoint";

class Checkpointing {
 public:
  Checkpointing(std::filesystem::path path, const CheckpointOptions& options, const std::source_location& where)
      : path_(std::move(path)), options_(options), where_(where), best_(options.maximize, 0) {}

  void start(const TrainingState& training) {
    if (options_.keep_best) {
      require_score(checkpoint_op, training, options_.monitor, where_);
    }
    best_ = Best(options_.maximize, 0);
    begin(training);
  }

  // The lock is taken now, so that a second process is told at once.
  void begin(const TrainingState& training) {
    last_ = Clock::now();
    lock_.reset();
    warning_about_later_ = true;
    if (training.is_root()) {
      try_to([&] { lock(); });
    }
  }

  void batch_end(const TrainingState& training) {
    const bool is_counted = options_.every_batches > 0 && training.step % options_.every_batches == 0;
    const std::chrono::duration<double> since = Clock::now() - last_;
    if (is_counted || (options_.every_seconds > 0 && training.as_root_says(since.count() >= options_.every_seconds))) {
      write(training, false);
    }
  }

  void epoch_end(const TrainingState& training) {
    write(training, options_.keep_best && best_.update(training.scores[options_.monitor]));
  }

  void end(const TrainingState& training) {
    if (training.interrupted) {
      write(training, false);
    }
    lock_.reset();
  }

  void save(Saved& saved) const { saved.put("best_score", best_); }

  void load(const Saved& saved) {
    best_ = Best(options_.maximize, 0);
    saved.load("best_score", best_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void lock() {
    if (!lock_) {
      if (path_.has_parent_path()) {
        std::error_code ignored;  // it shows when the lock is made
        std::filesystem::create_directories(path_.parent_path(), ignored);
      }
      lock_.emplace(checkpoint_op, path_);
    }
  }

  void write(const TrainingState& training, bool is_best) {
    last_ = Clock::now();
    std::optional<Saved> taken;
    const auto take = [&] { taken = training.snapshot(); };
    if (training.world) {
      take();  // with all ranks: when one throws, all do
    } else {
      try_to(take);
    }
    if (!taken || !training.is_root()) {
      return;
    }
    const Saved& saved = *taken;
    try_to([&] {
      lock();
      const auto number = [&] { return saved.integer("trainer/steps"); };
      try_to([&] {
        detail::write_saved_file(checkpoint_op,
                                 options_.keep_last == 0 ? path_ : detail::numbered_checkpoint(path_, number()), saved);
        if (options_.keep_last > 0 && detail::remove_old_checkpoints(path_, number(), options_.keep_last)) {
          warn_about_later();
        }
      });
      if (is_best) {
        detail::write_saved_file(checkpoint_op, detail::checkpoint_named(path_, "best"), saved);
      }
    });
  }

  void warn_about_later() {
    if (warning_about_later_) {
      std::fprintf(stderr,
                   "xgrad: beside %s there are checkpoints of more steps, of another run, which would be resumed\n",
                   path_.c_str());
      warning_about_later_ = false;
    }
  }

  // What cannot be written must not end a training of hours.
  template <class F>
  static void try_to(const F& f) {
    try {
      f();
    } catch (const Error& error) {
      std::fprintf(stderr, "xgrad: training goes on without this checkpoint: %s\n", error.what());
    }
  }

  std::filesystem::path path_;
  CheckpointOptions options_;
  std::source_location where_;
  Best best_;
  Clock::time_point last_;
  std::optional<detail::WriterLock> lock_;
  bool warning_about_later_ = true;
};

}  // namespace

Callback checkpoint(const std::filesystem::path& path, const CheckpointOptions& options, std::source_location where) {
  located(where, [&] {
    datasets::require_name(checkpoint_op, path);
    if (path.extension() == ".gz") {
      raise<ValueError>(checkpoint_op, phrase("{} would be compressed; choose a name without .gz", path.string()));
    }
    if (options.every_batches < 0 || options.keep_last < 0 || !(options.every_seconds >= 0)) {
      raise<ValueError>(checkpoint_op, phrase("every_batches is {}, every_seconds {}, keep_last {}; give 0 or more",
                                              options.every_batches, options.every_seconds, options.keep_last));
    }
  });
  const auto writing = std::make_shared<Checkpointing>(path, options, where);
  return {.on_start = [=](TrainingState& training) { writing->start(training); },
          .on_batch_end = [=](TrainingState& training) { writing->batch_end(training); },
          .on_epoch_end = [=](TrainingState& training) { writing->epoch_end(training); },
          .on_end = [=](TrainingState& training) { writing->end(training); },
          .on_resume = [=](TrainingState& training) { writing->begin(training); },
          .name = "checkpoint",
          .save = [=](Saved& saved) { writing->save(saved); },
          .load = [=](const Saved& saved) { writing->load(saved); },
          .silent = true};
}

}  // namespace xgrad::nn::callbacks
