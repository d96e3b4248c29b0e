#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/report.hpp"
#include "nn/restored.hpp"
#include "nn/summary.hpp"

namespace xgrad::nn {

namespace {

constexpr int step_measurements = 3;  // of which the fastest counts
constexpr int measured_steps = 10;
constexpr double measured_seconds = 0.3;       // for each, at most, unless one step takes longer
constexpr std::uint32_t targets_argument = 1;  // of a step that takes features and targets

using LayerNames = std::map<const void*, std::string>;

void add_layer_names(const Module& layer, const std::string& path, LayerNames& names) {
  if (const Sequential* layers = layer.as<Sequential>()) {
    for (std::size_t i = 0; i < layers->size(); ++i) {
      add_layer_names((*layers)[i], detail::join_path(path, std::to_string(i)), names);
    }
    return;
  }
  for (const Variable& variable : layer.variables()) {
    names.emplace(variable.id(), path.empty() ? layer.type_name() : phrase("{} {}", path, layer.type_name()));
  }
}

// The one name that all of them have; "several layers" where they differ, nothing where there are none.
std::string common_name(const std::vector<std::string>& names) {
  std::string common;
  for (const std::string& name : names) {
    if (!name.empty() && name != common) {
      common = common.empty() ? name : "several layers";
    }
  }
  return common;
}

// Which layer each kernel is of. By itself it is of the one whose variables it reads or assigns, of the optimiser where
// these are no layer's, and of the loss where it reads the targets. The others go by their neighbours.
class KernelLayers {
 public:
  std::vector<std::string> layers;  // a name for each

  KernelLayers(const std::vector<KernelTime>& kernels, const LayerNames& known)
      : layers(kernels.size()), readers_(kernels.size()) {
    for (std::uint32_t i = 0; i < kernels.size(); ++i) {
      for (const std::uint32_t source : kernels[i].reads) {
        readers_[source].push_back(i);
      }
      layers[i] = own_layer(kernels[i], known);
    }
    // What gives its result to one layer's kernels alone, as the product does that is the gradient of a weight.
    const std::vector<std::string> own = layers;
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      take_loss(i, kernels[i].reads, own);
      const std::vector<std::string> names = names_at(readers_[i], own);
      const bool all_known = std::none_of(names.begin(), names.end(), [](const auto& name) { return name.empty(); });
      layers[i] = layers[i].empty() && all_known ? common_name(names) : layers[i];
    }
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      take_loss(i, kernels[i].reads, layers);
    }
    for (std::size_t i = kernels.size(); i-- > 0;) {
      take_loss(i, readers_[i], layers);
    }
    for (std::size_t i = kernels.size(); i-- > 0;) {
      layers[i] = layers[i].empty() ? common_name(names_at(readers_[i], layers)) : layers[i];
    }
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      layers[i] = layers[i].empty() ? common_name(names_at(kernels[i].reads, layers)) : layers[i];
      layers[i] = layers[i].empty() ? "other" : layers[i];
    }
  }

 private:
  static std::string own_layer(const KernelTime& kernel, const LayerNames& known) {
    std::vector<std::string> own;
    for (const Variable& variable : kernel.variables) {
      const auto found = known.find(variable.id());
      own.push_back(found == known.end() ? "" : found->second);
    }
    const bool reads_targets =
        std::find(kernel.arguments.begin(), kernel.arguments.end(), targets_argument) != kernel.arguments.end();
    const std::string layer = common_name(own);
    return !layer.empty() ? layer : !own.empty() ? "optimizer" : reads_targets ? "loss" : "";
  }
  static std::vector<std::string> names_at(const std::vector<std::uint32_t>& places,
                                           const std::vector<std::string>& all) {
    std::vector<std::string> names;
    for (const std::uint32_t place : places) {
      names.push_back(all[place]);
    }
    return names;
  }
  void take_loss(std::size_t kernel, const std::vector<std::uint32_t>& neighbours,
                 const std::vector<std::string>& all) {
    const std::vector<std::string> names = names_at(neighbours, all);
    if (layers[kernel].empty() && std::find(names.begin(), names.end(), "loss") != names.end()) {
      layers[kernel] = "loss";
    }
  }

  std::vector<std::vector<std::uint32_t>> readers_;
};

}  // namespace

StepCost measure_step(const Plan& plan, const std::vector<Tensor>& inputs, const Module& model) {
  std::vector<Array> arrays;
  for (const Tensor& input : inputs) {
    arrays.push_back(input.array());
  }
  LayerNames names;
  add_layer_names(model, "", names);
  const detail::Restored restored({plan.assigned()});
  Profile profile = plan.profile(arrays, 1);
  const int steps = static_cast<int>(
      std::clamp(measured_seconds / std::max(profile.seconds, 1e-9), 1.0, static_cast<double>(measured_steps)));
  const int measurements = profile.seconds < measured_seconds ? step_measurements : 0;
  for (int i = 0; i < measurements; ++i) {  // other programs only ever make it slower
    Profile again = plan.profile(arrays, steps);
    if (again.seconds < profile.seconds) {
      profile = std::move(again);
    }
  }
  const std::vector<std::string> layers = KernelLayers(profile.kernels, names).layers;
  StepCost cost;
  cost.seconds = profile.seconds;
  cost.repetitions = profile.repetitions;
  cost.threads = profile.threads;
  cost.bytes = static_cast<std::int64_t>(plan.peak_bytes());
  cost.memory_map = plan.memory_map();
  for (std::size_t i = 0; i < profile.kernels.size(); ++i) {
    const KernelTime& kernel = profile.kernels[i];
    cost.kernels.push_back({.layer = layers[i],
                            .name = kernel.name,
                            .computes = kernel.computes,
                            .seconds = kernel.seconds,
                            .share = kernel.share,
                            .gflops = kernel.gflops,
                            .gigabytes = kernel.gigabytes});
  }
  return cost;
}

Network describe_network(const Module& model, const Shape& input, std::optional<DType> dtype) {
  Network network{.input = to_string(input), .layers = {}, .trainable = model.parameter_count()};
  for (const LayerSummary& row : layer_summaries(model, input, dtype)) {
    network.layers.push_back({.path = row.path,
                              .type = row.type,
                              .output = to_string(row.output),
                              .parameters = row.parameters,
                              .multiply_adds = row.multiply_adds});
  }
  return network;
}

}  // namespace xgrad::nn
