#include "nn/module.hpp"

namespace xgrad::nn {

std::int64_t detail::count_elements(const std::vector<NamedVariable>& variables) {
  std::int64_t count = 0;
  for (const NamedVariable& named : variables) {
    count += named.variable.size();
  }
  return count;
}

Tensor Sequential::operator()(const Operand& x) const {
  const SourceScope scope(x);
  Tensor h = x.tensor();
  for (const Module& layer : layers_) {
    h = layer(h);
  }
  return h;
}

}  // namespace xgrad::nn
