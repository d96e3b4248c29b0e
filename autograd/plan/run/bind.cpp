#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "autograd/formula/code.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/run/executable.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// From steps to kernels.

namespace xgrad::plan {

namespace {

using Operands = std::vector<Operand>;

/// Some pointers, on the stack.
class Pointers {
 public:
  Pointers(const Operands& operands, const Block& block)
      : pointers_(operands.size(),
                  [&](std::size_t i) -> void* { return operands[i].at(block.bases, block.scratch, block.first); }) {}
  void* const* data() const { return pointers_.span().data(); }
  void* operator[](std::size_t i) const { return pointers_[i]; }

 private:
  detail::FixedVector<void*, 16> pointers_;
};

class MapKernel final : public Kernel {
 public:
  MapKernel(const Draft& draft, const Step& step, const std::vector<bool>& may_be_first_output, Operands in,
            Operands out)
      : in_(std::move(in)), out_(std::move(out)), map_(prepare(draft, step, may_be_first_output)) {
    for (std::size_t axis = 1; axis < step.space.ndim(); ++axis) {
      row_ *= step.space[axis];
    }
    cut_ = !step.space.empty();
  }

  void run(const Block& block) const override {
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    map_.run_range(in.data(), out.data(), cut_ ? block.first * row_ : 0, cut_ ? block.last * row_ : 1);
  }
  void run_alone(const Block& whole) const override {
    map_.run(Pointers(in_, whole).data(), Pointers(out_, whole).data());
  }

 private:
  // Inputs and outputs that may share memory are given the same address, as the prepared map asks for.
  static kernels::PreparedMap prepare(const Draft& draft, const Step& step, const std::vector<bool>& shared) {
    const Program& program = step.formula.program;
    const detail::MapCode code = detail::assemble(program);
    // Addresses that stand for buffers: far apart, never read.
    constexpr std::uintptr_t apart = std::uintptr_t{1} << 40;
    const auto address = [&](std::size_t i) { return reinterpret_cast<void*>(apart * (i + 1)); };
    std::vector<kernels::MapInput> inputs;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Spec& spec = draft.spec(step.inputs[i]);
      inputs.push_back({address(i), spec.dtype, broadcast_strides(spec.shape, step.space)});
    }
    std::vector<kernels::MapOutput> outputs;
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      void* place = address(step.inputs.size() + i);
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        place = shared[i * step.inputs.size() + k] ? address(k) : place;
      }
      outputs.push_back({place, draft.spec(step.outputs[i]).dtype, code.result_registers[i]});
    }
    kernels::MapCall call;
    call.code = code.code.data();
    call.code_size = code.code.size();
    call.constants = program.constants.data();
    call.constant_count = program.constants.size();
    call.register_count = code.register_count;
    call.compute = step.formula.compute;
    call.inputs = inputs.data();
    call.input_count = inputs.size();
    call.outputs = outputs.data();
    call.output_count = outputs.size();
    call.shape = step.space;
    call.cost = code.cost;
    return kernels::PreparedMap(step.name.c_str(), call);
  }

  Operands in_;
  Operands out_;
  kernels::PreparedMap map_;
  std::int64_t row_ = 1;
  bool cut_ = false;
};

class ProductKernel final : public Kernel {
 public:
  ProductKernel(const Product& product, DType dtype, Operands in, Operands out)
      : product_(product), dtype_(dtype), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    const Product& p = product_;
    const auto element = static_cast<std::int64_t>(size_of(dtype_));
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    // The slab is a range of k or of n.
    const auto [k_first, k_last] = range(p.k, p.k_slabs, block.slab);
    const auto [n_first, n_last] = range(p.n, p.n_slabs, block.slab);
    const std::int64_t rows = block.last - block.first;
    const std::int64_t a_stride = p.transpose_a ? p.m : p.k;
    const std::int64_t b_stride = p.transpose_b ? p.k : p.n;
    const auto shifted = [&](void* data, std::int64_t elements) {
      return reinterpret_cast<void*>(reinterpret_cast<std::intptr_t>(data) + elements * element);
    };
    const std::int64_t partial_sum = p.k_slabs > 1 ? block.slab * p.m * p.n : 0;
    void* c = shifted(out[0], partial_sum + block.first * p.n + n_first);
    if (p.accumulate) {
      const void* start = shifted(in[2], block.first * p.n);
      if (start != c) {
        std::memcpy(c, start, static_cast<std::size_t>(rows * p.n * element));
      }
    }
    const void* a = shifted(in[0], p.transpose_a ? k_first * p.m + block.first : block.first * p.k + k_first);
    const void* b = shifted(in[1], p.transpose_b ? n_first * p.k + k_first : k_first * p.n + n_first);
    kernels::matmul({dtype_,
                     rows,
                     n_last - n_first,
                     k_last - k_first,
                     {a, a_stride, p.transpose_a},
                     {b, b_stride, p.transpose_b},
                     c,
                     p.n,
                     p.accumulate});
  }

 private:
  static std::pair<std::int64_t, std::int64_t> range(std::int64_t size, std::int64_t slabs, std::int64_t slab) {
    if (slabs == 1) {
      return {0, size};
    }
    constexpr std::int64_t unit = 8;
    const std::int64_t width = (size / slabs + unit - 1) / unit * unit;
    return {std::min(slab * width, size), slab + 1 == slabs ? size : std::min((slab + 1) * width, size)};
  }

  Product product_;
  DType dtype_;
  Operands in_;
  Operands out_;
};

class ColumnSumKernel final : public Kernel {
 public:
  ColumnSumKernel(const Shape& in, DType dtype, Operands from, Operands to)
      : n_(in[0]), dtype_(dtype), in_(std::move(from)), out_(std::move(to)) {
    for (std::size_t axis = 2; axis < in.ndim(); ++axis) {
      row_ *= in[axis];
    }
    columns_ = in[1] * row_;
  }

  void run(const Block& block) const override {
    const std::int64_t shift = block.first * row_ * static_cast<std::int64_t>(size_of(dtype_));
    const auto at = [&](void* data) { return reinterpret_cast<void*>(reinterpret_cast<std::intptr_t>(data) + shift); };
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    kernels::sum_columns(dtype_, at(in[0]), at(out[0]), n_, (block.last - block.first) * row_, columns_);
  }

 private:
  std::int64_t n_;
  DType dtype_;
  Operands in_;
  Operands out_;
  std::int64_t row_ = 1;
  std::int64_t columns_ = 0;
};

/// What the operation itself computes, on blocks of rows where it can be cut.
class OpKernel final : public Kernel {
 public:
  OpKernel(Ref<const AnyOperation> operation, std::vector<Spec> in_specs, std::vector<Spec> out_specs, bool cut,
           Operands in, Operands out)
      : operation_(std::move(operation)),
        in_specs_(std::move(in_specs)),
        out_specs_(std::move(out_specs)),
        cut_(cut),
        in_(std::move(in)),
        out_(std::move(out)) {}

  void run(const Block& block) const override {
    using SpecList = detail::FixedVector<Spec, 4>;
    const SpecList in_specs(in_.size(), [&](std::size_t i) { return rows_of(in_specs_[i], block); });
    const SpecList out_specs(out_.size(), [&](std::size_t i) { return rows_of(out_specs_[i], block); });
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    const detail::FixedVector<ConstView, 4> from(in_.size(), [&](std::size_t i) {
      return ConstView{first_row(in[i], in_specs_[i], block), &in_specs[i]};
    });
    const detail::FixedVector<View, 4> to(out_.size(), [&](std::size_t i) {
      return View{first_row(out[i], out_specs_[i], block), &out_specs[i]};
    });
    operation_->eval(from.span(), to.span());
  }

 private:
  Spec rows_of(const Spec& spec, const Block& block) const {
    Spec result = spec;
    if (cut_) {
      result.shape[0] = block.last - block.first;
    }
    return result;
  }
  void* first_row(void* data, const Spec& spec, const Block& block) const {
    if (!cut_ || block.first == 0) {
      return data;
    }
    const std::int64_t row =
        spec.shape.element_count() / spec.shape[0] * static_cast<std::int64_t>(size_of(spec.dtype));
    return reinterpret_cast<void*>(reinterpret_cast<std::intptr_t>(data) + block.first * row);
  }

  Ref<const AnyOperation> operation_;
  std::vector<Spec> in_specs_;
  std::vector<Spec> out_specs_;
  bool cut_;
  Operands in_;
  Operands out_;
};

class CheckKernel final : public Kernel {
 public:
  CheckKernel(const Step& step, Spec spec, Operands in) : name_(step.name), spec_(spec), in_(std::move(in)) {
    row_ = spec.shape.empty() || spec.shape[0] == 0 ? 1 : spec.shape.element_count() / spec.shape[0];
  }

  void run(const Block& block) const override {
    const std::int64_t shift = block.first * row_ * static_cast<std::int64_t>(size_of(spec_.dtype));
    const auto start = reinterpret_cast<std::intptr_t>(in_[0].at(block.bases, block.scratch, block.first));
    if (!kernels::all_finite(spec_.dtype, reinterpret_cast<const void*>(start + shift),
                             (block.last - block.first) * row_)) {
      raise<ValueError>(name_, fmt::format("its result of {} has NaN or infinite elements; look at its operands, or "
                                           "lower the learning rate",
                                           to_string(spec_)));
    }
  }

 private:
  std::string name_;
  Spec spec_;
  Operands in_;
  std::int64_t row_;
};

/// Another plan, in memory of this one.
class ProgramKernel final : public Kernel {
 public:
  ProgramKernel(std::shared_ptr<const Executable> executable, Operands in, Operands out)
      : executable_(std::move(executable)), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    executable_->run_inside(in.data(), out.data(), static_cast<std::byte*>(out[out_.size() - 1]), block.scratch);
  }

 private:
  std::shared_ptr<const Executable> executable_;
  Operands in_;
  Operands out_;
};

class Binder {
 public:
  Binder(const Draft& draft, const MemoryPlan& memory) : draft_(draft), memory_(memory), numbers_(draft, memory) {}

  std::unique_ptr<const Kernel> bind(std::uint32_t number) const {
    const Step& step = draft_.steps[number];
    Operands in = operands(step.inputs);
    Operands out = operands(step.outputs);
    switch (step.kind) {
      case Step::Kind::map:
        return std::make_unique<MapKernel>(draft_, step, shared_memory(step), std::move(in), std::move(out));
      case Step::Kind::product:
        return std::make_unique<ProductKernel>(step.product, draft_.spec(step.outputs[0]).dtype, std::move(in),
                                               std::move(out));
      case Step::Kind::column_sum: {
        const Spec& spec = draft_.spec(step.inputs[0]);
        return std::make_unique<ColumnSumKernel>(spec.shape, spec.dtype, std::move(in), std::move(out));
      }
      case Step::Kind::op:
        return std::make_unique<OpKernel>(step.operation, specs(step.inputs), specs(step.outputs),
                                          rows_of(draft_, step) > 1, std::move(in), std::move(out));
      case Step::Kind::check: return std::make_unique<CheckKernel>(step, draft_.spec(step.inputs[0]), std::move(in));
      case Step::Kind::program:
        return std::make_unique<ProgramKernel>(step.nested.executable, std::move(in), std::move(out));
    }
    return nullptr;
  }

 private:
  std::vector<Spec> specs(const std::vector<ValueId>& ids) const {
    std::vector<Spec> result;
    for (const ValueId id : ids) {
      result.push_back(draft_.spec(id));
    }
    return result;
  }

  Operands operands(const std::vector<ValueId>& ids) const {
    Operands result;
    for (const ValueId id : ids) {
      const Value& value = draft_.values[id];
      const Place& place = memory_.places[value.memory];
      Operand operand{0, place.offset + value.offset, place.row_bytes, place.room == Place::Room::scratch};
      switch (place.room) {
        case Place::Room::argument: operand.base = place.number; break;
        case Place::Room::constant: operand.base = numbers_.constants + place.number; break;
        case Place::Room::output: operand.base = numbers_.outputs + place.number; break;
        case Place::Room::arena:
        case Place::Room::scratch:
        case Place::Room::none: operand.base = numbers_.arena; break;
      }
      result.push_back(operand);
    }
    return result;
  }

  // Per output and input: whether a run may give them the same memory, when a variable is overwritten.
  std::vector<bool> shared_memory(const Step& step) const {
    std::vector<bool> shared;
    for (const ValueId output : step.outputs) {
      const Place& place = memory_.places[output];
      const std::uint32_t replaced =
          place.room == Place::Room::output ? memory_.outputs[place.number].replaces : Draft::none;
      for (const ValueId input : step.inputs) {
        const Place& source = memory_.places[draft_.values[input].memory];
        shared.push_back(replaced != Draft::none && source.room == Place::Room::argument && source.number == replaced);
      }
    }
    return shared;
  }

  const Draft& draft_;
  const MemoryPlan& memory_;
  BaseNumbers numbers_;
};

}  // namespace

std::unique_ptr<const Kernel> bind_kernel(const Draft& draft, const MemoryPlan& memory, std::uint32_t step) {
  return Binder(draft, memory).bind(step);
}

}  // namespace xgrad::plan
