#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/ops/random.hpp"
#include "nn/listed_members.hpp"
#include "nn/mode.hpp"
#include "nn/torch_names.hpp"

/// \file
/// What a layer is: a plain struct with variables, other layers, and a call operator.

namespace xgrad::nn {

/// A list of variables, such as the parameters that an optimiser trains.
using Variables = std::vector<Variable>;

/// A variable and its path in a model, as torch.nn names it: `0.weight`.
struct NamedVariable {
  std::string name;   ///< field names and positions, joined by dots
  Variable variable;  ///< the layer's own: assigning to it changes the model
};

/// A variable of a layer that no optimiser trains, such as a running mean: part of variables(), not of parameters().
class Statistic : public Variable {
 public:
  using Variable::Variable;  ///< as a Variable
};

/// The elements of a model's variables by their paths: what is saved.
using State = std::map<std::string, Array>;

/// A layer computes a tensor from a tensor. What it consists of stands in its table `members`, if it has any.
/// Layers can be copied. (That is not asked here: asking it of a layer that is made from any layer would be circular.)
template <class L>
concept LayerLike = requires(const L& layer, const Tensor& x) {
  { layer(x) } -> std::convertible_to<Tensor>;
};

template <class Self>
class Layer;

namespace detail {

/// `path.name`, or the one of them that is not empty.
std::string join_path(const std::string& path, std::string_view name);

/// Which variables are collected: `torch` is all of them, tied ones under each of their names.
enum class Which { trainable, all, torch };

/// Where something is in a model.
struct Place {
  std::string name;                        // its path: field names and positions, joined by dots
  std::string torch_name;                  // its path in PyTorch's `state_dict`
  TorchLayout layout = TorchLayout::same;  // of its elements there
};

/// The place of a member, given that of its layer and the layer's rows for PyTorch. A member without a name stands for its
/// layer: the layers of a Sequential are `0`, `1`, ...
Place place_of(std::string_view member, const Place& layer, std::span<const TorchName> rows);
/// The place of the i-th of several things that are one member.
Place place_of(std::size_t i, const Place& member);

/// What a collection finds.
struct Found {
  Place place;
  Variable variable;
};

/// Which variables a copy has in place of the original's: variables that were one stay one.
using CopiedVariables = std::map<const void*, Variable>;

/// How initial values are drawn; layers take keys in their order.
struct Drawing {
  random::Key key;
  bool by_place = false;  ///< not anew: layers whose values nobody has seen yet are told their place in a model
  std::uint64_t layer_number = 0;

  random::Key next_key() { return key.fold(layer_number++); }
};

// Members contain each other in any way, so each of the functions below must know of all others.
template <class T>
void collect(const std::optional<T>& member, const Place& place, Which which, std::vector<Found>& found);
template <class T>
void collect(const std::vector<T>& members, const Place& place, Which which, std::vector<Found>& found);
template <LayerLike L>
void collect(const L& layer, const Place& place, Which which, std::vector<Found>& found);
template <class T>
void separate(std::optional<T>& member, CopiedVariables& copied);
template <class T>
void separate(std::vector<T>& members, CopiedVariables& copied);
template <LayerLike L>
void separate(L& layer, CopiedVariables& copied);
template <class T>
void draw_initial(std::optional<T>& member, Drawing& drawing);
template <class T>
void draw_initial(std::vector<T>& members, Drawing& drawing);
template <LayerLike L>
void draw_initial(L& layer, Drawing& drawing);

/// Collects the variables below a member of a layer.
void collect(const Variable& variable, const Place& place, Which which, std::vector<Found>& found);
void collect(const Statistic& statistic, const Place& place, Which which, std::vector<Found>& found);

/// Whether every row of a layer for PyTorch is about a member that there is.
template <class L>
constexpr bool rows_name_members() {
  bool all = true;
  if constexpr (requires { L::torch_names; }) {
    for (const TorchName& row : L::torch_names) {
      bool named = false;
      if constexpr (requires { L::members; }) {
        std::apply([&](const auto&... field) { ((named = named || field.name == row.member), ...); }, L::members);
      }
      all = all && named;
    }
  }
  return all;
}

/// What a layer says of PyTorch.
template <class L>
std::span<const TorchName> torch_rows() {
  if constexpr (requires { L::torch_names; }) {
    return L::torch_names;
  } else {
    return {};
  }
}

/// Gives a copied member variables of its own.
void separate(Variable& variable, CopiedVariables& copied);

/// Draws the initial values below a member.
inline void draw_initial(Variable&, Drawing&) {}

template <class T>
void collect(const std::optional<T>& member, const Place& place, Which which, std::vector<Found>& found) {
  if (member) {
    collect(*member, place, which, found);
  }
}
template <class T>
void separate(std::optional<T>& member, CopiedVariables& copied) {
  if (member) {
    separate(*member, copied);
  }
}
template <class T>
void draw_initial(std::optional<T>& member, Drawing& drawing) {
  if (member) {
    draw_initial(*member, drawing);
  }
}

template <class T>
void collect(const std::vector<T>& members, const Place& place, Which which, std::vector<Found>& found) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    collect(members[i], place_of(i, place), which, found);
  }
}
template <class T>
void separate(std::vector<T>& members, CopiedVariables& copied) {
  for (T& member : members) {
    separate(member, copied);
  }
}
template <class T>
void draw_initial(std::vector<T>& members, Drawing& drawing) {
  for (T& member : members) {
    draw_initial(member, drawing);
  }
}

template <LayerLike L>
void collect(const L& layer, const Place& place, Which which, std::vector<Found>& found) {
  static_assert(
      lists_members<L>(),
      "a layer names all that holds variables in its table: write `static constexpr auto members = "
      "fields(\"first\", &Self::first, \"second\", &Self::second);` with every Variable, Statistic and layer, and "
      "every std::optional and std::vector of them; or `fields()` in a class of numbers alone");
  static_assert(rows_name_members<L>(), "a row of `torch_names` begins with a name from the table `members`");
  if constexpr (std::derived_from<L, Layer<L>>) {
    if (which == Which::trainable && layer.frozen()) {
      return;
    }
  }
  if constexpr (requires { L::members; }) {
    std::apply(
        [&](const auto&... field) {
          (collect(layer.*field.member, place_of(field.name, place, torch_rows<L>()), which, found), ...);
        },
        L::members);
  }
}
template <LayerLike L>
void separate(L& layer, CopiedVariables& copied) {
  if constexpr (requires { L::members; }) {
    std::apply([&](const auto&... field) { (separate(layer.*field.member, copied), ...); }, L::members);
  }
}
template <LayerLike L>
void draw_initial(L& layer, Drawing& drawing) {
  if constexpr (requires { layer.draw(drawing.key); }) {
    if (!drawing.by_place) {
      layer.draw(drawing.next_key());
    }
  }
  if constexpr (requires { layer.place(drawing.key); }) {
    if (drawing.by_place) {
      layer.place(drawing.next_key());
    }
  }
  if constexpr (requires { L::members; }) {
    std::apply([&](const auto&... field) { (draw_initial(layer.*field.member, drawing), ...); }, L::members);
  }
}

std::vector<NamedVariable> with_names(const std::vector<Found>& found);
std::int64_t count_elements(const std::vector<NamedVariable>& variables);
Variables without_names(const std::vector<NamedVariable>& variables);
std::vector<NamedVariable> with_names(const Variables& variables);  // those that they have themselves
State state_of(const std::vector<NamedVariable>& variables);
std::vector<Assignment> updates_from(const std::vector<NamedVariable>& variables, const State& state);
void load_state(const std::vector<NamedVariable>& variables, const State& state, const std::source_location& where);

}  // namespace detail

/// What every layer can do, from its table of members alone. A layer of your own:
///
///     struct Block : nn::Layer<Block> {
///       nn::Dense inner{64, 256}, outer{256, 64};
///       static constexpr auto members = fields("inner", &Block::inner, "outer", &Block::outer);
///       Tensor operator()(const Operand& x) const { return outer(relu(inner(x))) + x; }
///     };
///
/// Members are Variables, Statistics, layers, and std::optional or std::vector of them. One that holds variables and is not
/// in the table does not compile. (Of a class with a constructor or private members that cannot be known: there the table
/// is trusted, and it does not compile without one. What a lambda captures is not part of a model.) Copies of a layer
/// share its variables. A layer that draws its own initial values has a function `void draw(random::Key key)`.
///
/// One that does something else in training takes the Mode as well, and passes it on to those of its layers that do:
///
///       Tensor operator()(const Operand& x, const nn::Mode& mode = {}) const { return dropout(inner(x), mode); }
template <class Self>
class Layer {
 public:
  /// The trainable variables with their paths, in the order of the members; tied ones once, those of frozen layers not.
  std::vector<NamedVariable> named_parameters() const { return collected(detail::Which::trainable); }
  /// All variables with their paths: also Statistics, and those of frozen layers.
  std::vector<NamedVariable> named_variables() const { return collected(detail::Which::all); }

  /// The trainable variables: what an optimiser is given.
  Variables parameters() const { return detail::without_names(named_parameters()); }
  /// All variables: what makes up the state of the model.
  Variables variables() const { return detail::without_names(named_variables()); }

  /// Number of trainable numbers.
  std::int64_t parameter_count() const { return detail::count_elements(named_parameters()); }

  /// Takes what is in this layer out of parameters(), so that optimisers made from then on leave it as it is. Copies
  /// made later are frozen too; others that share the variables are not.
  void freeze() { frozen_ = true; }
  void unfreeze() { frozen_ = false; }     ///< takes freeze() back
  bool frozen() const { return frozen_; }  ///< whether freeze() was said of this layer itself

  /// The elements of all variables by their paths. Later assignments do not change them.
  State state() const { return detail::state_of(named_variables()); }
  /// Assigns what state() has given, all or nothing.
  /// \throws ValueError naming the paths that the state lacks, or has too many.
  /// \throws ShapeError when an array is not of the shape of its variable.
  /// \throws DTypeError when it is not of its dtype; bfloat16 becomes float32 or float64.
  void load_state(const State& state, std::source_location where = std::source_location::current()) const {
    detail::load_state(named_variables(), state, where);
  }

  /// Draws all initial values anew. The result depends on the key and the order of the layers alone.
  void initialize(random::Key key) {
    using detail::draw_initial;
    detail::Drawing drawing{key};
    draw_initial(self(), drawing);
  }

  /// A copy with variables of its own.
  Self clone() const {
    using detail::separate;
    Self copy = self();
    detail::CopiedVariables copied;
    separate(copy, copied);
    return copy;
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
  Self& self() { return static_cast<Self&>(*this); }

  std::vector<NamedVariable> collected(detail::Which which) const {
    using detail::collect;  // and a function of the layer's own, such as Module's
    std::vector<detail::Found> found;
    collect(self(), detail::Place(), which, found);
    return detail::with_names(found);
  }

  bool frozen_ = false;
};

}  // namespace xgrad::nn
