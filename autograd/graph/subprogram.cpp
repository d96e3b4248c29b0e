#include "autograd/graph/subprogram.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "autograd/graph/captured.hpp"
#include "autograd/graph/effects.hpp"
#include "autograd/graph/lists.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/runtime/fork.hpp"

namespace xgrad {

namespace {

std::vector<Description::Value> values_of(const Description& description, const Tensors& tensors) {
  std::vector<Description::Value> values;
  for (const Tensor& tensor : tensors) {
    values.push_back(description.value_of(tensor));
  }
  return values;
}

bool all_total(const Description& description) {
  return std::all_of(description.nodes().begin(), description.nodes().end(), [](const Node* node) {
    return node->operation().is_total(node->inputs()) && node->operation().effect().empty();
  });
}

}  // namespace

SubProgram::SubProgram(Tensors inputs, Tensors outputs, Tensors effects)
    : inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      effects_(std::move(effects)),
      description_(detail::joined(effects_, outputs_), inputs_),
      output_values_(values_of(description_, outputs_)),
      structure_(description_, output_values_, Structure::Known::as_constants),
      total_(all_total(description_)) {
  for (const Node* node : description_.nodes()) {
    const std::string_view kind = node->operation().effect();
    if (!kind.empty() && std::find(effect_kinds_.begin(), effect_kinds_.end(), kind) == effect_kinds_.end()) {
      effect_kinds_.push_back(kind);
    }
  }
}

void drop_reference(const SubProgram* program) {
  if (program->release()) {
    delete program;
  }
}

Tensors SubProgram::apply(const Tensors& inputs) const { return substitute(outputs_, inputs_, inputs); }

Tensors SubProgram::call(const Tensors& inputs) const {
  Tensors results = detail::substitute_with_effects(detail::joined(effects_, outputs_), inputs_, inputs);
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    detail::happen(results[i].node_ref());
  }
  return Tensors(results.begin() + static_cast<std::ptrdiff_t>(effects_.size()), results.end());
}

std::shared_ptr<const void> SubProgram::attachment(const std::function<std::shared_ptr<const void>()>& make) const {
  {
    const std::lock_guard lock(runtime::lock_of(this));
    if (attachment_) {
      return attachment_;
    }
  }
  // Under no lock: a child of a fork would wait for ever for a thread that it does not have. Of two threads, the first one's is kept.
  std::shared_ptr<const void> made = make();
  const std::lock_guard lock(runtime::lock_of(this));
  if (!attachment_) {
    attachment_ = std::move(made);
  }
  return attachment_;
}

std::optional<Closure> close(const Tensors& outputs, const Tensors& arguments, std::uint64_t begin) {
  const detail::Captured found = detail::find_captured(outputs, arguments, begin, detail::Invariants::inside);
  if (!found.found_nodes) {
    return std::nullopt;
  }
  const Tensors& captured = found.tensors;
  Tensors originals = detail::joined(arguments, captured);
  Tensors inputs;
  for (const Tensor& original : originals) {
    inputs.push_back(detail::placeholder_like(original));
  }
  const detail::EffectsWait wait;  // those that are repeated happen when the program runs
  const Ref<const SubProgram> program(new SubProgram(inputs, substitute(outputs, originals, inputs)));
  return Closure{program, captured};
}

}  // namespace xgrad
