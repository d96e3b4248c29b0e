#include <utility>

#include "autograd/graph/source_break.hpp"
#include "autograd/graph/tensor.hpp"

namespace xgrad {

namespace {

// The place in the user's source that the outermost SourceScope of this thread names. Every node that is made asks for it, so it
// lies where the compiler can tell, not where a function of the loader finds it.
[[gnu::tls_model("initial-exec")]] constinit thread_local const std::source_location* current_source = nullptr;

}  // namespace

SourceScope::SourceScope(const std::source_location& where) : where_(where), outermost_(current_source == nullptr) {
  if (outermost_) {
    current_source = &where_;
  }
}

SourceScope::~SourceScope() {
  if (outermost_) {
    current_source = nullptr;
  }
}

detail::SourceBreak::SourceBreak() : before_(std::exchange(current_source, nullptr)) {}
detail::SourceBreak::~SourceBreak() { current_source = before_; }

std::source_location SourceScope::current(const std::source_location& otherwise) {
  return current_source != nullptr ? *current_source : otherwise;
}

}  // namespace xgrad
