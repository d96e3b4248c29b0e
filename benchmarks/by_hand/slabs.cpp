#include "benchmarks/by_hand/slabs.hpp"

#include <algorithm>
#include <stdexcept>

#include "benchmarks/by_hand/output_layer.hpp"

namespace by_hand {

namespace {

/// Columns [first, last) of a matrix.
Floats columns_of(const Floats& matrix, int rows, int columns, Range range) {
  Floats part;
  for (int r = 0; r < rows; ++r) {
    const auto row = matrix.begin() + static_cast<long>(r) * columns;
    part.insert(part.end(), row + range.first, row + range.last);
  }
  return part;
}

Floats transposed(const Floats& matrix, int rows, int columns) {
  Floats result(matrix.size());
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      result[static_cast<std::size_t>(c * rows + r)] = matrix[static_cast<std::size_t>(r * columns + c)];
    }
  }
  return result;
}

std::size_t product_of(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

}  // namespace

SlabTrainer::SlabTrainer(const benchmarks::Task& task, const benchmarks::Settings& settings, bool products_only)
    : task_(task),
      adam_(settings.optimizer == "adam"),
      products_only_(products_only),
      batch_(settings.batch_size),
      threads_(settings.threads),
      logits_(product_of(batch_, class_count)),
      barrier_(threads_) {
  for (Floats& each : batches_) {
    each.resize(product_of(batch_, image_size));
  }
  for (std::size_t i = 0; i + 1 < task.layers.size(); ++i) {
    make_layer(task.layers[i]);
  }
  const benchmarks::Weights& last = task.layers.back();
  output_weight_ = Trained(transposed(last.weight, last.inputs, last.outputs));
  output_bias_ = Trained(last.bias);
  output_parts_.assign(static_cast<std::size_t>(threads_),
                       {Floats(last.weight.size()), Floats(static_cast<std::size_t>(last.outputs))});
  tune();
}

void SlabTrainer::make_layer(const benchmarks::Weights& weights) {
  const int inputs = weights.inputs;
  const int outputs = weights.outputs;
  if (outputs % (lane_count * threads_) != 0) {
    throw std::invalid_argument("by_hand: the size of a hidden layer, " + std::to_string(outputs) +
                                ", is no multiple of 16 times the number of threads");
  }
  HiddenLayer layer{inputs, outputs, Floats(product_of(batch_, outputs)), Floats(product_of(batch_, outputs)), {}};
  for (int worker = 0; worker < threads_; ++worker) {
    Slab slab;
    slab.columns = share_of(outputs, worker, threads_);
    const int columns = slab.columns.size();
    slab.weight = Trained(columns_of(weights.weight, inputs, outputs, slab.columns));
    slab.bias = Trained(columns_of(weights.bias, 1, outputs, slab.columns));
    slab.gradient.resize(product_of(inputs, columns));
    slab.bias_gradient.resize(static_cast<std::size_t>(columns));
    slab.to_inputs.resize(product_of(batch_, inputs));
    slab.forward = Product(batch_, columns, inputs, {false, inputs}, {false, columns}, outputs);
    slab.backward = Product(batch_, inputs, columns, {false, outputs}, {true, columns}, inputs);
    slab.weight_gradient = Product(inputs, columns, batch_, {true, inputs}, {false, outputs}, columns);
    layer.slabs.push_back(std::move(slab));
  }
  layers_.push_back(std::move(layer));
}

// On one thread, with everything that goes with a product, and then as if nothing had happened.
void SlabTrainer::tune() {
  const float* x = batches_[0].data();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    std::vector<Slab>& slabs = layers_[l].slabs;
    Slab& slab = slabs[0];
    const Trained before = slab.weight;
    slab.forward.tune([&] { forward(0, l, x); });
    if (l > 0) {
      slab.backward.tune([&] { give_to_inputs(0, l); });
    }
    slab.weight_gradient.tune([&] { update_weight(0, l, x, Update(adam_, 1)); });
    slab.weight = before;
    for (Slab& other : slabs) {
      other.forward = slab.forward;
      other.backward = slab.backward;
      other.weight_gradient = slab.weight_gradient;
    }
    x = layers_[l].x.data();
  }
}

double SlabTrainer::run_epoch(const std::vector<std::int64_t>& order) {
  std::vector<double> losses(static_cast<std::size_t>(threads_));
  run_on_all(threads_, [&](int worker) { losses[static_cast<std::size_t>(worker)] = work(worker, order, step_ + 1); });
  step_ += task_.steps;
  double total = 0;
  for (const double loss : losses) {
    total += loss;
  }
  return total;
}

double SlabTrainer::work(int worker, const std::vector<std::int64_t>& order, int first_step) {
  double loss = 0;
  gather(worker, order.data(), batches_[0]);
  barrier_.wait();
  for (int step = 0; step < task_.steps; ++step) {
    const std::int64_t* samples = order.data() + static_cast<long>(step) * batch_;
    const float* x = batches_[step % 2].data();
    if (products_only_) {
      multiply_only(worker, x);
      continue;
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      forward(worker, l, l == 0 ? x : layers_[l - 1].x.data());
      barrier_.wait();
    }
    loss += output(worker, samples);
    barrier_.wait();
    update_output(worker, first_step + step);
    for (std::size_t l = layers_.size(); l-- > 0;) {
      backward(worker, l, l == 0 ? x : layers_[l - 1].x.data(), first_step + step);
      if (l > 0) {
        barrier_.wait();
      }
    }
    if (step + 1 < task_.steps) {
      gather(worker, samples + batch_, batches_[(step + 1) % 2]);
    }
    barrier_.wait();
  }
  return loss;
}

void SlabTrainer::gather(int worker, const std::int64_t* order, Floats& batch) const {
  const Range rows = share_of(batch_, worker, threads_);
  by_hand::gather(task_.images.data(), order, rows.first, rows.last, batch.data());
}

void SlabTrainer::forward(int worker, std::size_t number, const float* x) {
  HiddenLayer& layer = layers_[number];
  const Slab& slab = layer.slabs[static_cast<std::size_t>(worker)];
  const auto row_at = [&](int row) {
    return layer.x.data() + static_cast<long>(row) * layer.outputs + slab.columns.first;
  };
  slab.forward.run(x, slab.weight.value.data(), row_at, [&](int first, int rows) {
    for (int row = first; row < first + rows; ++row) {
      add_bias_and_relu(row_at(row), slab.bias.value.data(), slab.columns.size());
    }
  });
}

double SlabTrainer::output(int worker, const std::int64_t* order) {
  HiddenLayer& last = layers_.back();
  const OutputLayer layer{last.outputs, output_weight_.value.data(), output_bias_.value.data()};
  OutputPart& part = output_parts_[static_cast<std::size_t>(worker)];
  const Range rows = share_of(batch_, worker, threads_);
  double loss = 0;
  for (int row = rows.first; row < rows.last; ++row) {
    const float* x = last.x.data() + static_cast<long>(row) * last.outputs;
    float* z = logits_.data() + row * class_count;
    layer.forward(x, z);
    loss += cross_entropy(z, task_.labels[static_cast<std::size_t>(order[row])], 1.0F / static_cast<float>(batch_));
    layer.backward(x, z, last.dz.data() + static_cast<long>(row) * last.outputs);
  }
  layer.gradient(last.x.data() + static_cast<long>(rows.first) * last.outputs,
                 logits_.data() + rows.first * class_count, rows.size(), part.gradient.data(),
                 part.bias_gradient.data());
  return loss / batch_;
}

void SlabTrainer::update_output(int worker, int step) {
  const Update update(adam_, step);
  const auto apply = [&](Trained& trained, Floats OutputPart::*gradient, Range range) {
    Floats& total = output_parts_[static_cast<std::size_t>(worker)].*gradient;
    for (int other = 0; other < threads_; ++other) {
      const Floats& part = output_parts_[static_cast<std::size_t>(other)].*gradient;
      for (int i = range.first; other != worker && i < range.last; ++i) {
        total[static_cast<std::size_t>(i)] += part[static_cast<std::size_t>(i)];
      }
    }
    update(total.data() + range.first, trained.value.data() + range.first, trained.first_moment.data() + range.first,
           trained.second_moment.data() + range.first, range.size());
  };
  apply(output_weight_, &OutputPart::gradient,
        share_of(static_cast<int>(output_weight_.value.size()), worker, threads_));
  if (worker == 0) {
    apply(output_bias_, &OutputPart::bias_gradient, {0, class_count});
  }
}

// dz = Σ over the slabs of the layer behind, where x > 0: my columns.
void SlabTrainer::collect_dz(int worker, std::size_t number) {
  HiddenLayer& layer = layers_[number];
  const Range columns = layer.slabs[static_cast<std::size_t>(worker)].columns;
  const std::vector<Slab>& behind = layers_[number + 1].slabs;
  for (int row = 0; row < batch_; ++row) {
    const long offset = static_cast<long>(row) * layer.outputs + columns.first;
    float* __restrict dz = layer.dz.data() + offset;
    const float* x = layer.x.data() + offset;
    std::copy_n(behind[0].to_inputs.data() + offset, columns.size(), dz);
    for (std::size_t i = 1; i < behind.size(); ++i) {
      const float* part = behind[i].to_inputs.data() + offset;
      for (int c = 0; c < columns.size(); ++c) {
        dz[c] += part[c];
      }
    }
    for (int c = 0; c < columns.size(); ++c) {
      dz[c] = x[c] > 0 ? dz[c] : 0;
    }
  }
}

// What my columns of dz give to the layer's inputs.
void SlabTrainer::give_to_inputs(int worker, std::size_t number) {
  HiddenLayer& layer = layers_[number];
  Slab& slab = layer.slabs[static_cast<std::size_t>(worker)];
  slab.backward.run(
      layer.dz.data() + slab.columns.first, slab.weight.value.data(),
      [&](int row) { return slab.to_inputs.data() + static_cast<long>(row) * layer.inputs; }, [](int, int) {});
}

void SlabTrainer::update_weight(int worker, std::size_t number, const float* x, const Update& update) {
  HiddenLayer& layer = layers_[number];
  Slab& slab = layer.slabs[static_cast<std::size_t>(worker)];
  const int columns = slab.columns.size();
  slab.weight_gradient.run(
      x, layer.dz.data() + slab.columns.first, [&](int) { return slab.gradient.data(); },
      [&](int first, int rows) {
        const long offset = static_cast<long>(first) * columns;
        update(slab.gradient.data(), slab.weight.value.data() + offset, slab.weight.first_moment.data() + offset,
               slab.weight.second_moment.data() + offset, static_cast<long>(rows) * columns);
      });
}

void SlabTrainer::backward(int worker, std::size_t number, const float* x, int step) {
  if (number + 1 < layers_.size()) {
    collect_dz(worker, number);
  }
  if (number > 0) {
    give_to_inputs(worker, number);
  }
  const Update update(adam_, step);
  update_weight(worker, number, x, update);
  HiddenLayer& layer = layers_[number];
  Slab& slab = layer.slabs[static_cast<std::size_t>(worker)];
  const int columns = slab.columns.size();
  sum_rows(layer.dz.data() + slab.columns.first, batch_, layer.outputs, slab.bias_gradient.data(), columns);
  update(slab.bias_gradient.data(), slab.bias.value.data(), slab.bias.first_moment.data(),
         slab.bias.second_moment.data(), columns);
}

void SlabTrainer::multiply_only(int worker, const float* x) {
  const auto nothing = [](int, int) {};
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    HiddenLayer& layer = layers_[l];
    Slab& slab = layer.slabs[static_cast<std::size_t>(worker)];
    const float* inputs = l == 0 ? x : layers_[l - 1].x.data();
    const float* dz = layer.dz.data() + slab.columns.first;
    float* w = slab.weight.value.data();
    slab.forward.run(
        inputs, w,
        [&](int row) { return layer.x.data() + static_cast<long>(row) * layer.outputs + slab.columns.first; }, nothing);
    if (l > 0) {
      slab.backward.run(
          dz, w, [&](int row) { return slab.to_inputs.data() + static_cast<long>(row) * layer.inputs; }, nothing);
    }
    slab.weight_gradient.run(
        inputs, dz, [&](int) { return slab.gradient.data(); }, nothing);
  }
}

}  // namespace by_hand
