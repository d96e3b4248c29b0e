#include <string>
#include <string_view>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "nn/optimizers/lbfgs.hpp"

/// \file
/// What LBFGS remembers, as arrays with names.

namespace xgrad::nn {

namespace {

constexpr std::string_view lbfgs_op = "lbfgs";

// Takes arrays out of a state, so that what nobody asked for is left.
class Taking {
 public:
  explicit Taking(const State& state) : left_(state) {}

  Tensor take(const std::string& name, const Shape& shape, DType dtype) {
    const auto at = left_.find(name);
    if (at == left_.end()) {
      raise<ValueError>(lbfgs_op, phrase("the state lacks '{}'; give what state() gave", name));
    }
    const Array array = at->second;
    const std::string message =
        phrase("'{}' is {}{} in the state, {}{} here; make it of the same parameters", name, to_string(array.dtype()),
               to_string(array.shape()), to_string(dtype), to_string(shape));
    if (array.shape() != shape) {
      raise<ShapeError>(lbfgs_op, message);
    }
    if (array.dtype() != dtype) {
      raise<DTypeError>(lbfgs_op, message);
    }
    left_.erase(at);
    return Tensor(array);
  }
  std::int64_t count(const std::string& name) { return take(name, {}, DType::int64).item<std::int64_t>(); }
  double number(const std::string& name) { return take(name, {}, DType::float64).item(); }
  bool has(const std::string& name) const { return left_.contains(name); }

  void require_nothing_left() const {
    if (!left_.empty()) {
      raise<ValueError>(lbfgs_op, phrase("the state has {}, of which it knows nothing; give what state() gave",
                                         datasets::backticked(left_.begin()->first)));
    }
  }

 private:
  State left_;
};

}  // namespace

State LBFGS::state() const {
  State state;
  const auto put = [&](const std::string& name, const Tensor& tensor) { state.emplace(name, tensor.array()); };
  put("learning_rate", learning_rate_);
  put("evaluations", Tensor(memory_.evaluations));
  put("iterations", Tensor(memory_.iterations));
  put("step", Tensor(memory_.step));
  put("scale", Tensor(memory_.scale));
  if (memory_.direction.defined()) {
    put("direction", memory_.direction);
  }
  if (memory_.previous_gradient.defined()) {
    put("previous_gradient", memory_.previous_gradient);
  }
  put("changes", Tensor(static_cast<std::int64_t>(memory_.changes.size())));
  for (std::size_t i = 0; i < memory_.changes.size(); ++i) {
    const Change& change = memory_.changes[i];
    put(phrase("change.{}.gradient", i), change.gradient);
    put(phrase("change.{}.parameters", i), change.parameters);
    put(phrase("change.{}.curvature", i), Tensor(change.curvature));
  }
  return state;
}

void LBFGS::load_state(const State& state, std::source_location where) {
  located(where, [&] {
    const Shape flat = flat_parameters().shape();
    Taking from(state);
    const double rate = from.number("learning_rate");
    Memory memory{.evaluations = from.count("evaluations"), .iterations = from.count("iterations")};
    memory.step = from.number("step");
    memory.scale = from.number("scale");
    if (from.has("direction")) {
      memory.direction = from.take("direction", flat, DType::float64);
    }
    if (from.has("previous_gradient")) {
      memory.previous_gradient = from.take("previous_gradient", flat, DType::float64);
    }
    const std::int64_t changes = from.count("changes");
    for (std::int64_t i = 0; i < changes; ++i) {
      Change change;
      change.gradient = from.take(phrase("change.{}.gradient", i), flat, DType::float64);
      change.parameters = from.take(phrase("change.{}.parameters", i), flat, DType::float64);
      change.curvature = from.number(phrase("change.{}.curvature", i));
      memory.changes.push_back(std::move(change));
    }
    from.require_nothing_left();
    learning_rate_.assign(rate);
    memory_ = std::move(memory);
  });
}

}  // namespace xgrad::nn
