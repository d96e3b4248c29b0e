#include "tests/onnx/network_cases.hpp"

#include <fstream>
#include <iostream>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"
#include "onnx/onnx.hpp"
#include "tests/onnx/cases.hpp"

namespace xgrad::testing {

namespace {

using onnx::any_size;

/// Writes a layer with what it gives for some inputs, each of another size of the batch.
void write_layer(const std::filesystem::path& folder, const nn::Module& model, const Spec& input,
                 const Tensors& inputs) {
  std::filesystem::create_directories(folder);
  const onnx::Signature signature = onnx::save(folder / "model.onnx", model, {.input = input});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::filesystem::path data = folder / ("test_data_set_" + std::to_string(i));
    write_tensors(data, "input", {inputs[i]}, signature.inputs);
    write_tensors(data, "output", {model(inputs[i])}, signature.outputs);
  }
}

void write_classifier(const std::filesystem::path& folder) {
  datasets::FashionMnist data;
  try {
    data = datasets::FashionMnist::load();
  } catch (const FileError& error) {
    std::cout << "the classifier is left out: " << error.what() << '\n';
    return;
  }
  nn::Sequential model(nn::Dense(784, 64), nn::ReLU(), nn::Dense(64, 10));
  nn::Adam adam(model.parameters());
  const auto step = compile(
      [&](const Tensor& images, const Tensor& labels) { adam.minimize(nn::cross_entropy(model(images), labels)); });
  for (const auto& [images, labels] : datasets::Batches(data.train, {.batch_size = 128}).epoch(0)) {
    step(images, labels);
  }
  const Tensor images = datasets::Batches(data.test, {.batch_size = 10000, .shuffle = false}).epoch(0)[0].features;
  write_layer(folder, model, {{any_size, 784}}, {images});
}

/// What a step of training does to the statistics, once, so that they are not those of the beginning.
void move_statistics(const nn::Module& model, const Tensor& x) {
  for (std::uint64_t i = 0; i < 3; ++i) {
    model(x, nn::Training(random::Key(i))).array();
  }
}

void write_residual(const std::filesystem::path& folder) {
  const auto block = [] {
    return nn::Residual(nn::Sequential(nn::LayerNorm(16), nn::Dense(16, 32), nn::GELU(), nn::Dropout(0.2),
                                       nn::Dense(32, 16), nn::BatchNorm(16)));
  };
  const nn::Sequential model(nn::Dense(8, 16), block(), nn::Mish(), block(), nn::Dense(16, 3), nn::Softmax());
  move_statistics(model, random_floats({50, 8}, 1));
  write_layer(folder, model, {{any_size, 8}}, {random_floats({1, 8}, 2), random_floats({33, 8}, 3)});
}

void write_embedding(const std::filesystem::path& folder) {
  const nn::Sequential model(nn::Embedding(20, 6), nn::Flatten(), nn::Dense(24, 5), nn::LogSoftmax());
  const auto words = [](std::int64_t batch) {
    return cast(floor(20 * random::uniform(random::Key(7), {batch, 4})), DType::int64);
  };
  write_layer(folder, model, {{any_size, 4}, DType::int64}, {words(1), words(40)});
}

void write_recurrent(const std::filesystem::path& folder) {
  const nn::Sequential model(nn::Embedding(20, 6), nn::LSTM(6, 8), nn::GRU(8, 5), nn::Dense(5, 2));
  const auto words = [](std::int64_t batch) {
    return cast(floor(20 * random::uniform(random::Key(10), {7, batch})), DType::int64);
  };
  write_layer(folder, model, {{7, any_size}, DType::int64}, {words(1), words(12)});
}

/// The gradients of the loss of a classifier, of a batch of any size.
void write_gradient(const std::filesystem::path& folder) {
  const nn::Sequential model(nn::Embedding(20, 8), nn::Flatten(), nn::Dense(32, 16), nn::GELU(), nn::LayerNorm(16),
                             nn::Dense(16, 3));
  const auto words = [](std::int64_t batch) {
    return cast(floor(20 * random::uniform(random::Key(8), {batch, 4})), DType::int64);
  };
  const auto labels = [](std::int64_t batch) {
    return cast(floor(3 * random::uniform(random::Key(9), {batch})), DType::int64);
  };
  const TensorFunction gradients = [&](const Tensors& x) {
    const Tensor loss = nn::cross_entropy(model(x[0]), x[1], {.label_smoothing = 0.1});
    const nn::Variables weights = model.parameters();
    Tensors results = grad(loss, Tensors(weights.begin(), weights.end()));
    results.insert(results.begin(), loss);
    return results;
  };
  write_case(folder, gradients, {{words(2), labels(2)}, {words(64), labels(64)}},
             {{{any_size, 4}, DType::int64}, {{any_size}, DType::int64}});
}

void write_adam_step(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const nn::Sequential model(nn::Dense(8, 16), nn::Tanh(), nn::Dense(16, 3));
  nn::Adam adam(model.parameters(), {.learning_rate = 0.01});
  const Tensor x = random_floats({30, 8}, 4);
  const Tensor labels = cast(floor(3 * random::uniform(random::Key(5), {30})), DType::int64);
  const auto step = [&](const Tensor& images, const Tensor& targets) {
    const Tensor loss = nn::cross_entropy(model(images), targets);
    adam.minimize(loss);
    return loss;
  };
  const onnx::Signature signature =
      onnx::save(folder / "model.onnx", step, {{{any_size, 8}}, {{any_size}, DType::int64}},
                 {.input_names = {"x", "labels"}, .output_names = {"loss"}, .variables = model.named_variables()});
  const auto contents = [&](const Tensors& first) {
    Tensors all = first;
    for (const onnx::Updated& updated : signature.updated) {
      all.push_back(updated.variable.read());
    }
    return all;
  };
  write_tensors(folder / "test_data_set_0", "input", contents({x, labels}), signature.inputs);
  constexpr int times = 10;
  Tensor loss;
  for (int i = 0; i < times; ++i) {
    loss = step(x, labels);
    loss.array();
  }
  write_tensors(folder / "test_data_set_0", "output", contents({loss}), signature.outputs);
  std::ofstream feedback(folder / "run.json");
  feedback << R"({"times": )" << times << R"(, "feed": {)";
  for (std::size_t i = 0; i < signature.updated.size(); ++i) {
    const auto& [variable, input, output] = signature.updated[i];
    feedback << (i == 0 ? "\"" : ", \"") << output << "\": \"" << input << '"';
  }
  feedback << "}}\n";
}

}  // namespace

void write_networks(const std::filesystem::path& folder) {
  write_classifier(folder / "fashion_mnist");
  write_residual(folder / "residual");
  write_embedding(folder / "embedding");
  write_recurrent(folder / "recurrent");
  write_gradient(folder / "gradient");
  write_adam_step(folder / "adam_step");
}

}  // namespace xgrad::testing
