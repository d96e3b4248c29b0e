#pragma once

#include <memory>
#include <vector>

#include "autograd/plan/steps/draft.hpp"
#include "autograd/plan/steps/kernel.hpp"

/// \file
/// The kernel of each kind of step, in a file of its own each.

namespace xgrad::plan {

/// \param shared per output and input, whether a run may give them the same memory.
std::unique_ptr<const Kernel> make_map_kernel(const Draft& draft, const Step& step, const std::vector<bool>& shared,
                                              Operands in, Operands out);
std::unique_ptr<const Kernel> make_product_kernel(const Draft& draft, const Step& step, Operands in, Operands out);
std::unique_ptr<const Kernel> make_column_sum_kernel(const Draft& draft, const Step& step, Operands in, Operands out);
std::unique_ptr<const Kernel> make_operation_kernel(const Draft& draft, const Step& step, Operands in, Operands out);
std::unique_ptr<const Kernel> make_check_kernel(const Draft& draft, const Step& step, Operands in);
std::unique_ptr<const Kernel> make_program_kernel(const Step& step, Operands in, Operands out);

}  // namespace xgrad::plan
