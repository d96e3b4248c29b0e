#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Products of matrices, whole or in slabs.

namespace xgrad::plan {

namespace {

class ProductKernel final : public Kernel {
 public:
  ProductKernel(const Product& product, DType dtype, Operands in, Operands out)
      : product_(product), dtype_(dtype), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    kernels::multiply_block(call(block), kernels::is_of_vector(product_.m, product_.n, product_.transpose_b));
  }
  void run_alone(const Block& whole) const override { kernels::matmul(call(whole)); }

 private:
  kernels::ProductCall call(const Block& block) const {
    const Product& p = product_;
    const auto element = static_cast<std::int64_t>(size_of(dtype_));
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    const std::int64_t k_slab = block.slab / p.n_slabs;
    const std::int64_t n_slab = block.slab % p.n_slabs;
    const std::int64_t k_first = slab_begin(p.k, p.k_width(), p.k_slabs, k_slab);
    const std::int64_t k_last = slab_begin(p.k, p.k_width(), p.k_slabs, k_slab + 1);
    const std::int64_t n_first = slab_begin(p.n, p.n_width(), p.n_slabs, n_slab);
    const std::int64_t n_last = slab_begin(p.n, p.n_width(), p.n_slabs, n_slab + block.slabs);
    const std::int64_t rows = block.last - block.first;
    const std::int64_t a_stride = p.transpose_a ? p.m : p.k;
    const std::int64_t b_stride = p.transpose_b ? p.k : p.n;
    const auto shifted = [&](void* data, std::int64_t elements) {
      return reinterpret_cast<void*>(reinterpret_cast<std::intptr_t>(data) + elements * element);
    };
    void* c = shifted(out[0], k_slab * p.m * p.n + block.first * p.n + n_first);
    if (p.accumulate) {
      const void* start = shifted(in[2], block.first * p.n);
      if (start != c) {
        std::memcpy(c, start, static_cast<std::size_t>(rows * p.n * element));
      }
    }
    const void* a = shifted(in[0], p.transpose_a ? k_first * p.m + block.first : block.first * p.k + k_first);
    const void* b = shifted(in[1], p.transpose_b ? n_first * p.k + k_first : k_first * p.n + n_first);
    return {
        dtype_, rows, n_last - n_first, k_last - k_first, {a, a_stride, p.transpose_a}, {b, b_stride, p.transpose_b},
        c,      p.n,  p.accumulate,     p.precision};
  }

  static std::int64_t slab_begin(std::int64_t size, std::int64_t width, std::int64_t slabs, std::int64_t slab) {
    return slab == slabs ? size : std::min(slab * width, size);
  }

  Product product_;
  DType dtype_;
  Operands in_;
  Operands out_;
};

/// In a product of moderate size, in nanoseconds: with AMX where factors are rounded. What is cut follows from it, and is to be
/// the same on every CPU.
double multiply_add_time(ProductPrecision precision) {
  switch (precision) {
    case ProductPrecision::float32: return 0.012;
    case ProductPrecision::bfloat16_3x: return 0.006;
    case ProductPrecision::bfloat16: break;
  }
  return 0.003;
}

struct ProductStep final : StepKind {
  std::int64_t rows(const Draft&, const Step& step) const override { return step.product.m; }
  bool reads_rows(const Draft&, const Step& step, std::size_t input) const override {
    return input == 2 || (input == 0 && !step.product.transpose_a);
  }
  std::int64_t slabs(const Step& step) const override { return step.product.k_slabs * step.product.n_slabs; }
  std::int64_t adjoining_slabs(const Step& step) const override { return step.product.n_slabs; }
  double cost(const Draft&, const Step& step) const override {
    const double multiply_add_ns = multiply_add_time(step.product.precision);
    return multiply_add_ns * static_cast<double>(step.product.m) * static_cast<double>(step.product.k) *
           static_cast<double>(step.product.n);
  }
  Alone alone() const override { return Alone::when_large; }
  bool writes_whole(const Step& step) const override { return slabs(step) == 1; }
  bool reads_before_writing(std::size_t input) const override { return input == 2; }

  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    return std::make_unique<ProductKernel>(step.product, draft.spec(step.outputs[0]).dtype, std::move(binding.in),
                                           std::move(binding.out));
  }

  std::optional<Fault> find_fault(const Draft& draft, const Step& step) const override {
    const Product& p = step.product;
    const auto size = [&](ValueId id) { return draft.spec(id).shape.element_count(); };
    const bool fits = size(step.inputs[0]) == p.m * p.k && size(step.inputs[1]) == p.k * p.n &&
                      size(step.outputs[0]) == p.m * p.n * p.k_slabs;
    return fits ? std::nullopt : std::optional(Fault{"the sizes of a product do not fit", step.outputs[0]});
  }
  std::string text(const Step& step) const override {
    const Product& p = step.product;
    const bool rounded = p.precision != ProductPrecision::float32;
    return phrase("{}{} ({}, {}) x ({}, {}){}{}{}", step.name, p.accumulate ? " added to what is there" : "", p.m, p.k,
                  p.k, p.n, p.transpose_a ? ", first factor transposed" : "",
                  p.transpose_b ? ", second factor transposed" : "",
                  rounded ? phrase(", {}", to_string(p.precision)) : "");
  }
  double flops(const Draft&, const Step& step) const override {
    return 2 * static_cast<double>(step.product.m) * static_cast<double>(step.product.k) *
           static_cast<double>(step.product.n);
  }
};

constexpr ProductStep product_kind;

}  // namespace

constinit const StepKind* const product_step = &product_kind;

}  // namespace xgrad::plan
