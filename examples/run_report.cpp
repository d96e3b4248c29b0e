#include "run_report.hpp"

#include <utility>

using namespace xgrad;

namespace {

datasets::Batch first_batch(const datasets::Dataset& data, std::int64_t size) {
  return datasets::Batches(data, {.batch_size = size, .shuffle = false}).epoch(0)[0];
}

Tensor scores_of(const nn::Sequential& model, const datasets::Dataset& data) {
  Tensors parts;
  for (const auto& [images, labels] : datasets::Batches(data, {.batch_size = 1000, .shuffle = false}).epoch(0)) {
    parts.push_back(model(images).detach());
  }
  return concatenate(parts, 0);
}

std::vector<std::string> class_names() {
  const auto& names = datasets::FashionMnist::class_names;
  return {names.begin(), names.end()};
}

}  // namespace

RunReport::RunReport(std::string path, nn::RunRecord record, const nn::Sequential& model,
                     const datasets::FashionMnist& data)
    : path_(std::move(path)),
      record_(std::move(record)),
      model_(model),
      test_(data.test),
      probe_(model, first_batch(data.test, 256).features) {}

void RunReport::before_step(bool is_last) {
  if (is_last && !path_.empty()) {
    probe_.before_step();
  }
}

void RunReport::take_time(const Plan& plan, const datasets::Batch& batch) {
  record_.network = nn::describe_network(model_, batch.features.shape());
  record_.step = nn::measure_step(plan, {batch.features, batch.targets}, model_);
}

void RunReport::end_epoch(const nn::Scores& scores) {
  record_.epochs.push_back(scores);
  record_.running = true;
  if (!path_.empty()) {
    probe_.after_epoch(record_);
    write();
  }
}

void RunReport::finish() {
  record_.running = false;
  if (!path_.empty()) {
    write();
  }
}

void RunReport::write() {
  record_.classification =
      nn::classify(scores_of(model_, test_), test_, {.data = "test", .class_names = class_names()});
  nn::write_report(path_, record_);
}
