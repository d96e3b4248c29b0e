#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/provenance/level.hpp"

/// \file
/// Where a number that is not finite was born, in words. Not installed.

namespace xgrad::provenance {

/// What is told of a birth.
struct Story {
  std::string op;                   ///< the operation; empty where the number was there to begin with
  std::source_location where;       ///< its place in the user's source
  std::string headline;             ///< what it gave, and the likely cause
  std::vector<std::string> lines;   ///< all of it, a sentence each
  std::optional<std::int64_t> row;  ///< of the arguments, that brought it about
};

/// What is computed again.
struct Question {
  const Description& graph;
  std::span<const Description::Value> outputs;  ///< what is asked for
  std::vector<Array> given;                     ///< the elements of the first leaves
  std::vector<std::string> names;               ///< of these
  std::size_t argument_count = 0;               ///< how many of them are arguments, whose rows may be samples
};

/// The story of the first failure; nothing where none is found again. No exceptions but for want of memory.
std::optional<Story> story_of_failure(const Question& question, Stop stop);
/// The story of an element of an output that is not finite.
std::optional<Story> story_of_output(const Question& question, Description::Value output);

/// Throws \p error with the story of the failure; as it is where that is not found. Where results were checked, the error
/// becomes that of the operation in which the number was born, and a ValueError; so does one that is plain.
[[noreturn]] void raise_with_story(const NotFiniteError& error, const Question& question, Stop stop);

/// The row, along axis 0, of the arguments that brings it about that the number at \p place of a level that has been run is
/// not finite: with another row in its place it is finite.
struct Row {
  std::int64_t row;
  std::int64_t other;                  ///< the one in its place
  std::vector<std::size_t> arguments;  ///< which have such rows
};
std::optional<Row> find_row(const Question& question, Place place);

}  // namespace xgrad::provenance
