#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "autograd/formula/formula.hpp"

/// \file
/// How formulas are made: tracing, simplification while tracing, the table of scalar primitives, and the code that
/// kernels run.

namespace xgrad::detail {

/// What a primitive takes and gives.
enum class PrimitiveKind : std::uint8_t {
  arithmetic,  ///< numbers of any kind
  floating,    ///< floating numbers only
  comparison,  ///< numbers to a truth value
  logical,     ///< truth values to a truth value
  selection,   ///< where
};

/// A row of the table of scalar primitives: its meaning on doubles, and its derivatives.
struct Primitive {
  kernels::Opcode code;
  std::string_view name;
  int operand_count;
  PrimitiveKind kind;
  double (*evaluate)(double a, double b);
  /// d y / d a and d y / d b of y = code(a, b), as formulas; null where the derivative is zero.
  Scalar (*partial_a)(Scalar a, Scalar b, Scalar y);
  Scalar (*partial_b)(Scalar a, Scalar b, Scalar y);
};

const Primitive& primitive(kernels::Opcode code);

/// Records the values of one formula. Equal values are recorded once; constants are folded.
class FormulaBuilder {
 public:
  FormulaBuilder();
  FormulaBuilder(const FormulaBuilder&) = delete;
  FormulaBuilder& operator=(const FormulaBuilder&) = delete;
  ~FormulaBuilder();

  Scalar add_input();
  Scalar emit(kernels::Opcode code, Scalar a, Scalar b = 0, Scalar c = 0);

  /// The same computation on other inputs, all values in the program's numbering.
  std::vector<Scalar> replay(const Program& program, const std::vector<Scalar>& inputs);

  /// factor * derivative, keeping exact zeros: the branch of a `where` whose derivative is 0 gives 0, whatever the
  /// factor is.
  Scalar scale(Scalar factor, Scalar derivative);

  /// The step that makes \p x; nothing when it is an input or a constant.
  std::optional<Program::Step> step_of(Scalar x) const;
  /// The number that \p x is, when it is a constant.
  std::optional<double> constant_of(Scalar x) const;
  /// The value of this builder with the given number, as the operands of steps are given.
  Scalar value(std::uint16_t id) { return Scalar(number_, id); }
  /// The number of \p x in this builder.
  std::uint16_t id_of(Scalar x);
  /// Which values take part in \p result, per number.
  std::vector<bool> contributing(std::uint16_t result) const;

  /// The program that gives \p result. With \p used, inputs that do not contribute are left out and the others listed.
  std::shared_ptr<const Program> finish(Scalar result, std::string_view name,
                                        std::vector<std::uint16_t>* used = nullptr);

  /// The builder that records \p a, \p b or \p c; null when all are constants.
  /// \throws ValueError when one of them is part of another formula, perhaps one that is finished.
  static FormulaBuilder* of(Scalar a, Scalar b, Scalar c);

 private:
  enum class Kind : std::uint8_t { input, constant, step };
  struct Value {
    Kind kind;
    Program::Step step;
    double constant;
  };

  std::uint16_t record(const Value& value);
  std::optional<Scalar> simplify(kernels::Opcode code, Scalar a, Scalar b, Scalar c);
  std::optional<Scalar> simplify_where(Scalar condition, Scalar a, Scalar b);

  std::uint64_t number_;   // of all builders of the process
  FormulaBuilder* outer_;  // the one that this thread goes on with afterwards
  std::vector<Value> values_;
  std::map<std::tuple<kernels::Opcode, std::uint16_t, std::uint16_t, std::uint16_t>, std::uint16_t> steps_;
  std::map<std::uint64_t, std::uint16_t> constants_;  // by their bits, so that -0 and 0 differ and NaN is found
};

/// A formula of `count` operands: \p outer, whose last operand is \p inner. The positions say which of the operands are
/// those of each.
Formula composed(const Formula& outer, const std::vector<std::uint16_t>& outer_positions, const Formula& inner,
                 const std::vector<std::uint16_t>& inner_positions, std::size_t count);

/// Fills in what follows from the steps: which inputs are conditions, the kinds, the registers.
/// \throws ValueError when truth values and numbers are mixed up.
void complete_program(Program& program);

/// Steps on registers, ready for kernels::map: inputs, then constants, then temporaries.
struct MapCode {
  std::vector<kernels::Instruction> code;       ///< writes temporaries only
  std::uint16_t register_count = 0;             ///< inputs, constants and temporaries
  std::vector<std::uint16_t> result_registers;  ///< per result: holds it after the last instruction
};

/// The code that computes \p results, values in the numbering of Program: inputs, constants, steps. A result may be any
/// value, also an input, and may be named twice. Steps that no result needs are left out; a step whose value one other
/// step uses, once, is joined with it where there is an instruction for both, which rounds like the two; a temporary's
/// register is used again after its last use.
MapCode assemble(std::size_t input_count, std::size_t constant_count, std::span<const Program::Step> steps,
                 std::span<const std::uint16_t> results);

}  // namespace xgrad::detail
