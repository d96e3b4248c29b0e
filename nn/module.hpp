#pragma once

#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "nn/layer.hpp"

/// \file
/// Module, any layer behind one type; and Sequential.

namespace xgrad::nn {

/// Any layer, as a handle: copies share the layer.
class Module : public Layer<Module> {
 public:
  /// Holds any layer, so that layers convert to it.
  // What a Module is must not be asked while asking whether it can be copied: hence the order of the constraints.
  template <class L>
    requires(!std::same_as<L, Module> && LayerLike<L>)
  Module(L layer) : layer_(std::make_shared<Held<L>>(std::move(layer))) {}

  Tensor operator()(const Operand& x) const { return layer_->call(x); }  ///< what the layer gives for \p x

  /// The layer, when it is an \p L; else null.
  template <class L>
  L* as() const {
    auto* held = dynamic_cast<Held<L>*>(layer_.get());
    return held == nullptr ? nullptr : &held->layer;
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual Tensor call(const Operand& x) const = 0;
    virtual std::shared_ptr<Concept> copy() const = 0;
    virtual void collect(const std::string& path, std::vector<NamedVariable>& found) const = 0;
    virtual void separate(detail::CopiedVariables& copied) = 0;
    virtual void initialize(random::Key key, std::uint64_t& layer_number) = 0;
  };

  template <class L>
  struct Held final : Concept {
    explicit Held(L l) : layer(std::move(l)) {}
    Tensor call(const Operand& x) const override {
      if constexpr (requires { layer(x); }) {
        return layer(x);
      } else {
        return layer(x.tensor());
      }
    }
    std::shared_ptr<Concept> copy() const override { return std::make_shared<Held>(layer); }
    void collect(const std::string& path, std::vector<NamedVariable>& found) const override {
      detail::collect(layer, path, found);
    }
    void separate(detail::CopiedVariables& copied) override { detail::separate(layer, copied); }
    void initialize(random::Key key, std::uint64_t& layer_number) override {
      detail::initialize(layer, key, layer_number);
    }
    L layer;
  };

  friend void collect(const Module& module, const std::string& path, std::vector<NamedVariable>& found) {
    module.layer_->collect(path, found);
  }
  friend void separate(Module& module, detail::CopiedVariables& copied) {
    module.layer_ = module.layer_->copy();
    module.layer_->separate(copied);
  }
  friend void initialize(Module& module, random::Key key, std::uint64_t& layer_number) {
    module.layer_->initialize(key, layer_number);
  }

  std::shared_ptr<Concept> layer_;
};

/// Layers one after the other: `Sequential(Dense(784, 128), ReLU(), Dense(128, 10))`.
class Sequential : public Layer<Sequential> {
 public:
  Sequential() = default;
  /// The given layers, the first of which takes the input.
  template <class... Layers>
    requires(!(sizeof...(Layers) == 1 && (std::same_as<Layers, Sequential> || ...)) && (LayerLike<Layers> && ...))
  explicit Sequential(Layers... layers) {
    layers_.reserve(sizeof...(Layers));
    (append(std::move(layers)), ...);
  }

  /// Adds a layer at the end.
  void append(Module layer) { layers_.push_back(std::move(layer)); }

  std::size_t size() const { return layers_.size(); }  ///< number of layers
  /// Layer number \p i. \throws std::out_of_range when there is none.
  const Module& operator[](std::size_t i) const { return layers_.at(i); }

  /// The last layer of ... of the first layer of \p x. No layers: \p x itself.
  Tensor operator()(const Operand& x) const;

 private:
  std::vector<Module> layers_;

 public:
  /// Without a name: the parameters' paths begin with the position of the layer, as in `0.weight`.
  static constexpr auto members = fields("", &Sequential::layers_);
};

}  // namespace xgrad::nn
