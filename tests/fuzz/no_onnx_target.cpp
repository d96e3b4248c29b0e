#include "tests/fuzz/targets.hpp"

namespace xgrad::fuzz {

std::span<const Target> optional_targets() { return {}; }

}  // namespace xgrad::fuzz
