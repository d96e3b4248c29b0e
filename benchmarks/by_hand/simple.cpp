#include "benchmarks/by_hand/simple.hpp"

#include <cblas.h>

#include "benchmarks/by_hand/loops.hpp"

extern "C" void openblas_set_num_threads(int count) __attribute__((weak));

namespace by_hand {

SimpleTrainer::SimpleTrainer(const benchmarks::Task& task, const benchmarks::Settings& settings)
    : task_(task), adam_(settings.optimizer == "adam"), batch_(settings.batch_size) {
  if (openblas_set_num_threads != nullptr) {
    openblas_set_num_threads(settings.threads);
  }
  x_.resize(static_cast<std::size_t>(batch_) * image_size);
  for (const benchmarks::Weights& weights : task.layers) {
    Layer layer{
        weights.inputs, weights.outputs, weights.weight, weights.bias, weights.weight, weights.bias, {}, {}, {}, {}};
    for (int i = 0; i < 2; ++i) {
      layer.weight_moments[i].resize(weights.weight.size());
      layer.bias_moments[i].resize(weights.bias.size());
    }
    layer.z.resize(static_cast<std::size_t>(batch_) * weights.bias.size());
    layer.dz = layer.z;
    layers_.push_back(std::move(layer));
  }
}

double SimpleTrainer::run_epoch(const std::vector<std::int64_t>& order) {
  double loss = 0;
  for (int step = 0; step < task_.steps; ++step) {
    const std::int64_t* samples = order.data() + static_cast<long>(step) * batch_;
    gather(task_.images.data(), samples, 0, batch_, x_.data());
    loss += forward(samples);
    backward();
    update();
  }
  return loss;
}

double SimpleTrainer::forward(const std::int64_t* order) {
  const float* x = x_.data();
  for (Layer& layer : layers_) {
    const bool last = &layer == &layers_.back();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch_, layer.outputs, layer.inputs, 1, x, layer.inputs,
                layer.weight.data(), layer.outputs, 0, layer.z.data(), layer.outputs);
    for (int row = 0; row < batch_ && !last; ++row) {
      add_bias_and_relu(layer.z.data() + static_cast<long>(row) * layer.outputs, layer.bias.data(), layer.outputs);
    }
    x = layer.z.data();
  }
  Layer& output = layers_.back();
  double loss = 0;
  for (int row = 0; row < batch_; ++row) {
    float* dz = output.dz.data() + row * class_count;
    for (int j = 0; j < class_count; ++j) {
      dz[j] = output.z[static_cast<std::size_t>(row * class_count + j)] + output.bias[static_cast<std::size_t>(j)];
    }
    loss += cross_entropy(dz, task_.labels[static_cast<std::size_t>(order[row])], 1.0F / static_cast<float>(batch_));
  }
  return loss / batch_;
}

void SimpleTrainer::backward() {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    const float* x = l == 0 ? x_.data() : layers_[l - 1].z.data();
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, layer.inputs, layer.outputs, batch_, 1, x, layer.inputs,
                layer.dz.data(), layer.outputs, 0, layer.weight_gradient.data(), layer.outputs);
    sum_rows(layer.dz.data(), batch_, layer.outputs, layer.bias_gradient.data(), layer.outputs);
    if (l > 0) {
      Layer& before = layers_[l - 1];
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch_, layer.inputs, layer.outputs, 1, layer.dz.data(),
                  layer.outputs, layer.weight.data(), layer.outputs, 0, before.dz.data(), layer.inputs);
      for (std::size_t i = 0; i < before.dz.size(); ++i) {
        before.dz[i] = before.z[i] > 0 ? before.dz[i] : 0;
      }
    }
  }
}

void SimpleTrainer::update() {
  const Update update(adam_, ++step_);
  for (Layer& layer : layers_) {
    update(layer.weight_gradient.data(), layer.weight.data(), layer.weight_moments[0].data(),
           layer.weight_moments[1].data(), static_cast<long>(layer.weight.size()));
    update(layer.bias_gradient.data(), layer.bias.data(), layer.bias_moments[0].data(), layer.bias_moments[1].data(),
           static_cast<long>(layer.bias.size()));
  }
}

}  // namespace by_hand
