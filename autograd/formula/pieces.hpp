#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// Long programs as several short ones.

namespace xgrad::detail {

/// How many steps a program may have that one map computes.
inline constexpr std::size_t longest_program = 4096;
/// How many steps the pieces of a longer one have: so few that derivatives of them are not too long, to second order.
inline constexpr std::size_t longest_piece = 128;

/// A part of a program: some steps one after the other, and the values that go into it and come out of it.
struct ProgramPiece {
  Program program;
  std::vector<std::uint32_t> inputs;   ///< values of the whole program
  std::vector<std::uint32_t> outputs;  ///< values of the whole program: what later pieces use, and results
};

/// In order, with as few values between them as can be. A result that is an input comes out of none of them.
/// \param longest the most steps of a piece.
std::vector<ProgramPiece> cut(const Program& program, std::size_t longest);

}  // namespace xgrad::detail
