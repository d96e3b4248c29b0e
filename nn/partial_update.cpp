#include "nn/partial_update.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "autograd/graph/substitute.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/cast.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/ops.hpp"
#include "nn/packed.hpp"
#include "nn/rank_sums.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::size_t no_parameter = ~std::size_t{0};

// Which parameter each node depends on by its elements, by elementwise operations alone: the one of its source, or none for
// numbers that all elements share. Nothing, when there is another kind of node.
std::optional<std::vector<std::size_t>> owners_of(const TopologicalOrder& order,
                                                  const std::vector<std::pair<Tensor, std::size_t>>& sources) {
  std::vector<std::size_t> owners(order.nodes.size(), no_parameter);
  std::vector<bool> is_source(order.nodes.size());
  for (const auto& [tensor, parameter] : sources) {
    if (const std::uint32_t number = order.numbers.find(&tensor.node()); number != NodeNumbers::none) {
      owners[number] = parameter;
      is_source[number] = true;
    }
  }
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& node = *order.nodes[i];
    if (is_source[i]) {
      continue;
    }
    for (const Tensor& input : node.inputs()) {
      const std::size_t owner = owners[order.numbers.find(&input.node())];
      if (owner != no_parameter && owners[i] != no_parameter && owners[i] != owner) {
        return std::nullopt;
      }
      owners[i] = owner == no_parameter ? owners[i] : owner;
    }
    const bool is_elementwise = node.as<Map>() != nullptr || node.as<Cast>() != nullptr;
    if (owners[i] != no_parameter && !is_elementwise) {
      return std::nullopt;
    }
    for (const Tensor& input : node.inputs()) {
      const bool is_shared = owners[order.numbers.find(&input.node())] == no_parameter;
      if (owners[i] != no_parameter && is_shared && input.ndim() > 0) {
        return std::nullopt;
      }
    }
  }
  return owners;
}

Tensor part_of(const Tensor& tensor, std::int64_t first, std::int64_t count) {
  const Tensor all = reshape(tensor, {-1});
  return first == 0 && count == all.size() ? all : all[range(first, first + count)];
}

}  // namespace

std::unique_ptr<PartialUpdate> PartialUpdate::of(const Optimizer& optimizer, const Clipping& clipping,
                                                 const RankTalk& talk) {
  std::unique_ptr<PartialUpdate> update(new PartialUpdate(optimizer, clipping, talk));
  const Tensors gradients = update->make_placeholders();
  if (!update->is_elementwise(optimizer.updates(gradients, clipping), gradients)) {
    return nullptr;
  }
  const Variables& parameters = optimizer.parameters();
  for (const std::vector<std::size_t>& together : sent_together(Tensors(parameters.begin(), parameters.end()))) {
    update->lay_out(together);
  }
  return update;
}

PartialUpdate::PartialUpdate(const Optimizer& optimizer, const Clipping& clipping, const RankTalk& talk)
    : optimizer_(optimizer),
      clipping_(clipping),
      world_(talk.world()),
      rank_(talk.rank()),
      memories_(optimizer.parameters().size()) {}

Tensors PartialUpdate::make_placeholders() const {
  Tensors gradients;
  for (const Variable& parameter : optimizer_.parameters()) {
    gradients.push_back(placeholder({parameter.shape(), parameter.dtype()}, "optimizer"));
  }
  return gradients;
}

bool PartialUpdate::is_elementwise(const std::vector<Assignment>& updates, const Tensors& gradients) {
  const Variables& parameters = optimizer_.parameters();
  std::vector<std::pair<Tensor, std::size_t>> sources;
  Tensors roots;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    sources.emplace_back(gradients[i], i);
    sources.emplace_back(parameters[i].read(), i);
  }
  // What is remembered of a parameter is told by the gradient it is made of.
  for (const auto& [variable, value] : updates) {
    roots.push_back(value);
    const auto is_variable = [&](const Variable& parameter) { return parameter.same_as(variable); };
    if (variable.shape().empty() || std::any_of(parameters.begin(), parameters.end(), is_variable)) {
      continue;
    }
    const TopologicalOrder order = topological_order(std::span(&value, 1));
    std::size_t owner = no_parameter;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (order.numbers.find(&gradients[i].node()) != NodeNumbers::none) {
        if (owner != no_parameter) {
          return false;
        }
        owner = i;
      }
    }
    if (owner == no_parameter || variable.shape() != parameters[owner].shape()) {
      return false;
    }
    memories_[owner].push_back(variable);
    sources.emplace_back(variable.read(), owner);
  }
  const TopologicalOrder order = topological_order(roots);
  const auto owners = owners_of(order, sources);
  if (!owners) {
    return false;
  }
  return std::all_of(updates.begin(), updates.end(), [&](const Assignment& update) {
    const std::size_t owner = (*owners)[order.numbers.find(&update.second.node())];
    const bool is_scalar = update.first.shape().empty();
    const bool is_parameter = owner != no_parameter && parameters[owner].same_as(update.first);
    const bool is_memory = owner != no_parameter && !is_scalar;
    return is_parameter || is_memory || (is_scalar && owner == no_parameter);
  });
}

void PartialUpdate::lay_out(const std::vector<std::size_t>& together) {
  const Variables& parameters = optimizer_.parameters();
  const std::int64_t ranks = world_->size();
  Vector vector{parameters[together.front()].dtype(), together, 0, 0,
                std::vector<std::vector<Chunk>>(static_cast<std::size_t>(ranks))};
  std::int64_t all = 0;
  for (const std::size_t i : together) {
    all += parameters[i].size();
  }
  if (all == 0) {
    return;
  }
  vector.part = (all + ranks - 1) / ranks;
  vector.padding = vector.part * ranks - all;
  std::int64_t begin = 0;
  for (const std::size_t i : vector.parameters) {
    const std::int64_t end = begin + parameters[i].size();
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const std::int64_t from = std::max(begin, rank * vector.part);
      const std::int64_t to = std::min(end, (rank + 1) * vector.part);
      if (from < to) {
        vector.chunks[static_cast<std::size_t>(rank)].push_back({i, from - begin, to - from});
      }
    }
    begin = end;
  }
  std::vector<Own>& own = own_.emplace_back();
  for (const Chunk& chunk : vector.chunks[static_cast<std::size_t>(rank_)]) {
    own.push_back({chunk, {}});
    for (const Variable& memory : memories_[chunk.parameter]) {
      own.back().memories.emplace_back(zeros({chunk.count}, memory.dtype()), memory.name());
    }
  }
  vectors_.push_back(std::move(vector));
}

void PartialUpdate::step(const Tensors& gradients) const {
  const Variables& parameters = optimizer_.parameters();
  const Tensors placeholders = make_placeholders();
  const std::vector<Assignment> whole = optimizer_.updates(placeholders, clipping_);
  const auto value_of = [&](const Variable& variable) -> const Tensor& {
    return std::find_if(whole.begin(), whole.end(),
                        [&](const Assignment& update) { return update.first.same_as(variable); })
        ->second;
  };
  std::vector<Assignment> updates;
  for (const Assignment& update : whole) {
    const auto is_it = [&](const Variable& parameter) { return parameter.same_as(update.first); };
    if (update.first.shape().empty() && std::none_of(parameters.begin(), parameters.end(), is_it)) {
      updates.push_back(update);  // a number, such as that of steps, which all ranks have
    }
  }
  for (std::size_t v = 0; v < vectors_.size(); ++v) {
    const Vector& vector = vectors_[v];
    Tensors pieces;
    for (const std::size_t i : vector.parameters) {
      pieces.push_back(gradients[i]);
    }
    if (vector.padding > 0) {
      pieces.push_back(zeros({vector.padding}, vector.dtype));
    }
    const Tensor own_gradient = world_->reduce_scatter(flat(pieces));
    Tensors new_weights;
    std::int64_t at = 0;
    for (const Own& own : own_[v]) {
      const auto& [i, first, count] = own.chunk;
      Tensors originals = {placeholders[i], parameters[i].read()};
      Tensors replacements = {part_of(own_gradient, at, count), part_of(parameters[i], first, count)};
      Tensors results = {value_of(parameters[i])};
      for (std::size_t m = 0; m < own.memories.size(); ++m) {
        originals.push_back(memories_[i][m].read());
        replacements.push_back(own.memories[m].read());
        results.push_back(value_of(memories_[i][m]));
      }
      const Tensors made = substitute(results, originals, replacements);
      new_weights.push_back(made[0]);
      for (std::size_t m = 0; m < own.memories.size(); ++m) {
        updates.emplace_back(own.memories[m], made[m + 1]);
      }
      at += count;
    }
    if (at < vector.part) {
      new_weights.push_back(zeros({vector.part - at}, vector.dtype));
    }
    const Tensor weights = world_->all_gather(flat(new_weights));
    std::int64_t begin = 0;
    for (const std::size_t i : vector.parameters) {
      updates.emplace_back(parameters[i], shaped(weights, begin, parameters[i].shape()));
      begin += parameters[i].size();
    }
  }
  assign(updates);
}

void PartialUpdate::divide() {
  std::vector<Assignment> updates;
  for (const std::vector<Own>& each : own_) {
    for (const Own& own : each) {
      for (std::size_t m = 0; m < own.memories.size(); ++m) {
        const Tensor memory = memories_[own.chunk.parameter][m];
        updates.emplace_back(own.memories[m], part_of(memory, own.chunk.first, own.chunk.count));
      }
    }
  }
  assign(updates);
  divided_ = true;
  release();
}

// Their memory is what is saved by having parts.
void PartialUpdate::release() const {
  std::int64_t most = 0;
  for (const Variables& memories : memories_) {
    for (const Variable& memory : memories) {
      most = std::max(most, memory.size() * static_cast<std::int64_t>(size_of(memory.dtype())));
    }
  }
  Array nothing({most}, DType::uint8);
  std::memset(nothing.data(), 0, nothing.bytes());
  std::vector<std::pair<Variable, Tensor>> contents;
  for (const Variables& memories : memories_) {
    for (const Variable& memory : memories) {
      contents.emplace_back(memory, xgrad::detail::CellAccess::new_content(
                                        memory, Array(nothing.buffer(), memory.shape(), memory.dtype()),
                                        std::source_location::current()));
    }
  }
  for (const auto& [variable, content] : contents) {
    xgrad::detail::CellAccess::put(variable, content);
  }
}

void PartialUpdate::join(RankTalk& talk) {
  if (!divided_) {
    return;
  }
  Packer message;
  for (const std::vector<Own>& each : own_) {
    for (const Own& own : each) {
      for (const Variable& memory : own.memories) {
        message.array(memory.read().array());
      }
    }
  }
  const std::vector<std::string> all = talk.exchange("what its part of the optimiser knows", message.bytes());
  std::vector<std::vector<Array>> joined(memories_.size());
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    for (const Variable& memory : memories_[i]) {
      joined[i].emplace_back(memory.shape(), memory.dtype());
    }
  }
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    Unpacker own(all[rank]);
    for (const Vector& vector : vectors_) {
      for (const Chunk& chunk : vector.chunks[rank]) {
        for (Array& memory : joined[chunk.parameter]) {
          const Array part = own.array();
          if (part.size() != chunk.count || part.dtype() != memory.dtype()) {
            raise<ValueError>("ranks", "another rank has another part of the optimiser; start the same program on all");
          }
          std::memcpy(
              static_cast<std::byte*>(memory.data()) + static_cast<std::size_t>(chunk.first) * size_of(memory.dtype()),
              part.data(), part.bytes());
        }
      }
    }
  }
  std::vector<Assignment> updates;
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    for (std::size_t m = 0; m < memories_[i].size(); ++m) {
      updates.emplace_back(memories_[i][m], Tensor(joined[i][m]));
    }
  }
  assign(updates);
  divided_ = false;
}

}  // namespace xgrad::nn::detail
