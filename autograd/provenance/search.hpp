#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "autograd/loops/loop.hpp"
#include "autograd/provenance/level.hpp"
#include "autograd/provenance/primitive.hpp"

/// \file
/// The way back from a number that is not finite to where it was born. Not installed.

namespace xgrad::provenance {

/// Where a number that is not finite was born.
struct Birth {
  std::string op;                    ///< the operation
  std::source_location where;        ///< its place in the user's source
  std::string derivative_of;         ///< ` in the gradient of [sqrt]`, or empty
  Spec result;                       ///< of the operation
  std::string element;               ///< `element (3, 1) of float32(4, 2)`
  std::string what;                  ///< `log(0) is -inf`
  std::vector<std::string> inputs;   ///< what went in
  std::vector<std::string> chain;    ///< operations behind it, with the ranges of what they gave
  std::vector<std::string> context;  ///< loops, branches and functions that it is in, the outermost first
  std::string cause;                 ///< what is likely wrong

  bool is_given = false;                   ///< not computed: a constant, an argument, a variable
  bool is_large = true;                    ///< numbers were too large, rather than too near to zero
  std::optional<Description::Value> open;  ///< the leaf of a program inside at which the chain goes on outside
};

/// What the way back came to: a birth, or a leaf that was not finite to begin with.
struct Found {
  std::optional<Birth> birth;
  std::size_t leaf = 0;
  std::int64_t element = 0;
};

/// Of an element of a leaf, which is not finite.
Birth birth_of_leaf(const Level& level, std::size_t leaf, std::int64_t element);

/// Adds what \p value was computed from, and what that was, to the chain, up to five operations in all.
void extend_chain(Birth& birth, const Level& level, Description::Value value);

/// See the file's description.
class Search {
 public:
  /// \param stop what counts as a failure.
  explicit Search(Stop stop) : stop_(stop) {}

  /// From \p place, whose number is not finite, in a level that has been run.
  Found walk(const Level& level, Place place);
  /// Runs \p level to the first failure, and goes back from there; nothing when there is none.
  std::optional<Found> find_failure(Level& level);

  /// `NaN since [subtract] at main.cpp:12: inf - inf is nan`; empty where no infinity became NaN.
  const std::string& turn() const { return turn_; }
  const std::optional<Birth>& turn_birth() const { return turn_birth_; }  ///< as if it was born there
  const std::optional<Place>& outermost() const { return outermost_; }    ///< the last place outside of programs

 private:
  // One step back: to an input's element, or to the end.
  struct Back {
    std::optional<Birth> birth;
    std::size_t input = 0;
    std::int64_t element = 0;
  };
  struct Target {
    std::size_t node;
    std::size_t output;
    std::int64_t element;
  };

  static Description::Value value_of(const Level& level, const Target& target);
  Back back(const Level& level, const Target& target);
  Back back_through_formula(const Level& level, const Target& target);
  Back back_through_operation(const Level& level, const Target& target);
  Back back_through_programs(const Level& level, const Target& target);
  static std::optional<Back> first_of_inputs(const std::vector<Array>& inputs, bool nan_alone);
  void note_turn(const Level& level, const Target& target, const std::string& what);

  Birth birth_at(const Level& level, const Target& target, const std::string& what) const;
  Back outside(Found found, const Level& level, std::size_t node, std::size_t first_input) const;

  // Programs: with a target, the way back from an output; without, from the first failure.
  std::optional<Back> look_inside(const Level& level, std::size_t node, const std::optional<Target>& target);
  std::optional<Found> search_program(Level& inner, const SubProgram& program, const std::optional<Target>& target);

  // Loops, in loop_search.cpp.
  class LoopSearch;
  std::optional<Back> search_loop(const Level& level, std::size_t node, const Loop& loop,
                                  const std::optional<Target>& target);

  Stop stop_;
  std::vector<std::string> context_;
  std::string turn_;
  std::optional<Birth> turn_birth_;
  std::optional<Place> outermost_;
};

/// Which element of which input brings about that an output's element is not finite: found by trying the operation with all
/// but some of what is not finite replaced.
struct Culprit {
  std::size_t input;
  std::int64_t element;
};
/// Nothing where it takes several of them together.
std::optional<Culprit> find_culprit(const Node& node, const std::vector<Array>& inputs, std::size_t output,
                                    std::int64_t element);

}  // namespace xgrad::provenance
