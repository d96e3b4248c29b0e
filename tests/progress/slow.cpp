// Does slowly what shows progress:  slow WHAT [PROGRESS]
//
// fit, evaluate, predict and find_learning_rate have a model that takes its time, csv and schema read standard input by the
// name of a file. `fit` says in the end why it stopped; `stuck` is a fit
// whose first batch takes 20 seconds.

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>

#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

/// x, after a while.
struct Slowly {
  static constexpr std::string_view name = "slowly";
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    for (std::int64_t i = 0; i < in[0].shape().element_count(); ++i) {
      out[0].as<float>()[i] = in[0].as<float>()[i];
    }
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {ct[0]}; }
};

struct SlowLayer : nn::Layer<SlowLayer> {
  static constexpr auto members = fields();
  Tensor operator()(const Operand& x) const { return apply_op(Slowly(), {x.tensor()}); }
};

nn::Progress progress_of(const std::string& name) {
  return name == "quiet"   ? nn::Progress::quiet
         : name == "lines" ? nn::Progress::lines
         : name == "bar"   ? nn::Progress::bar
                           : nn::Progress::automatic;
}

void run(const std::string& what, const nn::Progress progress) {
  const std::string file = "/dev/stdin";
  if (what == "csv") {
    std::printf("%lld records\n",
                static_cast<long long>(datasets::read_csv(file, {.progress = progress != nn::Progress::quiet}).size()));
    return;
  }
  if (what == "schema") {
    const auto schema = datasets::Schema::fit(file, {.target = "b", .progress = progress != nn::Progress::quiet});
    std::printf("%lld features\n", static_cast<long long>(schema.feature_count()));
    return;
  }
  const nn::Sequential model(nn::Dense(4, 2), SlowLayer());
  nn::Trainer trainer(model, nn::SGD(model.parameters(), {.learning_rate = 0.01}), nn::mse,
                      {.batches = {.batch_size = 1}});
  const datasets::Dataset data(ones({25, 4}), zeros({25, 2}));
  if (what == "stuck") {
    const nn::Callback wait{
        .on_batch_end = [](nn::TrainingState&) { std::this_thread::sleep_for(std::chrono::seconds(20)); }};
    trainer.fit(data, {.callbacks = {wait}, .progress = progress});
  } else if (what == "fit") {
    const nn::History history = trainer.fit(data, {.epochs = 40, .validation = data, .progress = progress});
    std::printf("fit has ended: %s\n", history.stopped.c_str());
  } else if (what == "evaluate") {
    std::printf("loss %g\n", trainer.evaluate(data, {.progress = progress})["loss"]);
  } else if (what == "predict") {
    std::printf("%lld predictions\n",
                static_cast<long long>(trainer.predict(ones({25, 4}), {.progress = progress}).size()));
  } else {
    trainer.find_learning_rate(data, {.steps = 25, .progress = progress});
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "fit", progress_of(argc > 2 ? argv[2] : ""));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
