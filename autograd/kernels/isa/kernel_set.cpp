#include "autograd/kernels/isa/sets.hpp"

namespace xgrad::kernels::XGRAD_ISA {

void add_kernels(KernelSet& set) {
  set.map[static_cast<int>(DType::int32)] = map_int32;
  set.map[static_cast<int>(DType::int64)] = map_int64;
  set.map[static_cast<int>(DType::float32)] = map_float32;
  set.map[static_cast<int>(DType::float64)] = map_float64;
  set.scalars[static_cast<int>(DType::float32)] = scalars_float32;
  set.scalars[static_cast<int>(DType::float64)] = scalars_float64;
  for (int from = 0; from < dtype_count; ++from) {
    for (int to = 0; to < dtype_count; ++to) {
      set.convert[from][to] = convert_kernel(static_cast<DType>(from), static_cast<DType>(to));
    }
  }
  add_floating_reductions(set);
  add_integer_reductions(set);
  add_products(set);
  add_rounded_products(set);
  add_peaks(set);
  set.gather_rows = gather_rows;
  set.normal_pairs = normal_pairs;
}

}  // namespace xgrad::kernels::XGRAD_ISA
