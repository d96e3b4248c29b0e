#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/kernels/opcode.hpp"

/// \file
/// Elementwise mathematics as data.
///
/// A formula is ordinary code over Scalar, called once; what it computed is kept as a small program. Derivatives of
/// formulas are formulas, so they exist to any order.

namespace xgrad {

namespace detail {
class FormulaBuilder;
}

/// A number inside a formula: an input, a constant, or the result of a primitive on other Scalars.
class Scalar {
 public:
  /// A constant: C++ numbers can stand beside Scalars.
  Scalar(double constant) : constant_(constant) {}

 private:
  friend class detail::FormulaBuilder;
  Scalar(std::uint64_t formula, std::uint16_t id) : formula_(formula), id_(id) {}

  std::uint64_t formula_ = 0;  // which one it is part of; 0 for a constant
  std::uint16_t id_ = 0;
  double constant_ = 0;
};

/// \name Primitives on Scalars
/// \{

/// What the tensor op of the same name computes, on one element. Comparisons give truth values, for `where` and the
/// logical primitives.
Scalar operator-(Scalar a);
Scalar operator+(Scalar a, Scalar b);
Scalar operator-(Scalar a, Scalar b);
Scalar operator*(Scalar a, Scalar b);
Scalar operator/(Scalar a, Scalar b);
Scalar operator<(Scalar a, Scalar b);
Scalar operator<=(Scalar a, Scalar b);
Scalar operator>(Scalar a, Scalar b);
Scalar operator>=(Scalar a, Scalar b);
Scalar operator==(Scalar a, Scalar b);
Scalar operator!=(Scalar a, Scalar b);
Scalar negative(Scalar a);
Scalar abs(Scalar a);
Scalar sign(Scalar a);
Scalar exp(Scalar a);
Scalar expm1(Scalar a);
Scalar log(Scalar a);
Scalar log1p(Scalar a);
Scalar log2(Scalar a);
Scalar sqrt(Scalar a);
Scalar rsqrt(Scalar a);
Scalar square(Scalar a);
Scalar cbrt(Scalar a);
Scalar reciprocal(Scalar a);
Scalar sin(Scalar a);
Scalar cos(Scalar a);
Scalar tan(Scalar a);
Scalar asin(Scalar a);
Scalar acos(Scalar a);
Scalar atan(Scalar a);
Scalar sinh(Scalar a);
Scalar cosh(Scalar a);
Scalar tanh(Scalar a);
Scalar asinh(Scalar a);
Scalar acosh(Scalar a);
Scalar atanh(Scalar a);
Scalar erf(Scalar a);
Scalar sigmoid(Scalar a);
Scalar relu(Scalar a);
Scalar softplus(Scalar a);
Scalar floor(Scalar a);
Scalar ceil(Scalar a);
Scalar round(Scalar a);
Scalar trunc(Scalar a);
Scalar pow(Scalar a, Scalar b);
Scalar maximum(Scalar a, Scalar b);
Scalar minimum(Scalar a, Scalar b);
Scalar atan2(Scalar a, Scalar b);
Scalar hypot(Scalar a, Scalar b);
Scalar remainder(Scalar a, Scalar b);
Scalar logical_and(Scalar a, Scalar b);
Scalar logical_or(Scalar a, Scalar b);
Scalar logical_not(Scalar a);
/// \p a where \p condition holds, else \p b; the branch not taken contributes exactly 0 to derivatives.
Scalar where(Scalar condition, Scalar a, Scalar b);
/// \}

struct Program;

/// A formula of one or more inputs, kept as a program. Cheap to copy; equal programs are shared.
///
///     const Formula softplus([](Scalar x) { return log1p(exp(-abs(x))) + relu(x); }, "softplus");
class Formula {
 public:
  /// Traces \p f, a callable on one to eight Scalars.
  /// \param name shown in printed graphs and in error messages.
  /// \throws ValueError when truth values and numbers are mixed up.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Formula>)
  explicit Formula(F&& f, std::string_view name = "map") {
    trace<1>(f, name);
  }

  /// A formula from its program.
  explicit Formula(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  const Program& program() const { return *program_; }  ///< what was traced
  /// Whether both are the same program; equal ones are shared.
  friend bool operator==(const Formula& a, const Formula& b) { return a.program_ == b.program_; }

 private:
  /// Calls \p f once on \p input_count Scalars that record; keeps what it computed.
  using Call = Scalar (*)(const void* f, const Scalar* inputs);
  void record(Call call, const void* f, std::size_t input_count, std::string_view name);

  template <std::size_t N, class F>
  void trace(const F& f, std::string_view name) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (requires { f((static_cast<void>(I), Scalar(0))...); }) {
        record([](const void* g, const Scalar* x) -> Scalar { return (*static_cast<const F*>(g))(x[I]...); }, &f, N,
               name);
      } else {
        static_assert(sizeof...(I) < 8, "a formula is a callable on one to eight Scalars that gives a Scalar");
        trace<N + 1>(f, name);
      }
    }(std::make_index_sequence<N>());
  }

  std::shared_ptr<const Program> program_;
};

/// `(a, b) -> a * (1 - b * b)`; values used more than once are named first.
std::string to_string(const Formula& formula);

/// One derivative of a formula: `ct * d formula / d input`, as a formula of some of its inputs, its output, and ct.
struct Partial {
  Formula formula;  ///< computes the derivative
  /// What to call the formula with: i < n is the i-th input, n is the output, n + 1 is ct.
  std::vector<std::uint16_t> arguments;
};

/// What a formula computed. Values are numbered: inputs first, then constants, then one per step.
struct Program {
  /// One primitive, applied to earlier values.
  struct Step {
    kernels::Opcode code;  ///< the primitive
    std::uint16_t a = 0,   ///< value that is its first operand
        b = 0,             ///< value that is its second operand, if it has one
        c = 0;             ///< value that is its third operand, if it has one
    /// Same primitive, same operands.
    friend bool operator==(const Step&, const Step&) = default;
  };

  std::string name;               ///< shown in printed graphs and in error messages
  std::size_t input_count = 0;    ///< how many operands the formula takes
  std::vector<double> constants;  ///< each different one once
  std::vector<Step> steps;        ///< in order: every step uses earlier values only
  std::uint16_t result = 0;       ///< the value that the formula gives

  std::vector<bool> condition_inputs;  ///< per input: used as a truth value, so it must be boolean
  bool boolean_result = false;         ///< gives truth values
  bool arithmetic = false;             ///< computes with numbers, rather than compares and selects only
  bool floating_only = false;          ///< uses a primitive that integers do not have, or a fractional constant

  std::vector<kernels::Instruction> code;  ///< the steps on registers, ready for the kernel
  std::uint16_t register_count = 0;        ///< inputs, constants and temporaries
  std::uint16_t result_register = 0;       ///< holds the result after the last instruction

  /// `ct * d result / d input`; null where it is zero everywhere. Computed once, kept. Thread-safe.
  const Partial* partial(std::size_t input) const;

  Program();
  ~Program();

 private:
  struct Partials;
  std::unique_ptr<Partials> partials_;
};

}  // namespace xgrad
