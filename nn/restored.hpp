#pragma once

#include <vector>

#include "autograd/graph/variable.hpp"
#include "nn/layer.hpp"

/// \file
/// Internal: steps that are only tried.

namespace xgrad::nn::detail {

/// Puts variables back to what they were.
class Restored {
 public:
  explicit Restored(const std::vector<Variables>& lists) {
    for (const Variables& list : lists) {
      for (const Variable& variable : list) {
        before_.emplace_back(variable, variable.read());
      }
    }
  }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;
  ~Restored() {
    for (const auto& [variable, content] : before_) {
      variable.assign(content);
    }
  }

 private:
  std::vector<Assignment> before_;
};

}  // namespace xgrad::nn::detail
