#include "onnx/load.hpp"

#include <map>
#include <optional>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/initializers.hpp"
#include "onnx/import/read_graph.hpp"
#include "onnx/model_file.hpp"

namespace xgrad::onnx {

namespace {

using loading::Graph;
using loading::GraphValue;
using loading::Values;

constexpr std::string_view load_op = "onnx::load";

Graph graph_in(const std::filesystem::path& path) {
  const proto::ModelProto model = read_model(load_op, path);
  return loading::with_merged_separated(loading::read_graph(load_op, datasets::backticked(path.string()), model));
}

/// Without the elements of its initialisers, which variables hold: they would be in memory twice once those are assigned.
std::shared_ptr<const Graph> without_elements(Graph graph) {
  for (loading::Initializer& initializer : graph.initializers) {
    initializer.array = Array();
  }
  return std::make_shared<const Graph>(std::move(graph));
}

/// Sizes as the file has them: `(batch, 1, 28, 28)`.
std::string declared_shape(const GraphValue& input) {
  std::string text;
  for (std::size_t axis = 0; axis < input.sizes.size(); ++axis) {
    const std::string& name = input.size_names[axis];
    text += text.empty() ? "" : ", ";
    text += input.sizes[axis] ? std::to_string(*input.sizes[axis]) : name.empty() ? "?" : datasets::shown(name);
  }
  return "(" + text + ")";
}

using NamedSizes = std::map<std::string, std::int64_t>;

/// Whether the size of an axis is what the file says. The first axis is free: where a model was traced on one batch, its size
/// was written down with it.
bool size_fits(const GraphValue& input, std::size_t axis, std::int64_t size, NamedSizes& named) {
  if (input.sizes[axis]) {
    return axis == 0 || size == *input.sizes[axis];
  }
  const std::string& name = input.size_names[axis];
  return name.empty() || named.emplace(name, size).first->second == size;
}

/// A matrix of samples, which datasets give, in the shape that the model has for each of them.
Tensor in_samples(const GraphValue& input, const Tensor& given) {
  if (!given.defined() || given.ndim() != 2 || !input.ranked || input.sizes.size() <= 2) {
    return given;
  }
  Shape shape{given.shape()[0]};
  for (std::size_t axis = 1; axis < input.sizes.size(); ++axis) {
    if (!input.sizes[axis]) {
      return given;
    }
    shape.push_back(*input.sizes[axis]);
  }
  return shape.element_count() == given.size() ? reshape(given, shape) : given;
}

void require_fit(const GraphValue& input, const Tensor& given, NamedSizes& named) {
  if (!given.defined()) {
    raise<ValueError>("onnx", phrase("the input {} is an empty tensor", datasets::backticked(input.name)));
  }
  if (input.dtype && given.dtype() != *input.dtype) {
    raise<DTypeError>("onnx",
                      phrase("the input {} is {}, the model takes {}; cast it", datasets::backticked(input.name),
                             to_string(given.dtype()), to_string(*input.dtype)));
  }
  bool fits = !input.ranked || given.ndim() == input.sizes.size();
  for (std::size_t axis = 0; fits && input.ranked && axis < given.ndim(); ++axis) {
    fits = size_fits(input, axis, given.shape()[axis], named);
  }
  if (!fits) {
    raise<ShapeError>("onnx", phrase("the input {} has shape {}, the model takes {}", datasets::backticked(input.name),
                                     to_string(given.shape()), declared_shape(input)));
  }
}

}  // namespace

Model::Model(const std::filesystem::path& path, const LoadOptions& options, std::source_location where)
    : training_as_in_file_(options.training_as_in_file) {
  located(where, [&] {
    Graph graph = graph_in(path);
    initializers_ = detail::Initializers(graph, options);
    graph_ = without_elements(std::move(graph));
  });
}

Tensor Model::operator()(const Operand& x, const nn::Mode& mode) const {
  const SourceScope scope(x);
  const bool typed = x.weak() && graph_->inputs.size() == 1 && graph_->inputs[0].dtype;
  const Tensors outputs = run({typed ? x.tensor(*graph_->inputs[0].dtype, "onnx") : x.tensor()}, mode, x.where());
  if (outputs.empty()) {
    located(x.where(), [] { raise<ValueError>("onnx", "the model has no outputs"); });
  }
  return outputs.front();
}

Tensors Model::run(const Tensors& inputs, const nn::Mode& mode, std::source_location where) const {
  const SourceScope scope(where);
  return located(where, [&] {
    Values values;
    for (const Tensor& input : fitted(inputs)) {
      values.push_back({input, false, nullptr});
    }
    Values initial;
    for (std::size_t i = 0; i < initializers_.size(); ++i) {
      initial.push_back({initializers_.read(i), initializers_.is_constant(i), initializers_.statistic(i)});
    }
    Tensors outputs;
    for (const loading::Value& value : loading::run_graph(*graph_, values, initial, {mode, training_as_in_file_})) {
      outputs.push_back(value.tensor);
    }
    return outputs;
  });
}

Tensors Model::fitted(const Tensors& inputs) const {
  if (inputs.size() != graph_->inputs.size()) {
    std::vector<std::string> names = input_names();
    raise<ValueError>("onnx", phrase("the model takes {} inputs, {}, and got {}; give all of them to run()",
                                     names.size(), datasets::listed(names), inputs.size()));
  }
  Tensors result;
  NamedSizes named;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(in_samples(graph_->inputs[i], inputs[i]));
    require_fit(graph_->inputs[i], result[i], named);
  }
  return result;
}

std::vector<std::string> Model::input_names() const {
  std::vector<std::string> names;
  for (const GraphValue& input : graph_->inputs) {
    names.push_back(input.name);
  }
  return names;
}

std::vector<std::string> Model::output_names() const {
  std::vector<std::string> names;
  for (const GraphValue& output : graph_->outputs) {
    names.push_back(output.name);
  }
  return names;
}

Model load(const std::filesystem::path& path, const LoadOptions& options, std::source_location where) {
  return Model(path, options, where);
}

}  // namespace xgrad::onnx
