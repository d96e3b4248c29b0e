#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/elementary.hpp"
#include "autograd/kernels/kernels.hpp"

namespace xgrad::kernels {

void run_scalars(DType dtype, const ScalarInstruction* code, std::size_t code_size, void* registers) {
  chosen_kernels().scalars[static_cast<int>(dtype)](code, code_size, registers);
}

double elementary(Opcode code, double a, double b) {
  double registers[] = {a, b, 0};
  const ScalarInstruction instruction{code, 1, 2, 0, 1, 0, 0};
  run_scalars(DType::float64, &instruction, 1, registers);
  return registers[2];
}

}  // namespace xgrad::kernels
