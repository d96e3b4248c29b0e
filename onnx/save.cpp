#include "onnx/save.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>

#include "autograd/graph/description.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/plan/trace/traced_step.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/graph_emitter.hpp"
#include "onnx/graph_writer.hpp"
#include "onnx/model_file.hpp"
#include "onnx/version.hpp"

namespace xgrad::onnx {

namespace {

constexpr std::string_view who = "onnx::save";

// Where a size of the batch is by chance that of another axis, the traces may differ: then the next two are tried.
constexpr std::array<BatchSizes, 3> batch_sizes = {{{7, 11}, {13, 17}, {1009, 1013}}};

/// Where the size of the batch is: which argument, which axis; nothing when all sizes are given.
std::optional<std::pair<std::size_t, std::int64_t>> find_batch(const std::vector<Spec>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t axis = 0; axis < inputs[i].shape.ndim(); ++axis) {
      if (inputs[i].shape[axis] == any_size) {
        return std::pair(i, static_cast<std::int64_t>(axis));
      }
    }
  }
  return std::nullopt;
}

/// The arguments at one size of the batch.
std::vector<Spec> with_batch(std::vector<Spec> inputs, std::int64_t size) {
  for (Spec& input : inputs) {
    for (std::int64_t& each : input.shape) {
      each = each == any_size ? size : each;
    }
    require_sizes(who, input.shape);
  }
  return inputs;
}

/// Names given by the user, or made of \p base and numbers.
std::vector<std::string> names_of(std::string_view what, std::string_view base, const std::vector<std::string>& given,
                                  std::size_t count) {
  if (!given.empty() && given.size() != count) {
    raise<ValueError>(who, phrase("{} names for {} {}; give one for each, or none", given.size(), count, what));
  }
  if (!given.empty()) {
    return given;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(count == 1 ? std::string(base) : phrase("{}_{}", base, i));
  }
  return names;
}

/// A function, traced.
struct Traced {
  TracedStep step;
  Description description;

  explicit Traced(TracedStep traced) : step(std::move(traced)), description(roots(), leaves()) {}

  /// What is returned, then the new contents of variables.
  Tensors roots() const {
    Tensors all = step.outputs;
    for (const TracedStep::Cell& cell : step.cells) {
      if (cell.after.defined()) {
        all.push_back(cell.after);
      }
    }
    return all;
  }
  /// The arguments, then the old contents.
  Tensors leaves() const {
    Tensors all = step.inputs;
    for (const TracedStep::Cell& cell : step.cells) {
      all.push_back(cell.before);
    }
    return all;
  }
};

bool same_variables(const TracedStep& a, const TracedStep& b) {
  return std::equal(a.cells.begin(), a.cells.end(), b.cells.begin(), b.cells.end(), [](const auto& x, const auto& y) {
    return x.variable.same_as(y.variable) && x.after.defined() == y.after.defined();
  });
}

/// Writes one function at two sizes of the batch.
class ModelBuilder {
 public:
  ModelBuilder(const std::vector<Spec>& inputs, const SaveOptions& options, const BatchSizes& batch)
      : inputs_(inputs), options_(options), batch_(batch), graph_(*model_.mutable_graph()) {
    for (const nn::NamedVariable& named : options.variables) {
      variable_names_.emplace(named.variable.id(), named.name);
    }
    if (options.as_float32) {
      graph_.write_float64_as_float32();
    }
  }

  /// \throws TracesDiffer.
  void build(const Traced& first, const Traced& second) {
    if (!same_variables(first.step, second.step) || first.step.outputs.size() != second.step.outputs.size()) {
      throw TracesDiffer{nullptr};
    }
    write_header();
    const std::vector<std::string> output_names =
        names_of("results", "output", options_.output_names, first.step.outputs.size());
    std::vector<Value> given = arguments();
    name_outputs(output_names);
    for (const TracedStep::Cell& cell : first.step.cells) {
      given.push_back(variable(cell));
    }
    std::vector<Description::Value> roots;
    for (const Tensor& root : first.roots()) {
      roots.push_back(first.description.value_of(root));
    }
    GraphEmitter emitter(graph_, batch_, refusals_);
    const std::vector<Value> results = emitter.emit({first.description, second.description}, given, roots);
    if (!refusals_.empty()) {
      refusals_.raise_all();
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      graph_.add_named("Identity", {results[i].name}, signature_.outputs[i]);
      graph_.describe(*model_.mutable_graph()->add_output(),
                      {signature_.outputs[i], results[i].dtype, results[i].sizes});
    }
  }

  const proto::ModelProto& model() const { return model_; }
  const Signature& signature() const { return signature_; }

 private:
  void write_header() {
    model_.set_ir_version(ir_version);
    model_.set_producer_name("xgrad");
    model_.set_producer_version(XGRAD_VERSION);
    model_.add_opset_import()->set_version(opset);
    model_.mutable_opset_import(0)->set_domain("");
    model_.mutable_graph()->set_name(options_.graph_name);
  }

  std::string unique_name(const std::string& name) {
    const std::string unique = graph_.unique(name);
    if (unique != name || name.empty()) {
      raise<ValueError>(
          who, phrase("the name '{}' is given twice, or empty; give inputs and outputs different names", name));
    }
    return unique;
  }

  std::vector<Value> arguments() {
    std::vector<Value> values;
    const std::vector<std::string> names = names_of("arguments", "input", options_.input_names, inputs_.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Sizes sizes;
      for (const std::int64_t size : inputs_[i].shape) {
        sizes.push_back(size == any_size ? Size{1, true} : Size{size, false});
      }
      values.push_back({unique_name(names[i]), inputs_[i].dtype, sizes});
      signature_.inputs.push_back(names[i]);
    }
    if (const auto batch = find_batch(inputs_)) {
      graph_.set_batch(values[batch->first].name, batch->second, options_.batch_name);
    }
    for (const Value& value : values) {
      graph_.describe(*model_.mutable_graph()->add_input(), value);
    }
    return values;
  }

  void name_outputs(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      signature_.outputs.push_back(unique_name(name));
    }
  }

  // What a variable held before: an initialiser, or an input where the function assigns it.
  Value variable(const TracedStep::Cell& cell) {
    const Variable& variable = cell.variable;
    const auto named = variable_names_.find(variable.id());
    std::string name = named != variable_names_.end() ? named->second : variable.name();
    name = name.empty() ? "variable" : name;
    Value value{"", variable.dtype(), {}};
    for (const std::int64_t size : variable.shape()) {
      value.sizes.push_back({size, false});
    }
    if (!cell.after.defined()) {
      value.name = graph_.array(variable.read().array(), name);
      return value;
    }
    value.name = graph_.unique(name);
    graph_.describe(*model_.mutable_graph()->add_input(), value);
    const std::string output = graph_.unique(value.name + ".new");
    signature_.inputs.push_back(value.name);
    signature_.outputs.push_back(output);
    signature_.updated.push_back({variable, value.name, output});
    return value;
  }

  const std::vector<Spec>& inputs_;
  const SaveOptions& options_;
  const BatchSizes& batch_;
  proto::ModelProto model_;
  GraphWriter graph_;
  Refusals refusals_;
  Signature signature_;
  std::map<const void*, std::string> variable_names_;
};

Traced trace(const detail::Function& function, const std::vector<Spec>& inputs, std::int64_t batch) {
  return Traced(trace_step(with_batch(inputs, batch), function.call));
}

[[noreturn]] void raise_different(const TracesDiffer& difference) {
  const bool is_known = difference.node != nullptr && difference.node->location().line() != 0;
  const std::string place =
      is_known ? phrase("{}:{}", difference.node->location().file_name(), difference.node->location().line())
               : std::string("an unknown place");
  raise<ValueError>(who, phrase("what the function does depends on the size of the batch, first at {}; give a size "
                                "instead of any_size",
                                place));
}

Signature save_checked(const std::filesystem::path& path, const detail::Function& function,
                       const std::vector<Spec>& inputs, const SaveOptions& options) {
  if (inputs.size() != function.argument_count) {
    raise<ValueError>(who, phrase("{} kinds of arguments for a function of {}; give one for each", inputs.size(),
                                  function.argument_count));
  }
  for (const BatchSizes& batch : batch_sizes) {
    const Traced first = trace(function, inputs, batch[0]);
    const Traced second = find_batch(inputs) ? trace(function, inputs, batch[1]) : first;
    try {
      ModelBuilder builder(inputs, options, batch);
      builder.build(first, second);
      write_model(who, path, builder.model());
      return builder.signature();
    } catch (const TracesDiffer& difference) {
      if (batch == batch_sizes.back()) {
        raise_different(difference);
      }
    }
  }
  return {};
}

}  // namespace

Signature detail::save_function(const std::filesystem::path& path, const Function& function,
                                const std::vector<Spec>& inputs, const SaveOptions& options,
                                const std::source_location& where) {
  return located(where, [&] { return save_checked(path, function, inputs, options); });
}

Signature save(const std::filesystem::path& path, const nn::Module& model, const SaveOptions& options,
               std::source_location where) {
  const auto call = [&](const Tensors& arguments) {
    const SourceScope scope(where);
    return Tensors{model(arguments[0])};
  };
  SaveOptions named = options;
  const auto paths = model.named_variables();
  named.variables.insert(named.variables.end(), paths.begin(), paths.end());
  return detail::save_function(path, {1, call}, {options.input}, named, where);
}

}  // namespace xgrad::onnx
