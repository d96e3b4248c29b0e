#pragma once

#include <cstddef>
#include <cstdint>

#include "autograd/array/dtype.hpp"
#include "autograd/kernels/chains.hpp"
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

/// Two instructions in a row, in one loop. Neither can fail.
template <class T>
using ChainLoop = void (*)(T* first_out, T* second_out, std::int64_t count, const Operand<T>* registers,
                           const Instruction* both);

template <class T>
struct PrimitiveTable {
  Primitive<T> at[opcode_count];
  ChainLoop<T> chained[chain_count];  ///< null where there is none
  constexpr Primitive<T>& operator[](Opcode code) { return at[static_cast<int>(code)]; }
};

/// \tparam step elements per vector. Loops over vectors compute on the padding of the last one; a loop over single
/// elements (step 1) never does, as integers need where padding may be a divisor.
template <class T, std::int64_t step>
class Interpreter {
 public:
  Interpreter(const MapJob& job, const PrimitiveTable<T>& primitives, const void* const* inputs, void* const* outputs,
              void* scratch)
      : job_(job),
        primitives_(primitives),
        inputs_(inputs),
        outputs_(outputs),
        scratch_(static_cast<std::byte*>(scratch)),
        registers_(static_cast<Operand<T>*>(scratch)) {
    static_assert(sizeof(Operand<T>) == operand_bytes);
  }

  /// Positions [first, last).
  bool run(std::int64_t first, std::int64_t last) {
    place_sources(first, last);
    place_constants();
    const std::int64_t whole = first + (last - first) / step * step;
    bool good = true;
    for (std::int64_t position = first; position < whole; position += job_.block) {
      good &= run_block(position - first, position, smaller(job_.block, whole - position), false);
    }
    if (whole < last) {
      good &= run_block(whole - first, whole, last - whole, true);
    }
    return good;
  }

 private:
  T* own_place(const MapSource& source) const { return reinterpret_cast<T*>(scratch_ + source.place); }

  T* own_place(std::size_t i) const {
    return reinterpret_cast<T*>(scratch_ + job_.first_register + (i - job_.source_count) * job_.register_size);
  }

  void place_sources(std::int64_t first, std::int64_t last) {
    for (std::size_t i = 0; i < job_.source_count; ++i) {
      const MapSource& source = job_.sources[i];
      if (source.access == Access::splat) {
        place_splat(i, own_place(source), element(source, inputs_[i]));
      } else if (source.access == Access::periodic) {
        place_period(source, inputs_[i], first, last);
      }
    }
  }

  void place_constants() {
    for (std::size_t c = 0; c < job_.constant_count; ++c) {
      const std::size_t i = job_.source_count + c;
      place_splat(i, own_place(i), static_cast<T>(job_.constants[c]));
    }
  }

  static T element(const MapSource& source, const void* data) {
    if (source.dtype == dtype_of<T>()) {
      return *static_cast<const T*>(data);
    }
    alignas(padding_bytes) T value[padding_bytes / sizeof(T)];
    expand(source, data, 0, 1, value);
    return value[0];
  }

  void place_splat(std::size_t i, T* place, T value) {
    for (std::int64_t k = 0; k < step; ++k) {
      place[k] = value;
    }
    registers_[i] = {place, 0};
  }

  // One period and a block behind it, so that a block can start anywhere in the period.
  void place_period(const MapSource& source, const void* data, std::int64_t first, std::int64_t last) const {
    T* place = own_place(source);
    const std::int64_t length = smaller(source.period + job_.block, last - first);
    std::int64_t known = smaller(source.period, length);
    expand(source, data, first, known, place);
    while (known < length) {
      const std::int64_t more = smaller(known, length - known);
      __builtin_memcpy(place + known, place, static_cast<std::size_t>(more) * sizeof(T));
      known += more;
    }
  }

  /// \p done positions of this run come before \p position.
  bool run_block(std::int64_t done, std::int64_t position, std::int64_t count, bool tail) {
    for (std::size_t i = 0; i < job_.source_count; ++i) {
      read(i, job_.sources[i], done, position, count, tail);
    }
    bool good = true;
    const MapTarget* next = job_.targets;
    const MapTarget* const end = next + job_.target_count;
    const auto out_of = [&](std::size_t i) {
      T* out = own_place(job_.code[i].target);
      if (next != end && next->direct && next->writer == i) {
        out = tail ? out : static_cast<T*>(outputs_[next->output]) + position;
        ++next;
      }
      return out;
    };
    for (std::size_t i = 0; i < job_.code_size; ++i) {
      const Instruction& instruction = job_.code[i];
      T* const out = out_of(i);
      if (const ChainLoop<T> chain = find_chain(i)) {
        T* const second_out = out_of(i + 1);
        chain(out, second_out, count, registers_, &instruction);
        registers_[instruction.target] = {out, step};
        registers_[job_.code[++i].target] = {second_out, step};
      } else {
        good &= primitives_.at[static_cast<int>(instruction.code)](out, count, registers_, instruction);
        registers_[instruction.target] = {out, step};
      }
    }
    for (const MapTarget* target = job_.targets; target != end; ++target) {
      if (!target->direct || tail) {
        write(*target, position, count);
      }
    }
    return good;
  }

  // The one that instruction i begins. No other operand of the second may be what the first gives.
  ChainLoop<T> find_chain(std::size_t i) const {
    const Instruction& first = job_.code[i];
    for (int number = 0; number < chain_count; ++number) {
      const Chain& chain = chains[number];
      if (chain.first != first.code || i + 1 == job_.code_size || chain.second != job_.code[i + 1].code) {
        continue;
      }
      const Instruction& second = job_.code[i + 1];
      const std::uint16_t operands[] = {second.a, second.b, second.c, second.d};
      bool fits = true;
      for (int k = 0; k < 4; ++k) {
        fits = fits && (operands[k] == first.target) == (k == chain.position);
      }
      if (fits) {
        return primitives_.chained[number];
      }
    }
    return nullptr;
  }

  void read(std::size_t i, const MapSource& source, std::int64_t done, std::int64_t position, std::int64_t count,
            bool tail) {
    T* own = own_place(source);
    switch (source.access) {
      case Access::splat: return;
      case Access::periodic: registers_[i] = {own + done % source.period, step}; return;
      case Access::direct:
        if (!tail) {
          registers_[i] = {static_cast<const T*>(inputs_[i]) + position, step};
          return;
        }
        break;
      case Access::expanded:
        if (const T* place = tail ? nullptr : find_in_place<T>(source, inputs_[i], dtype_of<T>(), position, count)) {
          registers_[i] = {place, step};
          return;
        }
        break;
      case Access::copied: break;
    }
    expand(source, inputs_[i], position, count, own);
    registers_[i] = {own, step};
  }

  void write(const MapTarget& target, std::int64_t position, std::int64_t count) const {
    switch (target.dtype) {
      case DType::boolean: return write_as<bool>(target, position, count);
      case DType::uint8: return write_as<std::uint8_t>(target, position, count);
      case DType::int32: return write_as<std::int32_t>(target, position, count);
      case DType::int64: return write_as<std::int64_t>(target, position, count);
      case DType::bfloat16: return write_as<BFloat16>(target, position, count);
      case DType::float32: return write_as<float>(target, position, count);
      case DType::float64: return write_as<double>(target, position, count);
    }
  }

  template <class To>
  void write_as(const MapTarget& target, std::int64_t position, std::int64_t count) const {
    To* out = static_cast<To*>(outputs_[target.output]) + position;
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
  const void* const* inputs_;
  void* const* outputs_;
  std::byte* scratch_;
  Operand<T>* registers_;
};

}  // namespace xgrad::kernels::XGRAD_ISA
