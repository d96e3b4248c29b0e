#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "nn/layer.hpp"

/// \file
/// Module, any layer behind one type; and the layers that are made of other layers.

namespace xgrad::nn {

namespace detail {

/// What \p layer gives for \p x, in the given mode if it makes a difference to the layer.
template <LayerLike L>
Tensor call(const L& layer, const Operand& x, const Mode& mode) {
  if constexpr (requires { layer(x, mode); }) {
    return layer(x, mode);
  } else if constexpr (requires { layer(x.tensor(), mode); }) {
    return layer(x.tensor(), mode);
  } else if constexpr (requires { layer(x); }) {
    return layer(x);
  } else {
    return layer(x.tensor());
  }
}

/// The name of a type without its namespaces.
std::string short_name(const std::type_info& type);

}  // namespace detail

/// Is shown a tensor that goes into or comes out of a module.
using Observer = std::function<void(const Tensor&)>;

/// Keeps an observer of a module: it is called for as long as the hook lives, or until remove().
class Hook {
 public:
  Hook() = default;  ///< of nothing
  /// For Module, which calls \p observer.
  explicit Hook(std::shared_ptr<const Observer> observer) : observer_(std::move(observer)) {}

  void remove() { observer_.reset(); }  ///< ends the observation

 private:
  std::shared_ptr<const Observer> observer_;
};

/// Any layer, as a handle: copies share the layer.
class Module : public Layer<Module> {
 public:
  /// Holds any layer, so that layers convert to it.
  template <class L>
    requires(!std::same_as<L, Module> && LayerLike<L>)
  Module(L layer);

  /// What the layer gives for \p x: in inference, unless \p mode is Training.
  Tensor operator()(const Operand& x, const Mode& mode = {}) const {
    return layer_->observed() ? observed_call(x, mode) : layer_->call(x, mode);
  }

  /// Calls \p observer with every input of the layer from now on. A clone has no observers.
  [[nodiscard]] Hook on_input(Observer observer) const { return observe(layer_->input_observers, std::move(observer)); }
  /// Calls \p observer with every output of the layer from now on: the very tensor of the graph, of which gradients can
  /// be taken. Its elements are known when they are asked for, which a traced call cannot do.
  [[nodiscard]] Hook on_output(Observer observer) const {
    return observe(layer_->output_observers, std::move(observer));
  }

  void freeze() const { layer_->freeze(true); }     ///< Layer::freeze, for all handles to the layer
  void unfreeze() const { layer_->freeze(false); }  ///< Layer::unfreeze, for all handles to the layer
  bool frozen() const { return layer_->frozen(); }  ///< Layer::frozen of the layer

  /// The layer, when it is an \p L; else null.
  template <class L>
  L* as() const {
    auto* held = dynamic_cast<Held<L>*>(layer_.get());
    return held == nullptr ? nullptr : &held->layer;
  }

  const std::string& type_name() const { return layer_->type_name(); }  ///< of the layer, such as `Dense`

 private:
  using Observers = std::vector<std::weak_ptr<const Observer>>;

  struct Concept {
    virtual ~Concept() = default;
    virtual Tensor call(const Operand& x, const Mode& mode) const = 0;
    virtual std::shared_ptr<Concept> copy() const = 0;
    virtual const std::string& type_name() const = 0;
    virtual void freeze(bool frozen) = 0;
    virtual bool frozen() const = 0;
    virtual void collect(const detail::Place& place, detail::Which which, std::vector<detail::Found>& found) const = 0;
    virtual void separate(detail::CopiedVariables& copied) = 0;
    virtual void draw_initial(detail::Drawing& drawing) = 0;

    bool observed() const { return !input_observers.empty() || !output_observers.empty(); }
    Observers input_observers, output_observers;
  };

  template <class L>
  struct Held final : Concept {
    static constexpr bool can_freeze = std::derived_from<L, Layer<L>>;
    explicit Held(L l) : layer(std::move(l)) {}
    Tensor call(const Operand& x, const Mode& mode) const override { return detail::call(layer, x, mode); }
    std::shared_ptr<Concept> copy() const override { return std::make_shared<Held>(layer); }
    const std::string& type_name() const override {
      static const std::string name = detail::short_name(typeid(L));
      return name;
    }
    void freeze([[maybe_unused]] bool frozen) override {
      if constexpr (can_freeze) {
        frozen ? layer.freeze() : layer.unfreeze();
      }
    }
    bool frozen() const override {
      if constexpr (can_freeze) {
        return layer.frozen();
      }
      return false;
    }
    void collect(const detail::Place& place, detail::Which which, std::vector<detail::Found>& found) const override {
      detail::collect(layer, place, which, found);
    }
    void separate(detail::CopiedVariables& copied) override { detail::separate(layer, copied); }
    void draw_initial(detail::Drawing& drawing) override { detail::draw_initial(layer, drawing); }
    L layer;
  };

  friend void collect(const Module& module, const detail::Place& place, detail::Which which,
                      std::vector<detail::Found>& found) {
    module.layer_->collect(place, which, found);
  }
  friend void separate(Module& module, detail::CopiedVariables& copied) {
    module.layer_ = module.layer_->copy();
    module.layer_->separate(copied);
  }
  friend void draw_initial(Module& module, detail::Drawing& drawing) {
    if (!drawing.by_place || module.layer_.use_count() == 1) {  // another handle would see its layer change
      module.layer_->draw_initial(drawing);
    }
  }

  static Hook observe(Observers& observers, Observer observer);
  Tensor observed_call(const Operand& x, const Mode& mode) const;

  std::shared_ptr<Concept> layer_;
};

// Not inline, so that own_layers.hpp can say of which layers it is compiled in the library.
template <class L>
  requires(!std::same_as<L, Module> && LayerLike<L>)
Module::Module(L layer) : layer_(std::make_shared<Held<L>>(std::move(layer))) {}

/// Writes what a model consists of: its type and variables, layer by layer where it is a Sequential. summary() tells more,
/// of an input.
std::ostream& operator<<(std::ostream& out, const Module& module);

namespace detail {

/// That \p L is a layer; else the error says what one is.
template <class L>
constexpr void require_layer() {
  static_assert(
      std::same_as<L, Module> || LayerLike<L>,
      "a layer has `Tensor operator()(const Operand& x) const`, as nn::Dense and nn::ReLU() have it; give an object "
      "of a layer, not its class or the op of that name");
}

}  // namespace detail

/// Layers one after the other: `Sequential(Dense(784, 128), ReLU(), Dense(128, 10))`. Errors of a layer say which it
/// is: `in layer 2 (Dense)`.
///
/// Dense and Embedding layers that are made for it, and given no key of their own, draw their weights by their position in
/// it, so that no two begin alike; the same model always begins in the same way. What somebody else holds a handle to, or
/// has assigned to, stays as it is.
class Sequential : public Layer<Sequential> {
 public:
  Sequential() = default;
  /// The given layers, the first of which takes the input.
  template <class... Layers>
    requires(!(sizeof...(Layers) == 1 && (std::same_as<Layers, Sequential> || ...)))
  explicit Sequential(Layers... layers) {
    (detail::require_layer<Layers>(), ...);
    if constexpr ((LayerLike<Layers> && ...)) {
      layers_.reserve(sizeof...(Layers));
      (append(std::move(layers)), ...);
    }
  }

  /// Adds a layer at the end.
  void append(Module layer);

  std::size_t size() const { return layers_.size(); }  ///< number of layers
  /// Layer number \p i. \throws ValueError when there is none.
  const Module& operator[](std::size_t i) const;

  /// The last layer of ... of the first layer of \p x, each in its own part of \p mode. No layers: \p x itself.
  Tensor operator()(const Operand& x, const Mode& mode = {}) const;

 private:
  std::vector<Module> layers_;

 public:
  /// Without a name: the parameters' paths begin with the position of the layer, as in `0.weight`.
  static constexpr auto members = fields("", &Sequential::layers_);
};

/// x + f(x), for a layer f that keeps the shape (He et al., Deep residual learning, 2016).
class Residual : public Layer<Residual> {
 public:
  explicit Residual(Module layer) : layer_(std::move(layer)) {}  ///< around \p layer

  /// x + f(x). \throws ShapeError when f(x) is not of the shape of \p x.
  Tensor operator()(const Operand& x, const Mode& mode = {}) const;

  const Module& layer() const { return layer_; }  ///< f

 private:
  Module layer_;

 public:
  /// Without a name: the parameters' paths are those of f.
  static constexpr auto members = fields("", &Residual::layer_);
};

}  // namespace xgrad::nn
