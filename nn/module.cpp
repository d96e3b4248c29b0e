#include "nn/module.hpp"

#include <algorithm>
#include <cstdlib>
#include <ostream>

#include <cxxabi.h>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::nn {

namespace detail {

std::string join_path(const std::string& path, std::string_view name) {
  return path.empty() || name.empty() ? path + std::string(name) : path + "." + std::string(name);
}

Place place_of(std::string_view member, const Place& layer, std::span<const TorchName> rows) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const TorchName& candidate) { return candidate.member == member; });
  const TorchName found = row == rows.end() ? TorchName{member, member} : *row;
  return {join_path(layer.name, member), join_path(layer.torch_name, found.name), found.layout};
}

Place place_of(std::size_t i, const Place& member) {
  const std::string number = std::to_string(i);
  return {join_path(member.name, number), join_path(member.torch_name, number), member.layout};
}

void collect(const Variable& variable, const Place& place, Which which, std::vector<Found>& found) {
  const auto is_tied = [&](const Found& other) { return other.variable.same_as(variable); };
  if (which == Which::torch || std::none_of(found.begin(), found.end(), is_tied)) {
    found.push_back({place, variable});  // tied ones are listed once, under their first name
  }
}

void collect(const Statistic& statistic, const Place& place, Which which, std::vector<Found>& found) {
  if (which != Which::trainable) {
    collect(static_cast<const Variable&>(statistic), place, which, found);
  }
}

std::vector<NamedVariable> with_names(const std::vector<Found>& found) {
  std::vector<NamedVariable> result;
  for (const auto& [place, variable] : found) {
    result.push_back({place.name, variable});
  }
  return result;
}

void separate(Variable& variable, CopiedVariables& copied) {
  variable = copied.try_emplace(variable.id(), variable.clone()).first->second;
}

std::int64_t count_elements(const std::vector<NamedVariable>& variables) {
  std::int64_t count = 0;
  for (const NamedVariable& named : variables) {
    count += named.variable.size();
  }
  return count;
}

Variables without_names(const std::vector<NamedVariable>& variables) {
  Variables result;
  for (const NamedVariable& named : variables) {
    result.push_back(named.variable);
  }
  return result;
}

std::vector<NamedVariable> with_names(const Variables& variables) {
  std::vector<NamedVariable> result;
  for (const Variable& variable : variables) {
    result.push_back({variable.name(), variable});
  }
  return result;
}

State state_of(const std::vector<NamedVariable>& variables) {
  State state;
  for (const NamedVariable& named : variables) {
    state.emplace(named.name, named.variable.read().array());
  }
  return state;
}

namespace {

// Whether elements of \p given are elements of \p wanted: bfloat16 is float32 and float64, too, without loss.
bool holds_all_of(DType wanted, DType given) {
  return given == wanted || (is_real(given) && promoted(given, wanted) == wanted);
}

}  // namespace

std::vector<Assignment> updates_from(const std::vector<NamedVariable>& variables, const State& state) {
  std::vector<Assignment> updates;
  for (const auto& [name, variable] : variables) {
    const auto entry = state.find(name);
    if (entry == state.end()) {
      raise<ValueError>("load_state", phrase("the state lacks '{}' of the model", name));
    }
    const Spec expected{variable.shape(), variable.dtype()};
    const Spec given{entry->second.shape(), entry->second.dtype()};
    const std::string message = phrase(
        "'{}' is {} in the state, {} in the model; build the model as it was when "
        "the state was taken",
        name, to_string(given), to_string(expected));
    if (given.shape != expected.shape) {
      raise<ShapeError>("load_state", message);
    }
    if (!holds_all_of(expected.dtype, given.dtype)) {
      raise<DTypeError>("load_state", message);
    }
    updates.emplace_back(variable, cast(Tensor(entry->second), expected.dtype).array());
  }
  for (const auto& [name, array] : state) {
    if (std::none_of(variables.begin(), variables.end(), [&](const NamedVariable& v) { return v.name == name; })) {
      raise<ValueError>("load_state", phrase("the state has '{}', which the model has not", datasets::shown(name)));
    }
  }
  return updates;
}

void load_state(const std::vector<NamedVariable>& variables, const State& state, const std::source_location& where) {
  located(where, [&] { assign(updates_from(variables, state)); });
}

namespace {

// A<B> for A<x::y::B>.
std::string without_namespaces(std::string name) {
  constexpr std::string_view unnamed = "(anonymous namespace)::";
  for (std::size_t at = name.find(unnamed); at != std::string::npos; at = name.find(unnamed)) {
    name.erase(at, unnamed.size());
  }
  for (std::size_t at = name.find("::"); at != std::string::npos; at = name.find("::")) {
    const std::size_t start = name.find_last_of("<, ", at) + 1;  // 0 where there is none
    name.erase(start, at + 2 - start);
  }
  return name;
}

}  // namespace

std::string short_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  const std::string name = status == 0 ? demangled.get() : type.name();
  const std::size_t template_arguments = std::min(name.find('<'), name.size());
  const std::size_t colons = name.rfind("::", template_arguments);
  return without_namespaces(colons == std::string::npos ? name : name.substr(colons + 2));
}

}  // namespace detail

namespace {

void notify(const std::vector<std::weak_ptr<const Observer>>& observers, const Tensor& tensor) {
  const auto present = observers;  // an observer may add or remove hooks
  for (const auto& observer : present) {
    if (const std::shared_ptr<const Observer> alive = observer.lock()) {
      (*alive)(tensor);
    }
  }
}

}  // namespace

namespace {

void write(std::ostream& out, const Module& module, const std::string& path, const std::string& margin) {
  out << margin << path << (path.empty() ? "" : " ") << module.type_name();
  if (const auto* layers = module.as<Sequential>()) {
    for (std::size_t i = 0; i < layers->size(); ++i) {
      out << '\n';
      write(out, (*layers)[i], std::to_string(i), margin + "  ");
    }
    return;
  }
  const char* separator = ": ";
  for (const auto& [name, variable] : module.named_variables()) {
    out << separator << name << ' ' << to_string(variable.shape());
    separator = ", ";
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Module& module) {
  write(out, module, "", "");
  return out;
}

Hook Module::observe(Observers& observers, Observer observer) {
  std::erase_if(observers, [](const auto& other) { return other.expired(); });
  const auto shared = std::make_shared<const Observer>(std::move(observer));
  observers.push_back(shared);
  return Hook(shared);
}

Tensor Module::observed_call(const Operand& x, const Mode& mode) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  notify(layer_->input_observers, input);
  const Tensor output = layer_->call(Operand(input, x.where()), mode);
  notify(layer_->output_observers, output);
  return output;
}

void Sequential::append(Module layer) {
  detail::Drawing drawing{random::Key(0).fold(layers_.size()), true};
  draw_initial(layer, drawing);
  layers_.push_back(std::move(layer));
}

const Module& Sequential::operator[](std::size_t i) const {
  if (i >= layers_.size()) {
    const std::string next =
        layers_.empty() ? std::string("append one first") : phrase("give a number from 0 to {}", layers_.size() - 1);
    raise<ValueError>("sequential",
                      phrase("there is no layer {}; the model has {}, counted from 0: {}", i, layers_.size(), next));
  }
  return layers_[i];
}

Tensor Sequential::operator()(const Operand& x, const Mode& mode) const {
  const SourceScope scope(x);
  Tensor h = x.tensor();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const NameScope name(std::to_string(i), layers_[i].type_name());
    try {
      h = layers_[i](h, mode.fold(i));
    } catch (Error& error) {
      error.add_note(phrase("in layer {} ({})", i, layers_[i].type_name()));
      throw;
    }
  }
  return h;
}

Tensor Residual::operator()(const Operand& x, const Mode& mode) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  const Tensor change = layer_(input, mode);
  if (change.shape() != input.shape()) {
    located(x.where(), [&] {
      raise<ShapeError>("residual", phrase("the layer inside, {}, makes {} of {}; it must keep the shape",
                                           layer_.type_name(), to_string(change.shape()), to_string(input.shape())));
    });
  }
  return input + change;
}

}  // namespace xgrad::nn
