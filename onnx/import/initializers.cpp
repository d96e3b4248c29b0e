#include "onnx/import/initializers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "onnx/load.hpp"

namespace xgrad::onnx::loading {

namespace {

bool is_one_number(const Array& array) {
  return is_floating(array.dtype()) && array.size() > 0 && dispatch(array.dtype(), [&](auto zero) {
           const auto* first = array.data<decltype(zero)>();
           return std::all_of(first, first + array.size(), [&](auto element) { return element == *first; });
         });
}

/// The same elements elsewhere: what shares memory is taken for one when it is written.
Array copy_of(const Array& array) {
  Array copy(array.shape(), array.dtype());
  std::memcpy(copy.data(), array.data(), array.bytes());
  return copy;
}

/// Inputs of operators that are numbers of floating type, but options rather than weights.
struct Option {
  std::string_view type;
  std::size_t input;
};
constexpr std::array number_options = {
    Option{"Clip", 1},   Option{"Clip", 2}, Option{"Dropout", 1}, Option{"OneHot", 0}, Option{"OneHot", 1},
    Option{"OneHot", 2}, Option{"Pad", 2},  Option{"Range", 0},   Option{"Range", 1},  Option{"Range", 2},
};

Role role_at(const GraphNode& node, std::size_t input) {
  if (node.type == "BatchNormalization" && node.domain.empty() && input >= 3) {
    return Role::statistic;
  }
  const bool is_option = std::any_of(number_options.begin(), number_options.end(), [&](const Option& option) {
    return option.type == node.type && option.input == input;
  });
  return is_option ? Role::constant : Role::parameter;
}

/// Of an input of a node: that of the value in the graphs in it, where it stands for one of theirs.
Role role_through(const GraphNode& node, std::size_t input) {
  return node.function == nullptr               ? role_at(node, input)
         : input < node.function->inputs.size() ? role_of(*node.function, node.function->inputs[input].slot)
                                                : Role::constant;
}

/// A path of a model's state, which files of arrays can have as a name.
std::string path_of(const std::string& name, std::set<std::string>& taken) {
  std::string path;
  for (const char c : name) {
    const char kept = c == '/' ? '.' : c;
    if (kept != '.' || (!path.empty() && path.back() != '.')) {
      path += kept;
    }
  }
  while (!path.empty() && path.back() == '.') {
    path.pop_back();
  }
  path = path.empty() ? "initializer" : path;
  std::string unique = path;
  for (int i = 2; !taken.insert(unique).second; ++i) {
    unique = phrase("{}_{}", path, i);
  }
  return unique;
}

bool names(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// Options name initialisers that there are, and that can be what they say.
void require_named(const Graph& graph, const std::vector<std::string>& list, std::string_view option) {
  for (const std::string& name : list) {
    const bool found =
        std::any_of(graph.initializers.begin(), graph.initializers.end(), [&](const Initializer& initializer) {
          return initializer.name == name && is_floating(initializer.array.dtype());
        });
    if (!found) {
      raise<ValueError>("onnx::load", phrase("{} names {}, and the model has no floating initialiser of this name",
                                             option, datasets::backticked(name)));
    }
  }
}

}  // namespace

Role role_of(const Graph& graph, Slot slot) {
  Role role = Role::constant;
  const auto widen = [&](Role other) { role = std::max(role, other); };
  for (const GraphNode& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == slot) {
        widen(role_through(node, i));
      }
    }
    for (const auto& [name, attribute] : node.attributes) {
      for (const Graph::Capture& capture :
           attribute.graph == nullptr ? std::vector<Graph::Capture>() : attribute.graph->captures) {
        if (capture.outside == slot) {
          widen(role_of(*attribute.graph, capture.inside));
        }
      }
    }
  }
  return role;
}

Graph with_merged_separated(const Graph& graph) {
  Graph result = graph;
  const auto is_copy = [&](const GraphNode& node) {
    if (node.type != "Identity" || !node.domain.empty() || node.function != nullptr || node.outputs.size() != 1 ||
        node.outputs[0] == no_slot) {
      return false;
    }
    const auto original =
        std::find_if(graph.initializers.begin(), graph.initializers.end(),
                     [&](const Initializer& initializer) { return initializer.slot == node.inputs[0]; });
    return original != graph.initializers.end() && is_one_number(original->array);
  };
  for (const GraphNode& node : graph.nodes) {
    if (is_copy(node)) {
      const auto original =
          std::find_if(graph.initializers.begin(), graph.initializers.end(),
                       [&](const Initializer& initializer) { return initializer.slot == node.inputs[0]; });
      result.initializers.push_back({node.output_names.front(), node.outputs[0], copy_of(original->array)});
    }
  }
  std::erase_if(result.nodes, is_copy);
  return result;
}

}  // namespace xgrad::onnx::loading

namespace xgrad::onnx::detail {

Initializers::Initializers(const loading::Graph& graph, const LoadOptions& given) {
  loading::require_named(graph, given.constants, "constants");
  loading::require_named(graph, given.parameters, "parameters");
  std::set<std::string> taken;
  for (const loading::Initializer& initializer : graph.initializers) {
    const std::string path = loading::path_of(initializer.name, taken);
    const Tensor content(initializer.array);
    auto role =
        is_floating(initializer.array.dtype()) ? loading::role_of(graph, initializer.slot) : loading::Role::constant;
    if (loading::names(given.parameters, initializer.name)) {
      role = loading::Role::parameter;
    } else if (loading::names(given.constants, initializer.name) ||
               (role == loading::Role::parameter && initializer.array.shape().ndim() == 0)) {
      role = loading::Role::constant;
    }
    switch (role) {
      case loading::Role::constant: items_.emplace_back(content); break;
      case loading::Role::statistic: items_.emplace_back(nn::Statistic(content, path)); break;
      case loading::Role::parameter: items_.emplace_back(Variable(content, path)); break;
    }
    paths_.push_back(path);
  }
}

bool Initializers::is_constant(std::size_t i) const { return std::holds_alternative<Tensor>(items_[i]); }

const Variable* Initializers::statistic(std::size_t i) const { return std::get_if<nn::Statistic>(&items_[i]); }

Tensor Initializers::read(std::size_t i) const {
  return std::visit([](const auto& item) { return Tensor(item); }, items_[i]);
}

void collect(const Initializers& initializers, const nn::detail::Place& place, nn::detail::Which which,
             std::vector<nn::detail::Found>& found) {
  for (std::size_t i = 0; i < initializers.items_.size(); ++i) {
    const nn::detail::Place here{nn::detail::join_path(place.name, initializers.paths_[i]),
                                 nn::detail::join_path(place.torch_name, initializers.paths_[i]), place.layout};
    if (const auto* statistic = std::get_if<nn::Statistic>(&initializers.items_[i])) {
      nn::detail::collect(*statistic, here, which, found);
    } else if (const auto* variable = std::get_if<Variable>(&initializers.items_[i])) {
      nn::detail::collect(*variable, here, which, found);
    }
  }
}

void separate(Initializers& initializers, nn::detail::CopiedVariables& copied) {
  for (Initializers::Item& item : initializers.items_) {
    if (auto* statistic = std::get_if<nn::Statistic>(&item)) {
      nn::detail::separate(*statistic, copied);
    } else if (auto* variable = std::get_if<Variable>(&item)) {
      nn::detail::separate(*variable, copied);
    }
  }
}

}  // namespace xgrad::onnx::detail
