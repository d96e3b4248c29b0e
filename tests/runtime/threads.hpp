#pragma once

#include "autograd/runtime/workers.hpp"

/// \file
/// The number of threads in a test.

namespace xgrad::testing {

/// Sets the number of threads until the end of the scope.
class Threads {
 public:
  explicit Threads(int count) : before_(runtime::num_threads()) { runtime::set_num_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { runtime::set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace xgrad::testing
