#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/captured.hpp"
#include "autograd/graph/scope.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/graph/variable_cell.hpp"

/// \file
/// Functions that become a part of an operation: the bodies of loops and of branches, while they are traced. Not installed.

namespace xgrad::detail {

/// One call of a function on tensors that stand for its arguments:
///
///     Body body("scan", specs);
///     {
///       const RecorderScope scope(body);
///       outputs = f(body.arguments());
///     }
///     body.finish(outputs, Invariants::outside);
///     body.program(body.captured())
///
/// What it uses from outside, contents of variables among them, is captured: it becomes arguments behind the others.
class Body final : public Recorder {
 public:
  /// \param op what to call the function in messages.
  Body(std::string_view op, std::span<const Spec> arguments);
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  const Tensors& arguments() const { return arguments_; }  ///< what stands for the arguments

  Tensor read(const Variable& variable) override;
  [[noreturn]] void assign(const Variable& variable, const Tensor& value) override;
  void made(const Variable& variable) override;
  const Scope* scope() const override { return scope_.get().get(); }
  ProductPrecision products() const override;

  /// The call has given \p outputs. \throws ValueError when one of them is empty.
  void finish(const Tensors& outputs, Invariants invariants);
  const Tensors& captured() const { return captured_; }  ///< of what finish() was given and of effects on the way
  /// The function of arguments and \p captured, at least those of captured(); with its effects.
  Ref<const SubProgram> program(const Tensors& captured) const;
  /// Instead of finish(): the function of the arguments alone, when \p outputs depend on nothing else that is not constant.
  Ref<const SubProgram> closed_program(const Tensors& outputs);

 private:
  std::string op_;
  OpenScope scope_;
  std::uint64_t begin_;
  Recorder* outside_;
  Tensors arguments_;
  Tensors outputs_;
  Tensors effects_;
  Tensors captured_;
};

/// The kinds of \p tensors.
std::vector<Spec> specs_of(std::span<const Tensor> tensors);

/// The kind of effect that \p programs have, or nothing. \throws ValueError `[op]` when they have several.
std::string_view effect_of(std::string_view op, std::initializer_list<const SubProgram*> programs);

/// Which inputs or outputs of a program.
using Flags = std::vector<bool>;

/// The outputs of \p program that depend on those inputs. \param differentiable only where a derivative can flow.
Flags depending_outputs(const SubProgram& program, const Flags& inputs, bool differentiable);
/// The inputs of \p program that a derivative can flow to from those outputs.
Flags reached_inputs(const SubProgram& program, const Flags& outputs);

}  // namespace xgrad::detail
