#include "autograd/plan/steps/several_steps.hpp"

#include "autograd/graph/substitute.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad::plan {

Ref<const SubProgram> several_steps(const Loop& loop, const std::vector<bool>& wanted, std::int64_t count) {
  const SubProgram& body = *loop.body;
  const detail::LoopInputs old = detail::placeholders_of(loop);
  const Tensor& index = body.inputs()[0];
  Tensors originals{index};
  originals.insert(originals.end(), old.init.begin(), old.init.end());
  originals.insert(originals.end(), old.xs.begin(), old.xs.end());
  Tensors carries = old.init;
  Tensors inputs{index};
  inputs.insert(inputs.end(), carries.begin(), carries.end());
  Tensors results;
  for (std::int64_t step = 0; step < count; ++step) {
    Tensors now{loop.reverse ? index - step : index + step};
    now.insert(now.end(), carries.begin(), carries.end());
    for (const Tensor& x : old.xs) {
      now.push_back(detail::placeholder({x.shape(), x.dtype()}, "loop", nullptr));
      inputs.push_back(now.back());
    }
    const Tensors next = substitute(body.outputs(), originals, now);
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (i < carries.size()) {
        carries[i] = next[i];
      } else if (wanted[i]) {
        results.push_back(next[i]);
      }
    }
  }
  inputs.insert(inputs.end(), old.captured.begin(), old.captured.end());
  Tensors outputs = carries;
  outputs.insert(outputs.end(), results.begin(), results.end());
  return Ref<const SubProgram>(new SubProgram(inputs, outputs));
}

}  // namespace xgrad::plan
