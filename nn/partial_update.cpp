#include "nn/partial_update.hpp"

#include <algorithm>
#include <cstring>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/elementwise_update.hpp"
#include "nn/packed.hpp"
#include "nn/rank_sums.hpp"

namespace xgrad::nn::detail {

namespace {

// What a variable holds whose elements are divided among ranks.
struct InParts {
  static constexpr std::string_view name = "in_parts";
  std::string variable;
  Shape shape;
  DType dtype;

  Spec infer(Inputs) const { return {shape, dtype}; }
  void eval(ConstViews, Views) const {
    raise<ValueError>("optimizer", phrase("'{}' is divided among ranks while they train together: each has a part "
                                          "of it, and none has all; read it when fit has returned, or from what "
                                          "TrainingState::snapshot gives the root",
                                          variable));
  }
};

// Has an update read tensors in place of some variables, whose elements are elsewhere.
class ReadsOthers final : public xgrad::detail::Recorder {
 public:
  explicit ReadsOthers(std::map<const void*, Tensor> others)
      : others_(std::move(others)), outside_(*xgrad::detail::current_recorder()) {}

  Tensor read(const Variable& variable) override {
    const auto other = others_.find(variable.id());
    return other == others_.end() ? outside_.read(variable) : other->second;
  }
  void assign(const Variable& variable, const Tensor& value) override { outside_.assign(variable, value); }
  void made(const Variable& variable) override { outside_.made(variable); }
  const xgrad::detail::Scope* scope() const override { return outside_.scope(); }
  ProductPrecision products() const override { return outside_.products(); }

 private:
  std::map<const void*, Tensor> others_;
  Recorder& outside_;
};

Tensor part_of(const Tensor& tensor, std::int64_t first, std::int64_t count) {
  const Tensor all = reshape(tensor, {-1});
  return first == 0 && count == all.size() ? all : all[range(first, first + count)];
}

}  // namespace

std::unique_ptr<PartialUpdate> PartialUpdate::of(const Optimizer& optimizer, const Clipping& clipping,
                                                 const RankTalk& talk) {
  std::unique_ptr<PartialUpdate> update(new PartialUpdate(optimizer, clipping, talk));
  const Tensors gradients = update->make_placeholders();
  const Variables& parameters = optimizer.parameters();
  auto memories = elementwise_memories(optimizer.updates(gradients, clipping), parameters, gradients);
  if (!memories) {
    return nullptr;
  }
  update->memories_ = std::move(*memories);
  for (const std::vector<std::size_t>& together : sent_together(Tensors(parameters.begin(), parameters.end()))) {
    update->lay_out(together);
  }
  return update;
}

PartialUpdate::PartialUpdate(const Optimizer& optimizer, const Clipping& clipping, const RankTalk& talk)
    : optimizer_(optimizer), clipping_(clipping), world_(talk.world()), rank_(talk.rank()) {}

Tensors PartialUpdate::make_placeholders() const {
  Tensors gradients;
  for (const Variable& parameter : optimizer_.parameters()) {
    gradients.push_back(placeholder({parameter.shape(), parameter.dtype()}, "optimizer"));
  }
  return gradients;
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

// What the optimiser makes of placeholders, also of what it remembers, which is to be put into them part by part.
std::vector<Assignment> PartialUpdate::whole_updates(const Tensors& placeholders,
                                                     const std::vector<Tensors>& remembered) const {
  std::map<const void*, Tensor> others;
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    for (std::size_t m = 0; m < memories_[i].size(); ++m) {
      others.emplace(memories_[i][m].id(), remembered[i][m]);
    }
  }
  ReadsOthers recorder(std::move(others));
  const xgrad::detail::RecorderScope scope(recorder);
  return optimizer_.updates(placeholders, clipping_);
}

void PartialUpdate::step(const Tensors& gradients) const {
  const Variables& parameters = optimizer_.parameters();
  const Tensors placeholders = make_placeholders();
  std::vector<Tensors> remembered;
  for (const Variables& memories : memories_) {
    Tensors& own = remembered.emplace_back();
    for (const Variable& memory : memories) {
      own.push_back(placeholder({memory.shape(), memory.dtype()}, "optimizer"));
    }
  }
  const std::vector<Assignment> whole = whole_updates(placeholders, remembered);
  const auto value_of = [&](const Variable& variable) -> const Tensor& {
    return std::find_if(whole.begin(), whole.end(),
                        [&](const Assignment& update) { return update.first.same_as(variable); })
        ->second;
  };
  std::vector<Assignment> updates;
  for (const Assignment& update : whole) {
    const auto is_it = [&](const Variable& parameter) { return parameter.same_as(update.first); };
    if (!is_memory(update.first) && std::none_of(parameters.begin(), parameters.end(), is_it)) {
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
        originals.push_back(remembered[i][m]);
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
  release();
  divided_ = true;
}

// Their memory is what is saved by having parts.
void PartialUpdate::release() {
  std::vector<Tensors> stand_ins;
  for (const Variables& memories : memories_) {
    Tensors& own = stand_ins.emplace_back();
    for (const Variable& memory : memories) {
      const Tensor refusing = apply_op(InParts{memory.name(), memory.shape(), memory.dtype()}, {});
      own.push_back(xgrad::detail::CellAccess::assigned(memory, refusing));
    }
  }
  stand_ins_ = std::move(stand_ins);
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    for (std::size_t m = 0; m < memories_[i].size(); ++m) {
      xgrad::detail::CellAccess::put(memories_[i][m], stand_ins_[i][m]);
    }
  }
}

bool PartialUpdate::is_assigned(std::size_t parameter, std::size_t memory) const {
  const Tensor& content = xgrad::detail::CellAccess::leaf(memories_[parameter][memory]);
  return &content.node() != &stand_ins_[parameter][memory].node();
}

bool PartialUpdate::is_memory(const Variable& variable) const {
  return std::any_of(memories_.begin(), memories_.end(), [&](const Variables& memories) {
    return std::any_of(memories.begin(), memories.end(),
                       [&](const Variable& memory) { return memory.same_as(variable); });
  });
}

bool PartialUpdate::is_in_parts(const Variable& variable) const { return divided_ && is_memory(variable); }

Facts PartialUpdate::assigned() const {
  Facts facts;
  for (std::size_t i = 0; divided_ && i < memories_.size(); ++i) {
    for (std::size_t m = 0; m < memories_[i].size(); ++m) {
      if (is_assigned(i, m)) {
        const Array content = memories_[i][m].read().array();
        facts[phrase("{} of parameter {} ('{}')", memories_[i][m].name(), i, optimizer_.parameters()[i].name())] =
            hash_text_of(content);
      }
    }
  }
  return facts;
}

void PartialUpdate::take_assigned() {
  std::vector<Assignment> updates;
  bool any = false;
  for (std::size_t i = 0; divided_ && i < memories_.size(); ++i) {
    for (std::size_t m = 0; m < memories_[i].size(); ++m) {
      any = any || is_assigned(i, m);
    }
  }
  if (!any) {
    return;
  }
  for (const std::vector<Own>& each : own_) {
    for (const Own& own : each) {
      for (std::size_t m = 0; m < own.memories.size(); ++m) {
        if (is_assigned(own.chunk.parameter, m)) {
          const Tensor memory = memories_[own.chunk.parameter][m];
          updates.emplace_back(own.memories[m], part_of(memory, own.chunk.first, own.chunk.count));
        }
      }
    }
  }
  assign(updates);
  release();
}

std::string PartialUpdate::packed_part(std::size_t vector) const {
  Packer message;
  for (const Own& own : own_[vector]) {
    for (const Variable& memory : own.memories) {
      message.array(memory.read().array());
    }
  }
  return message.bytes();
}

std::vector<std::vector<Array>> PartialUpdate::make_whole() const {
  std::vector<std::vector<Array>> whole(memories_.size());
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    for (const Variable& memory : memories_[i]) {
      whole[i].emplace_back(memory.shape(), memory.dtype());
    }
  }
  return whole;
}

// The parts of all ranks, which they have packed.
void PartialUpdate::put_together(std::size_t vector, const std::vector<std::string>& parts,
                                 std::vector<std::vector<Array>>& whole) const {
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    Unpacker own(parts[rank]);
    for (const Chunk& chunk : vectors_[vector].chunks[rank]) {
      for (std::size_t m = 0; m < whole[chunk.parameter].size(); ++m) {
        Array& memory = whole[chunk.parameter][m];
        const Array part = own.array();
        if (part.size() != chunk.count || part.dtype() != memory.dtype()) {
          raise<ValueError>(
              "ranks",
              phrase("rank {} has {} elements of {} in its part of {} of parameter {} ('{}'), "
                     "{} of {} are expected; start the same program on all ranks",
                     rank, part.size(), to_string(part.dtype()), memories_[chunk.parameter][m].name(), chunk.parameter,
                     optimizer_.parameters()[chunk.parameter].name(), chunk.count, to_string(memory.dtype())));
        }
        std::memcpy(
            static_cast<std::byte*>(memory.data()) + static_cast<std::size_t>(chunk.first) * size_of(memory.dtype()),
            part.data(), part.bytes());
      }
    }
  }
}

// One vector after the other, so that not all messages are there at once.
void PartialUpdate::join(RankTalk& talk) {
  if (!divided_) {
    return;
  }
  take_assigned();
  std::vector<std::vector<Array>> whole = make_whole();
  for (std::size_t v = 0; v < vectors_.size(); ++v) {
    put_together(v, talk.exchange("what its part of the optimiser knows", packed_part(v)), whole);
  }
  std::vector<Assignment> updates;
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    for (std::size_t m = 0; m < memories_[i].size(); ++m) {
      updates.emplace_back(memories_[i][m], Tensor(whole[i][m]));
    }
  }
  assign(updates);
  divided_ = false;
}

std::map<const void*, Array> PartialUpdate::gather(RankTalk& talk) const {
  std::vector<std::vector<Array>> whole;
  if (talk.is_root()) {
    whole = make_whole();
  }
  for (std::size_t v = 0; v < vectors_.size(); ++v) {
    put_together(v, talk.to_root("what its part of the optimiser knows", packed_part(v)), whole);
  }
  std::map<const void*, Array> by_id;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (std::size_t m = 0; m < whole[i].size(); ++m) {
      by_id.emplace(memories_[i][m].id(), whole[i][m]);
    }
  }
  return by_id;
}

}  // namespace xgrad::nn::detail
