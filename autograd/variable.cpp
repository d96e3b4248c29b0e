#include "autograd/variable.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "autograd/operation.hpp"

namespace xgrad {

struct Variable::Cell {
  std::string name;
  Tensor content;
};

Spec VariableRead::infer(Inputs) const { return {shape, dtype}; }

namespace {

Tensor read_leaf(const std::string& name, const std::shared_ptr<void>& cell, const Array& value,
                 const std::source_location& where) {
  return leaf(VariableRead{name, value.shape(), value.dtype(), cell}, value, where);
}

}  // namespace

Variable::Variable(const Tensor& initial, std::string name) : cell_(std::make_shared<Cell>()) {
  cell_->name = std::move(name);
  cell_->content = read_leaf(cell_->name, cell_, initial.array(), initial.node().location());
}

const std::string& Variable::name() const { return cell_->name; }
const Shape& Variable::shape() const { return cell_->content.shape(); }
DType Variable::dtype() const { return cell_->content.dtype(); }
Tensor Variable::read() const { return cell_->content; }

void Variable::rename(std::string name) {
  cell_->name = std::move(name);
  const Tensor& old = cell_->content;
  cell_->content = read_leaf(cell_->name, cell_, old.array(), old.node().location());
}

void Variable::assign(const Operand& value) const {
  const SourceScope scope(value);
  located(value.where(), [&] { xgrad::assign({{*this, value.tensor(dtype(), "assign")}}); });
}

Variable Variable::clone() const { return Variable(read(), name()); }

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
                      fmt::format("variable '{}' is given two new values at once; give it one", update->first.name()));
  }
}

}  // namespace

void assign(std::span<const Assignment> updates) {
  require_different(updates);
  Tensors values;
  for (const auto& [variable, value] : updates) {
    if (value.shape() != variable.shape()) {
      raise<ShapeError>("assign",
                        fmt::format("variable '{}' has shape {}, the new value {}; an assignment keeps the shape",
                                    variable.name(), to_string(variable.shape()), to_string(value.shape())));
    }
    if (value.dtype() != variable.dtype()) {
      raise<DTypeError>("assign", fmt::format("variable '{}' is {}, the new value {}; cast it first", variable.name(),
                                              to_string(variable.dtype()), to_string(value.dtype())));
    }
    values.push_back(value);
  }
  evaluate(values);
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const Variable& variable = updates[i].first;
    variable.cell_->content =
        read_leaf(variable.name(), variable.cell_, values[i].array(), values[i].node().location());
  }
}

}  // namespace xgrad
