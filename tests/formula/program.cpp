#include "autograd/formula/program.hpp"

#include <limits>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/formula/formula.hpp"
#include "autograd/formula/kinds.hpp"
#include "autograd/formula/recorder.hpp"
#include "autograd/formula/text.hpp"
#include "tests/testing.hpp"

// Programs as data: what they need, how they are told apart, and how they grow.

BOOST_AUTO_TEST_SUITE(formula_program)

namespace {

using namespace xgrad;
using kernels::Opcode;

/// (a, b) -> a * 2 + b, with a step and a constant that nothing needs.
Program example() { return {2, {3, 2}, {{Opcode::multiply, {0, 3}}, {Opcode::exp, {1}}, {Opcode::add, {4, 1}}}, {6}}; }

BOOST_AUTO_TEST_CASE(what_no_result_needs_is_left_out) {
  const std::vector<bool> expected{true, true, false, true, true, false, true};
  BOOST_TEST(detail::needed_values(example()) == expected, boost::test_tools::per_element());
  const Program pruned = detail::pruned(example());
  BOOST_TEST((pruned == Program{2, {2}, {{Opcode::multiply, {0, 2}}, {Opcode::add, {3, 1}}}, {4}}));
}

BOOST_AUTO_TEST_CASE(inputs_are_left_out_where_they_are_listed) {
  Program program = example();
  program.results = {5, 1};
  std::vector<std::uint32_t> used;
  BOOST_TEST((detail::pruned(program, &used) == Program{1, {}, {{Opcode::exp, {0}}}, {1, 0}}));
  BOOST_TEST(used == std::vector<std::uint32_t>{1}, boost::test_tools::per_element());
  BOOST_TEST(detail::pruned(program).input_count == 2U);
}

BOOST_AUTO_TEST_CASE(constants_are_compared_by_their_bits) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto with = [](double constant) { return Program{1, {constant}, {{Opcode::add, {0, 1}}}, {2}}; };
  BOOST_TEST((with(nan) == with(nan)));
  BOOST_TEST(!(with(0.0) == with(-0.0)));
}

// By another program, from the definitions of the hashes.
BOOST_AUTO_TEST_CASE(hashes_are_the_same_in_every_process) {
  BOOST_TEST(detail::hash_of(example()) == 0x7F084E2F17C1CB3U);
  BOOST_TEST(Formula([](Scalar a) { return tanh(a); }, "tanh").hash() == 0xAFA2822E847952E9U);
}

// Compilers choose which argument of a call is evaluated first.
BOOST_AUTO_TEST_CASE(hashes_of_formulas_do_not_depend_on_the_order_of_recording) {
  const Formula first([](Scalar a, Scalar b) {
    const Scalar left = exp(a * 2);
    const Scalar right = b / 3 + 4;
    return where(left < right, left, right * left);
  });
  const Formula second([](Scalar a, Scalar b) {
    const Scalar right = b / 3 + 4;
    const Scalar left = exp(a * 2);
    const Scalar product = right * left;
    return where(left < right, left, product);
  });
  const Formula other([](Scalar a, Scalar b) {
    const Scalar left = exp(a * 2);
    const Scalar right = b / 3 + 4;
    return where(left < right, right, right * left);
  });
  BOOST_TEST(!(first.program() == second.program()));
  BOOST_TEST(first.hash() == second.hash());
  BOOST_TEST(first.hash() != other.hash());
  const Program ordered{2, {2}, {{Opcode::multiply, {0, 2}}, {Opcode::add, {3, 1}}}, {4}};
  BOOST_TEST((detail::in_order_of_results(example()) == ordered));
}

BOOST_AUTO_TEST_CASE(different_programs_have_different_hashes) {
  const Program all[] = {example(),
                         {2, {2, 3}, example().steps, {6}},
                         {2, {3, 2}, example().steps, {5}},
                         {2, {3, 2}, example().steps, {6, 6}},
                         {2, {3, 2}, {{Opcode::multiply, {3, 0}}, {Opcode::exp, {1}}, {Opcode::add, {4, 1}}}, {6}},
                         {2, {3, 2}, {{Opcode::divide, {0, 3}}, {Opcode::exp, {1}}, {Opcode::add, {4, 1}}}, {6}},
                         {3, {3}, example().steps, {6}}};
  std::set<std::uint64_t> hashes;
  for (const Program& each : all) {
    hashes.insert(detail::hash_of(each));
  }
  BOOST_TEST(hashes.size() == std::size(all));
}

BOOST_AUTO_TEST_CASE(the_name_is_part_of_a_formula) {
  const auto f = [](Scalar a) { return a + 1; };
  BOOST_TEST((Formula(f, "one") == Formula(f, "one")));
  BOOST_TEST(Formula(f, "one").hash() != Formula(f, "two").hash());
  BOOST_TEST((Formula(Formula(f, "one").program(), "one") == Formula(f, "one")));
}

BOOST_AUTO_TEST_CASE(results_are_written_one_by_one) {
  const Program program{2, {}, {{Opcode::add, {0, 1}}, {Opcode::multiply, {2, 2}}, {Opcode::relu, {2}}}, {3, 4, 0}};
  BOOST_TEST(detail::to_string(program) == "(a, b) -> t0 = a + b; t0 * t0 | relu(a + b) | a");
  BOOST_TEST(to_string(Formula(program)) == detail::to_string(program));
}

BOOST_AUTO_TEST_CASE(inputs_have_names_beyond_the_alphabet) {
  const std::string text = detail::to_string({40, {}, {{Opcode::add, {25, 39}}}, {40}});
  BOOST_TEST(text.starts_with("(a, b, c"));
  BOOST_TEST(text.ends_with("x38, x39) -> z + x39"));
}

BOOST_AUTO_TEST_CASE(equal_steps_are_recorded_once) {
  detail::ProgramRecorder recorder;
  const auto a = recorder.add_input();
  const auto two = recorder.constant(2);
  const auto product = recorder.step(Opcode::multiply, {a, two});
  const auto b = recorder.add_input();
  BOOST_TEST(recorder.step(Opcode::multiply, {a, recorder.constant(2)}) == product);
  const std::vector<detail::ProgramRecorder::Value> inputs{b, a};
  const auto values = recorder.replay(example(), inputs);  // b * 2 + a
  const std::vector<detail::ProgramRecorder::Value> results{product, values[6]};
  BOOST_TEST(detail::to_string(recorder.finish(results)) == "(a, b) -> a * 2 | b * 2 + a");
}

BOOST_AUTO_TEST_CASE(truth_values_are_found_whatever_the_order) {
  const auto f = [](Scalar p, Scalar q, Scalar r, Scalar a) { return where(where(p, q, r), a, -a); };
  const std::vector<bool> conditions{true, true, true, false};
  BOOST_TEST(Formula(f).kinds().condition_inputs == conditions, boost::test_tools::per_element());
  const Program two{2, {}, {{Opcode::less, {0, 1}}, {Opcode::where, {2, 0, 1}}}, {2, 3}};
  const std::vector<bool> results{true, false};
  BOOST_TEST(detail::infer_kinds(two).boolean_results == results, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
