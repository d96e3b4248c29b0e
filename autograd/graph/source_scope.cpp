#include "autograd/graph/tensor.hpp"

namespace xgrad {

namespace {

// The place in the user's source that the outermost SourceScope of this thread names.
thread_local const std::source_location* current_source = nullptr;

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

std::source_location SourceScope::current(const std::source_location& otherwise) {
  return current_source != nullptr ? *current_source : otherwise;
}

}  // namespace xgrad
