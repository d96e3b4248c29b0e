#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "nn/optimizers/optimizer.hpp"
#include "nn/rank_facts.hpp"
#include "nn/rank_talk.hpp"

/// \file
/// Internal: an optimiser's update, of which each rank computes a part.

namespace xgrad::nn::detail {

/// Gradients are reduce-scattered as one vector, each rank updates its part of the weights, and the weights are gathered. For
/// updates that take each element of a parameter by itself, as most do: they give the same bits in parts. What the optimiser
/// remembers of the elements, such as moments, is here while there are parts, on each rank for its own elements. The
/// optimiser's own variables have no memory then: to read them is an error, and what is assigned to them is taken.
class PartialUpdate {
 public:
  /// Null when the update is not elementwise: then all ranks have to compute all of it.
  static std::unique_ptr<PartialUpdate> of(const Optimizer& optimizer, const Clipping& clipping, const RankTalk& talk);

  /// Assigns what the optimiser makes of the sum over ranks of \p gradients, one per parameter.
  void step(const Tensors& gradients) const;

  /// Begins to remember in parts, what the optimiser's variables hold.
  void divide();
  /// Whether it remembers in parts now.
  bool is_divided() const { return divided_; }
  /// Whether what \p variable should hold is divided.
  bool is_in_parts(const Variable& variable) const;
  /// What has been assigned to the optimiser's variables meanwhile, and hashes of it: the same on all ranks, as it should be.
  Facts assigned() const;
  /// Takes this rank's part of that.
  void take_assigned();
  /// Gives it back to the optimiser's variables, on all ranks together. Nothing happens when there are no parts.
  void join(RankTalk& talk);
  /// What the variables would hold then, by their ids, for the root alone, which has the memory; others are given nothing.
  std::map<const void*, Array> gather(RankTalk& talk) const;
  /// Forgets the parts, where all of the optimiser's variables are assigned to.
  void forget() { divided_ = false; }

 private:
  // Elements of a parameter that are one rank's.
  struct Chunk {
    std::size_t parameter = 0;
    std::int64_t first = 0;  // of the parameter
    std::int64_t count = 0;
  };
  // Parameters that are sent together, as one vector, which ranks have equal parts of.
  struct Vector {
    DType dtype;
    std::vector<std::size_t> parameters;
    std::int64_t part = 0;                   // elements of one rank
    std::int64_t padding = 0;                // elements behind the last parameter
    std::vector<std::vector<Chunk>> chunks;  // per rank
  };
  // A chunk of this rank, and what is remembered of it, in the order of memories_.
  struct Own {
    Chunk chunk;
    Variables memories;
  };

  PartialUpdate(const Optimizer& optimizer, const Clipping& clipping, const RankTalk& talk);
  std::vector<Assignment> whole_updates(const Tensors& placeholders, const std::vector<Tensors>& remembered) const;
  void lay_out(const std::vector<std::size_t>& together);
  Tensors make_placeholders() const;
  void release();
  bool is_memory(const Variable& variable) const;
  bool is_assigned(std::size_t parameter, std::size_t memory) const;
  std::string packed_part(std::size_t vector) const;
  std::vector<std::vector<Array>> make_whole() const;
  void put_together(std::size_t vector, const std::vector<std::string>& parts,
                    std::vector<std::vector<Array>>& whole) const;

  const Optimizer& optimizer_;
  Clipping clipping_;
  std::shared_ptr<const Ranks> world_;
  std::int64_t rank_;
  std::vector<Variables> memories_;  // per parameter: of its shape, assigned in a step
  std::vector<Tensors> stand_ins_;   // what these hold while there are parts
  std::vector<Vector> vectors_;
  std::vector<std::vector<Own>> own_;  // per vector
  bool divided_ = false;
};

}  // namespace xgrad::nn::detail
