#include "nn/trainer.hpp"

#include <exception>
#include <optional>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "nn/checkpoints.hpp"
#include "nn/differences.hpp"
#include "nn/fitting.hpp"
#include "nn/progress.hpp"
#include "nn/rank_agreement.hpp"
#include "nn/saved_file.hpp"
#include "nn/trainer_core.hpp"
#include "nn/writer_lock.hpp"

namespace xgrad::nn {

Trainer::Trainer(Module model, std::shared_ptr<Optimizer> optimizer, Loss loss, TrainerOptions options,
                 std::source_location where)
    : core_(located(where, [&] {
        return std::make_shared<detail::TrainerCore>(std::move(model), std::move(optimizer), std::move(loss),
                                                     std::move(options), where);
      })) {}

History Trainer::fit(const datasets::Dataset& data, const FitOptions& options, std::source_location where) {
  return located(where, [&] {
    std::optional<detail::Fitting> fitting;
    try {
      return core_->talk.together("fit", [&] {
        if (core_->snapshot) {
          raise<ValueError>("fit",
                            "this Trainer is in the middle of a fit, one of whose callbacks has called fit again; have "
                            "the callback return first, or train by a Trainer of its own");
        }
        fitting.emplace(*core_, data, options, where);
        return fitting->run();
      });
    } catch (const std::exception& error) {  // of which other ranks have been told
      core_->join_after_failure();
      if (fitting) {
        fitting->tell_error(error);
      }
      throw;
    } catch (...) {
      core_->join_after_failure();
      throw;
    }
  });
}

Scores Trainer::evaluate(const datasets::Dataset& data, const EvaluationOptions& options, std::source_location where) {
  return located(where, [&] {
    return core_->talk.together_to_the_end("evaluate", [&] {
      require_samples("evaluate", data, "the data");
      if (core_->talk.size() > 1) {
        detail::Facts facts;
        detail::add_dataset(facts, "data", data);
        detail::require_equal_facts(core_->talk, "evaluate", "the beginning of evaluate", facts,
                                    "ranks have other data; give all of them the same");
      }
      Scores scores;
      runtime::ProgressLine line(
          "evaluating", core_->talk.is_root() ? shown_by(options.progress) : runtime::ProgressLine::Shown::never);
      core_->evaluate(data, "", scores, line);
      return scores;
    });
  });
}

void Trainer::save(const std::filesystem::path& path, std::source_location where) const {
  located(where, [&] {
    core_->talk.together("save", [&] {
      const Saved saved = core_->snapshot ? core_->snapshot() : core_->saved();
      if (core_->talk.is_root()) {
        const detail::WriterLock lock("save", path);
        detail::write_saved_file("save", path, saved);
      }
      core_->talk.exchange("the end of save", "");  // by which all know that there is the file
    });
  });
}

void Trainer::load(const std::filesystem::path& path, std::source_location where) {
  located(where, [&] {
    core_->talk.together("load", [&] {
      const Saved saved = detail::read_on_root(
          core_->talk, [&] { return detail::read_saved_file("load", detail::newest_checkpoint("load", path)); });
      detail::Differences found;
      constexpr auto part = detail::TrainerCore::Part::outside_fit;
      core_->add_differences("load", saved, part, found);
      detail::require_none("load", found);
      core_->talk.exchange("that the checkpoint fits", "");  // before anything is loaded
      core_->load(saved, part);
    });
  });
}

Tensor Trainer::predict(const Operand& features, const EvaluationOptions& options) {
  return located(features.where(), [&] {
    const Tensor all = features.tensor();
    const datasets::Dataset data(all.array(), zeros({all.ndim() == 0 ? 0 : all.shape(0)}, DType::int64).array());
    require_samples("predict", data, "the features");
    runtime::ProgressLine line("predicting", shown_by(options.progress));
    return core_->predictions(data, line);
  });
}

}  // namespace xgrad::nn
