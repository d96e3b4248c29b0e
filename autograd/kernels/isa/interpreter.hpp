#pragma once

#include <cstddef>
#include <cstdint>

#include "autograd/dtype.hpp"
#include "autograd/kernels/isa/convert.hpp"
#include "autograd/kernels/isa/expand.hpp"
#include "autograd/kernels/isa/kernel_set.hpp"

/// \file
/// Runs a formula over one piece of an iteration space.

namespace xgrad::kernels::XGRAD_ISA {

/// Where a register's elements are. Consecutive vectors are \p step elements apart: 0 where one vector serves for all.
template <class T>
struct Operand {
  const T* data;
  std::int64_t step;
};

/// One primitive over \p count elements. \return false after a division by zero.
template <class T>
using Primitive = bool (*)(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction);

template <class T>
struct PrimitiveTable {
  Primitive<T> at[opcode_count];
  constexpr Primitive<T>& operator[](Opcode code) { return at[static_cast<int>(code)]; }
};

/// \tparam step elements per vector. Loops over vectors compute on the padding of the last one; a loop over single
/// elements (step 1) never does, as integers need where padding may be a divisor.
template <class T, std::int64_t step>
class Interpreter {
 public:
  Interpreter(const MapJob& job, const PrimitiveTable<T>& primitives, std::int64_t first, std::int64_t last,
              void* scratch)
      : job_(job), primitives_(primitives), first_(first), last_(last) {
    registers_ = static_cast<Operand<T>*>(scratch);
    own_ = reinterpret_cast<T**>(registers_ + job.register_count);
    static_assert(sizeof(Operand<T>) + sizeof(T*) == register_entry_bytes);
    free_ = reinterpret_cast<std::byte*>(own_ + job.register_count);
    free_ += -reinterpret_cast<std::uintptr_t>(free_) % padding_bytes;
    place_sources();
    place_constants_and_temporaries();
  }

  bool run() {
    const std::int64_t whole = first_ + (last_ - first_) / step * step;
    bool good = true;
    for (std::int64_t position = first_; position < whole; position += job_.block) {
      good &= run_block(position, smaller(job_.block, whole - position), false);
    }
    if (whole < last_) {
      good &= run_block(whole, last_ - whole, true);
    }
    return good;
  }

 private:
  T* take(std::int64_t count) {
    T* place = reinterpret_cast<T*>(free_);
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    free_ += (bytes + padding_bytes - 1) / padding_bytes * padding_bytes + padding_bytes;
    return place;
  }

  void place_sources() {
    for (std::size_t i = 0; i < job_.source_count; ++i) {
      const MapSource& source = job_.sources[i];
      switch (source.access) {
        case Access::direct: own_[i] = take(step); break;
        case Access::splat: place_splat(i, element(source)); break;
        case Access::periodic: place_period(i, source); break;
        case Access::expanded:
        case Access::copied: own_[i] = take(job_.block); break;
      }
    }
  }

  void place_constants_and_temporaries() {
    std::size_t i = job_.source_count;
    for (std::size_t c = 0; c < job_.constant_count; ++c, ++i) {
      place_splat(i, static_cast<T>(job_.constants[c]));
    }
    for (; i < job_.register_count; ++i) {
      own_[i] = take(job_.block);
    }
  }

  static T element(const MapSource& source) {
    alignas(padding_bytes) T value[padding_bytes / sizeof(T)];
    expand(source, 0, 1, value);
    return value[0];
  }

  void place_splat(std::size_t i, T value) {
    own_[i] = take(step);
    for (std::int64_t k = 0; k < step; ++k) {
      own_[i][k] = value;
    }
    registers_[i] = {own_[i], 0};
  }

  // One period and a block behind it, so that a block can start anywhere in the period.
  void place_period(std::size_t i, const MapSource& source) {
    own_[i] = take(source.period + job_.block);
    const std::int64_t length = smaller(source.period + job_.block, last_ - first_);
    std::int64_t known = smaller(source.period, length);
    expand(source, first_, known, own_[i]);
    while (known < length) {
      const std::int64_t more = smaller(known, length - known);
      __builtin_memcpy(own_[i] + known, own_[i], static_cast<std::size_t>(more) * sizeof(T));
      known += more;
    }
  }

  bool run_block(std::int64_t position, std::int64_t count, bool tail) {
    for (std::size_t i = 0; i < job_.source_count; ++i) {
      read(i, job_.sources[i], position, count, tail);
    }
    bool good = true;
    const MapTarget* next = job_.targets;
    const MapTarget* const end = next + job_.target_count;
    for (std::size_t i = 0; i < job_.code_size; ++i) {
      const Instruction& instruction = job_.code[i];
      T* out = own_[instruction.target];
      if (next != end && next->direct && next->writer == i) {
        out = tail ? out : static_cast<T*>(next->data) + position;
        ++next;
      }
      good &= primitives_.at[static_cast<int>(instruction.code)](out, count, registers_, instruction);
      registers_[instruction.target] = {out, step};
    }
    for (const MapTarget* target = job_.targets; target != end; ++target) {
      if (!target->direct || tail) {
        write(*target, position, count);
      }
    }
    return good;
  }

  void read(std::size_t i, const MapSource& source, std::int64_t position, std::int64_t count, bool tail) {
    switch (source.access) {
      case Access::splat: return;
      case Access::periodic: registers_[i] = {own_[i] + (position - first_) % source.period, step}; return;
      case Access::direct:
        if (!tail) {
          registers_[i] = {static_cast<const T*>(source.data) + position, step};
          return;
        }
        break;
      case Access::expanded:
        if (const T* place = tail ? nullptr : find_in_place<T>(source, dtype_of<T>(), position, count)) {
          registers_[i] = {place, step};
          return;
        }
        break;
      case Access::copied: break;
    }
    expand(source, position, count, own_[i]);
    registers_[i] = {own_[i], step};
  }

  void write(const MapTarget& target, std::int64_t position, std::int64_t count) const {
    switch (target.dtype) {
      case DType::boolean: return write_as<bool>(target, position, count);
      case DType::uint8: return write_as<std::uint8_t>(target, position, count);
      case DType::int32: return write_as<std::int32_t>(target, position, count);
      case DType::int64: return write_as<std::int64_t>(target, position, count);
      case DType::float32: return write_as<float>(target, position, count);
      case DType::float64: return write_as<double>(target, position, count);
    }
  }

  template <class To>
  void write_as(const MapTarget& target, std::int64_t position, std::int64_t count) const {
    To* out = static_cast<To*>(target.data) + position;
    const Operand<T> from = registers_[target.source];
    if (from.step == 0) {
      const To value = convert<To>(*from.data);
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = value;
      }
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = convert<To>(from.data[i]);
      }
    }
  }

  const MapJob& job_;
  const PrimitiveTable<T>& primitives_;
  std::int64_t first_;
  std::int64_t last_;
  Operand<T>* registers_;
  T** own_;
  std::byte* free_;
};

}  // namespace xgrad::kernels::XGRAD_ISA
