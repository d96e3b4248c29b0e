#include "autograd/graph/variable.hpp"

#include <algorithm>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/runtime/floating_mode.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

Spec VariableRead::infer(Inputs) const { return {shape, dtype}; }
void VariableRead::eval(ConstViews, Views) const { detail::raise_traced_value(); }

namespace detail {

namespace {

thread_local Recorder* recorder_of_thread = nullptr;

}  // namespace

Recorder* current_recorder() { return recorder_of_thread; }

RecorderScope::RecorderScope(Recorder& recorder) : before_(std::exchange(recorder_of_thread, &recorder)) {}
RecorderScope::~RecorderScope() { recorder_of_thread = before_; }

void raise_traced_value() {
  raise<ValueError>("value",
                    "the tensor is part of a compiled step and has no value while it is traced; return it from the "
                    "function and read the result outside (and to cut gradients, use stop_gradient, not detach)");
}

VariableRead CellAccess::operation(const Variable& variable) {
  return {variable.name(), variable.shape(), variable.dtype(), variable.cell_};
}

Tensor CellAccess::new_content(const Variable& variable, const Array& value, const std::source_location& where) {
  return xgrad::leaf(operation(variable), value, where);
}

void CellAccess::put(const Variable& variable, Tensor content) noexcept {
  variable.cell_->content = std::move(content);
  variable.cell_->assigned = true;
}

bool CellAccess::is_exclusive(const Variable& variable, long handles, long arrays) {
  const Node& node = leaf(variable).node();
  const Array value = node.value(0);  // one handle to the buffer, the node has the other
  return node.use_count() == 1 + handles && value.buffer()->use_count() == 2 + arrays && !value.buffer()->is_adopted();
}

Tensor CellAccess::valueless_leaf(const Variable& variable, const std::source_location& where, const Scope* scope) {
  return Tensor(make_node(make_operation(operation(variable)), Inputs(), where, scope));
}

Tensor CellAccess::assigned(const Variable& variable, const Tensor& value) {
  return apply_op(AssignedRead{operation(variable)}, {value}, value.node().location());
}

const VariableRead* variable_of(const Node& node) {
  const auto* assigned = node.as<AssignedRead>();
  return assigned != nullptr ? &assigned->variable : node.as<VariableRead>();
}

}  // namespace detail

using detail::CellAccess;

Variable::Variable(const Tensor& initial, std::string name) : cell_(std::make_shared<Cell>()) {
  const Array value = initial.array();
  cell_->name = std::move(name);
  cell_->content =
      leaf(VariableRead{cell_->name, value.shape(), value.dtype(), cell_}, value, initial.node().location());
  if (detail::Recorder* recorder = detail::current_recorder()) {
    recorder->made(*this);
  }
}

const std::string& Variable::name() const { return cell_->name; }
const Shape& Variable::shape() const { return cell_->content.shape(); }
DType Variable::dtype() const { return cell_->content.dtype(); }

Tensor Variable::read() const {
  detail::Recorder* recorder = detail::current_recorder();
  return recorder == nullptr ? cell_->content : recorder->read(*this);
}

void Variable::rename(std::string name) {
  const Tensor old = cell_->content;
  const bool assigned = cell_->assigned;
  cell_->name.swap(name);
  try {
    CellAccess::put(*this, CellAccess::new_content(*this, old.array(), old.node().location()));
  } catch (...) {
    cell_->name.swap(name);
    throw;
  }
  cell_->assigned = assigned;
}

bool Variable::is_fresh() const { return CellAccess::handle_count(*this) == 1 && !cell_->assigned; }

void Variable::assign(const Operand& value) const {
  const SourceScope scope(value);
  located(value.where(), [&] { xgrad::assign({{*this, value.tensor(dtype(), "assign")}}); });
}

Variable Variable::clone() const {
  Variable copy(read(), name());
  copy.cell_->assigned = true;  // to what somebody wanted to have
  return copy;
}

namespace {

void require_different(std::span<const Assignment> updates) {
  std::vector<const void*> cells;
  for (const Assignment& update : updates) {
    cells.push_back(update.first.id());
  }
  std::sort(cells.begin(), cells.end());
  if (const auto twice = std::adjacent_find(cells.begin(), cells.end()); twice != cells.end()) {
    const auto update =
        std::find_if(updates.begin(), updates.end(), [&](const Assignment& u) { return u.first.id() == *twice; });
    raise<ValueError>("assign",
                      phrase("variable '{}' is given two new values at once; give it one", update->first.name()));
  }
}

void require_like(const Variable& variable, const Tensor& value) {
  if (value.shape() != variable.shape()) {
    raise<ShapeError>("assign", phrase("variable '{}' has shape {}, the new value {}; an assignment keeps the shape",
                                       variable.name(), to_string(variable.shape()), to_string(value.shape())));
  }
  if (value.dtype() != variable.dtype()) {
    raise<DTypeError>("assign", phrase("variable '{}' is {}, the new value {}; cast it first", variable.name(),
                                       to_string(variable.dtype()), to_string(value.dtype())));
  }
}

/// Whether a function is traced, which has taken down the updates.
bool are_recorded(std::span<const Assignment> updates) {
  detail::Recorder* recorder = detail::current_recorder();
  if (recorder == nullptr) {
    return false;
  }
  for (const auto& [variable, value] : updates) {
    recorder->assign(variable, value);
  }
  return true;
}

void require_assignable(std::span<const Assignment> updates) {
  require_different(updates);
  for (const auto& [variable, value] : updates) {
    require_like(variable, value);
  }
}

}  // namespace

void assign(std::span<const Assignment> updates) {
  detail::assign_given_up(std::vector<Assignment>(updates.begin(), updates.end()));
}

void detail::assign_given_up(std::vector<Assignment>&& given) {
  std::vector<Assignment> updates = std::move(given);
  require_assignable(updates);
  if (are_recorded(updates)) {
    return;
  }
  // Whatever takes memory comes before the run, which may write over what variables hold.
  std::vector<Variable> variables;
  Tensors values;
  Tensors contents;
  for (auto& [variable, value] : updates) {
    variables.push_back(variable);
    contents.push_back(CellAccess::valueless_leaf(variable, value.node().location(), nullptr));
    values.push_back(std::move(value));
  }
  {
    const runtime::FloatingModeScope scope(runtime::flushing_subnormals());
    detail::evaluate_contents(values, variables);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    contents[i].node().keep_value(0, values[i].array());
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    CellAccess::put(variables[i], std::move(contents[i]));
  }
}

}  // namespace xgrad
