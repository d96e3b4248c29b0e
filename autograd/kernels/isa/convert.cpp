#include "autograd/kernels/isa/convert.hpp"

#include "autograd/kernels/isa/sets.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

template <class From, class To>
void convert_all(const void* in, void* out, std::int64_t count) {
  if constexpr (__is_same(From, To)) {
    __builtin_memcpy(out, in, static_cast<std::size_t>(count) * sizeof(To));
  } else {
    const From* from = static_cast<const From*>(in);
    To* to = static_cast<To*>(out);
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = convert<To>(from[i]);
    }
  }
}

template <class From>
ConvertKernel convert_from(DType to) {
  switch (to) {
    case DType::boolean: return convert_all<From, bool>;
    case DType::uint8: return convert_all<From, std::uint8_t>;
    case DType::int32: return convert_all<From, std::int32_t>;
    case DType::int64: return convert_all<From, std::int64_t>;
    case DType::bfloat16: return convert_all<From, BFloat16>;
    case DType::float32: return convert_all<From, float>;
    case DType::float64: return convert_all<From, double>;
  }
  __builtin_unreachable();
}

}  // namespace

ConvertKernel convert_kernel(DType from, DType to) {
  switch (from) {
    case DType::boolean: return convert_from<bool>(to);
    case DType::uint8: return convert_from<std::uint8_t>(to);
    case DType::int32: return convert_from<std::int32_t>(to);
    case DType::int64: return convert_from<std::int64_t>(to);
    case DType::bfloat16: return convert_from<BFloat16>(to);
    case DType::float32: return convert_from<float>(to);
    case DType::float64: return convert_from<double>(to);
  }
  __builtin_unreachable();
}

void gather_rows(const std::uint8_t* rows, std::int64_t row_size, const std::int64_t* indices, std::int64_t count,
                 float scale, float* out) {
  constexpr std::int64_t ahead = 4;  // rows lie far apart: the hardware does not foresee the next one
  constexpr std::int64_t cache_line = 64;
  for (std::int64_t j = 0; j < count; ++j) {
    if (j + ahead < count) {
      const std::uint8_t* next = rows + indices[j + ahead] * row_size;
      for (std::int64_t i = 0; i < row_size; i += cache_line) {
        __builtin_prefetch(next + i);
      }
    }
    const std::uint8_t* row = rows + indices[j] * row_size;
    float* to = out + j * row_size;
    for (std::int64_t i = 0; i < row_size; ++i) {
      to[i] = static_cast<float>(row[i]) * scale;
    }
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
