#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"
#include "onnx/import/positions.hpp"

/// \file
/// Operators that put elements in places that indices name.

namespace xgrad::onnx::loading {

namespace {

/// Rows of a tensor, (rows, ..), the rows that come to them, (n, ..), and where, (n,).
struct Scattering {
  Tensor rows, updates, positions;
};

/// 1 where an update comes to a row, (rows, 1, ..).
Tensor reached(const Scattering& s) {
  Shape shape{s.rows.shape()[0]};
  const Tensor counts = scatter_add(zeros(shape, DType::int32), s.positions,
                                    broadcast_to(Tensor(std::int32_t{1}), s.positions.shape()), 0);
  while (shape.ndim() < s.rows.ndim()) {
    shape.push_back(1);
  }
  return reshape(counts > 0, shape);
}

/// Each row that is named once, replaced.
Tensor replaced(const Scattering& s) {
  const auto sums = [&](const Tensor& updates) {
    return scatter_add(zeros(s.rows.shape(), updates.dtype()), s.positions, updates, 0);
  };
  return where(reached(s), with_arithmetic(sums, s.updates), s.rows);
}

Tensor added(const Scattering& s) {
  const auto sums = [&](const Tensor& rows, const Tensor& updates) {
    return scatter_add(rows, s.positions, updates, 0);
  };
  return with_arithmetic(sums, s.rows, s.updates);
}

/// The updates in rounds, in each of which no row is named twice.
std::vector<std::vector<std::int64_t>> rounds_of(const Array& positions) {
  std::vector<std::vector<std::int64_t>> rounds;
  std::unordered_map<std::int64_t, std::size_t> times;
  for (std::int64_t i = 0; i < positions.size(); ++i) {
    const std::size_t round = times[positions.data<std::int64_t>()[i]]++;
    if (round == rounds.size()) {
      rounds.emplace_back();
    }
    rounds[round].push_back(i);
  }
  return rounds;
}

using Join = Tensor (*)(const Operand&, const Operand&);

/// join(row, update) for each update that comes to a row, one after the other.
template <Join join>
Tensor joined(const Scattering& s) {
  Tensor rows = s.rows;
  for (const std::vector<std::int64_t>& round : rounds_of(s.positions.array())) {
    const Tensor now{round};
    const Tensor positions = take(s.positions, now, 0);
    const auto joins = [](const Tensor& row, const Tensor& update) { return join(row, update); };
    const Tensor next = with_arithmetic(joins, take(rows, positions, 0), take(s.updates, now, 0));
    rows = replaced({rows, next, positions});
  }
  return rows;
}

/// One way to join updates with what is there.
struct ScatterReduction {
  std::string_view name;
  Tensor (*scatter)(const Scattering&);
};

constexpr std::array reductions = {
    ScatterReduction{"none", replaced},
    ScatterReduction{"add", added},
    ScatterReduction{"mul", joined<xgrad::multiply>},
    ScatterReduction{"max", joined<xgrad::maximum>},
    ScatterReduction{"min", joined<xgrad::minimum>},
};

Tensor scatter(const Call& call, const Scattering& s) {
  const std::string name = call.text("reduction", "none");
  const auto* found = std::find_if(reductions.begin(), reductions.end(),
                                   [&](const ScatterReduction& reduction) { return reduction.name == name; });
  if (found == reductions.end()) {
    call.refuse(phrase("the reduction is none, add, mul, max or min, not '{}'", name));
  }
  if (s.updates.dtype() != s.rows.dtype()) {
    call.refuse("the updates are of another type than the tensor");
  }
  return s.updates.size() == 0 ? s.rows : found->scatter(s);
}

Tensors scatter_elements(const Call& call) {
  const Tensor& x = call[0];
  const Tensor& indices = call[1];
  if (call[2].shape() != indices.shape()) {
    call.refuse(
        phrase("updates of shape {} for indices of shape {}", to_string(call[2].shape()), to_string(indices.shape())));
  }
  const std::int64_t axis = checked_axis(call, call.integer("axis", 0), x.ndim());
  const Tensor positions = element_positions(call, x.shape(), indices, axis);
  const Scattering s{reshape(x, {x.size()}), reshape(call[2], {indices.size()}), reshape(positions, {indices.size()})};
  return {reshape(scatter(call, s), x.shape())};
}

Tensors scatter_nd(const Call& call) {
  const Tensor& x = call[0];
  const NamedPositions named = positions_of(call, x.shape(), call[1], 0);
  if (call[2].shape() != named.picked) {
    call.refuse(
        phrase("updates of shape {}, where the indices name {}", to_string(call[2].shape()), to_string(named.picked)));
  }
  Shape updates = named.rows;
  updates[0] = named.positions.size();
  const Scattering s{reshape(x, named.rows), reshape(call[2], updates), reshape(named.positions, {updates[0]})};
  return {reshape(scatter(call, s), x.shape())};
}

constexpr std::array table = {
    Operator{"Scatter", {3, 3}, scatter_elements, 9, 10},
    Operator{"ScatterElements", {3, 3}, scatter_elements, 11},
    Operator{"ScatterND", {3, 3}, scatter_nd, 11},
};

}  // namespace

std::span<const Operator> scattering_operators() { return table; }

}  // namespace xgrad::onnx::loading
