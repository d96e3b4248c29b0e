#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"

namespace xgrad::kernels {

void run_scalars(DType dtype, const ScalarInstruction* code, std::size_t code_size, void* registers) {
  chosen_kernels().scalars[static_cast<int>(dtype)](code, code_size, registers);
}

}  // namespace xgrad::kernels
