#include "benchmarks/task.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "benchmarks/model.hpp"
#include "examples/flags.hpp"

using namespace xgrad;

namespace benchmarks {

namespace {

template <class T>
std::vector<T> elements(const Array& array) {
  return {array.data<T>(), array.data<T>() + array.size()};
}

std::vector<float> elements(const Variable& variable) {
  const auto values = variable.value<float>();
  return {values.begin(), values.end()};
}

}  // namespace

nn::Sequential make_model(const std::vector<int>& hidden) {
  const nn::DenseOptions options{.initializer = nn::init::he_uniform};
  nn::Sequential model;
  std::int64_t size = image_size;
  for (const int width : hidden) {
    model.append(nn::Dense(size, width, options));
    model.append(nn::ReLU());
    size = width;
  }
  model.append(nn::Dense(size, class_count, options));
  model.initialize(random::Key(0));
  return model;
}

datasets::Batches make_batches(const Settings& settings) {
  const auto data = datasets::FashionMnist::load(settings.data);
  return datasets::Batches(data.train, {.batch_size = settings.batch_size, .drop_last = true});
}

int count_steps(const Settings& settings, const datasets::Batches& batches) {
  const int all = static_cast<int>(batches.count());
  return settings.steps == 0 ? all : std::min(settings.steps, all);
}

Task make_task(const Settings& settings) {
  const auto data = datasets::FashionMnist::load(settings.data);
  const datasets::Batches batches = make_batches(settings);
  Task task;
  task.images = elements<std::uint8_t>(data.train.features());
  task.labels = elements<std::int64_t>(cast(Tensor(data.train.targets()), DType::int64).array());
  task.steps = count_steps(settings, batches);
  task.order_of = [batches](int epoch) { return elements<std::int64_t>(batches.epoch(epoch).order()); };
  const nn::Variables parameters = make_model(settings.hidden).parameters();
  for (std::size_t i = 0; i < parameters.size(); i += 2) {
    const Shape& shape = parameters[i].shape();
    task.layers.push_back(
        {static_cast<int>(shape[0]), static_cast<int>(shape[1]), elements(parameters[i]), elements(parameters[i + 1])});
  }
  return task;
}

void report(int epoch, double seconds, double samples, double mean_loss) {
  std::printf("epoch %d seconds %.4f samples_per_second %.0f loss %.4f\n", epoch, seconds, samples / seconds,
              mean_loss);
  std::fflush(stdout);
}

int run_program(int argc, char** argv, const char* description, const std::vector<std::string>& modes,
                const std::function<void(const Settings&)>& run) {
  Settings s;
  s.mode = modes.front();
  Flags flags(description);
  flags.add("--hidden", s.hidden, "Sizes of the hidden layers").range(1, 65536);
  flags.add("--batch-size", s.batch_size, "Images per step").range(1, 60000);
  flags.add("--optimizer", s.optimizer, "sgd or adam").one_of({"sgd", "adam"});
  flags.add("--mode", s.mode, "How to train").one_of(modes);
  flags.add("--epochs", s.epochs, "Passes over the training images").range(1, 100000);
  flags.add("--steps", s.steps, "Steps per epoch; 0 for all").range(0, 60000);
  flags.add("--products", s.products, "How exactly products of xgrad take the numbers that they multiply")
      .one_of({"float32", "bfloat16_3x", "bfloat16"});
  flags.add("--threads", s.threads, "Threads to use").range(1, 1024);
  flags.add("--data", s.data, "Folder of the four IDX files");
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    run(s);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace benchmarks
