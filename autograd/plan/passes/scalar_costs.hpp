#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autograd/plan/steps/draft.hpp"

/// \file
/// Whether steps on small tensors are faster number by number.

namespace xgrad::plan {

/// Guesses what some steps take as one program on single numbers, and as the kernels that they would become otherwise.
class ScalarCosts {
 public:
  /// Adds \p step, after those that it depends on.
  void add(const Draft& draft, const Step& step);
  /// Whether the program is faster.
  bool pay() const;

 private:
  struct Computed {
    std::uint32_t space;
    bool read;
  };

  void add_map(const Draft& draft, const Step& step);
  void add_read(const Draft& draft, ValueId input, std::uint32_t space);
  std::uint32_t number_of(const Shape& space);

  double numbers_ns_ = 0;
  double kernels_ns_ = 0;
  std::vector<std::pair<Shape, std::size_t>> spaces_;  // of elementwise steps, with how many primitives there are
  std::unordered_map<ValueId, Computed> computed_;     // by such steps
  std::unordered_set<std::uint64_t> crossings_;        // values read over a space that they do not come from
};

}  // namespace xgrad::plan
