#pragma once

#include "autograd/kernels/isa/kernel_set.hpp"

/// \file
/// The parts that this instruction set's table is put together from.

namespace xgrad::kernels::XGRAD_ISA {

bool map_float32(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
                 std::int64_t last, void* scratch);
bool map_float64(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
                 std::int64_t last, void* scratch);
bool map_int32(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
               std::int64_t last, void* scratch);
bool map_int64(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
               std::int64_t last, void* scratch);

void scalars_float32(const ScalarInstruction* code, std::size_t code_size, void* registers);
void scalars_float64(const ScalarInstruction* code, std::size_t code_size, void* registers);

/// The conversion loop between two dtypes.
ConvertKernel convert_kernel(DType from, DType to);

void add_floating_reductions(KernelSet& set);
void add_integer_reductions(KernelSet& set);
void add_products(KernelSet& set);
void add_rounded_products(KernelSet& set);
void add_peaks(KernelSet& set);

void gather_rows(const std::uint8_t* rows, std::int64_t row_size, const std::int64_t* indices, std::int64_t count,
                 float scale, float* out);

void normal_pairs(double* u, double* v, std::int64_t count);

}  // namespace xgrad::kernels::XGRAD_ISA
