#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Rearrangements composed of slices, joins and broadcasts.

namespace xgrad {

namespace {

std::string to_text(const std::vector<std::int64_t>& positions) {
  std::string text;
  for (const std::int64_t position : positions) {
    text += (text.empty() ? "(" : ", ") + std::to_string(position);
  }
  return (text.empty() ? "(" : text) + ")";
}

}  // namespace

Tensors split_at(const Operand& x, const std::vector<std::int64_t>& positions, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const std::size_t along = normalize_axis("split_at", axis, input.ndim());
    if (!std::is_sorted(positions.begin(), positions.end()) || (!positions.empty() && positions[0] < 0)) {
      raise<ValueError>("split_at", phrase("positions {} must be 0 or more and ascend", to_text(positions)));
    }
    Tensors parts;
    std::int64_t begin = 0;
    for (std::int64_t end : positions) {
      parts.push_back(on_axis(input, along, range(begin, end)));
      begin = end;
    }
    parts.push_back(on_axis(input, along, range(begin)));
    return parts;
  });
}

Tensors split(const Operand& x, std::int64_t parts, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const std::size_t along = normalize_axis("split", axis, input.ndim());
    const std::int64_t size = input.shape()[along];
    if (parts < 1 || size % parts != 0) {
      raise<ValueError>("split", phrase("axis {} of size {} cannot be cut into {} equal parts; cut it with split_at",
                                        axis, size, parts));
    }
    Tensors result;
    for (std::int64_t i = 0; i < parts; ++i) {
      result.push_back(on_axis(input, along, range(i * (size / parts), (i + 1) * (size / parts))));
    }
    return result;
  });
}

Tensor flip(const Operand& x, const Axes& axes) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    std::vector<Slice> slices(input.ndim(), all());
    for (std::int64_t axis : normalize_axes("flip", axes, input.ndim())) {
      slices[static_cast<std::size_t>(axis)] = range(Slice::open, Slice::open, -1);
    }
    return slice(input, slices);
  });
}

Tensor roll(const Operand& x, std::int64_t shift, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const std::size_t along = normalize_axis("roll", axis, input.ndim());
    const std::int64_t size = input.shape()[along];
    const std::int64_t forward = size == 0 ? 0 : (shift % size + size) % size;
    if (forward == 0) {
      return input;
    }
    return concatenate({on_axis(input, along, range(size - forward)), on_axis(input, along, range(0, size - forward))},
                       static_cast<std::int64_t>(along));
  });
}

Tensor repeat(const Operand& x, std::int64_t repeats, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    if (repeats < 0) {
      raise<ValueError>("repeat", phrase("the number of repeats is 0 or more, got {}", repeats));
    }
    const std::size_t along = normalize_axis("repeat", axis, input.ndim());
    const Tensor column = expand_dims(input, static_cast<std::int64_t>(along) + 1);
    Shape wide = column.shape();
    wide[along + 1] = repeats;
    const Tensor widened = broadcast_to(column, wide);  // refuses what is too large
    Shape joined = input.shape();
    joined[along] *= repeats;
    return reshape(widened, joined);
  });
}

Tensor tile(const Operand& x, const Ints& reps) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    Tensor result = x.tensor();
    while (result.ndim() < reps.ndim()) {
      result = expand_dims(result, 0);
    }
    // The last repetitions belong to the last axes.
    const std::size_t first = result.ndim() - reps.ndim();
    for (std::size_t i = 0; i < reps.ndim(); ++i) {
      if (reps[i] < 0) {
        raise<ValueError>("tile", phrase("repetitions are 0 or more, got {}", to_string(reps)));
      }
      const std::size_t axis = first + i;
      const Tensor block = expand_dims(result, static_cast<std::int64_t>(axis));
      Shape wide = block.shape();
      wide[axis] = reps[i];
      const Tensor widened = broadcast_to(block, wide);  // refuses what is too large
      Shape joined = result.shape();
      joined[axis] *= reps[i];
      result = reshape(widened, joined);
    }
    return result;
  });
}

}  // namespace xgrad
