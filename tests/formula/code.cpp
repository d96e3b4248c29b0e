#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/formula/code.hpp"
#include "autograd/formula/primitives.hpp"
#include "autograd/kernels/kernels.hpp"

// Steps with several results become code: which steps are joined, and that the code computes what the steps say.

BOOST_AUTO_TEST_SUITE(formula_code)

namespace {

using namespace xgrad;
using detail::assemble;
using detail::MapCode;
using kernels::Opcode;
using Steps = std::vector<Program::Step>;
using Values = std::vector<std::uint32_t>;

std::vector<Opcode> opcodes(const MapCode& map_code) {
  std::vector<Opcode> result;
  for (const kernels::Instruction& instruction : map_code.code) {
    result.push_back(instruction.code);
  }
  return result;
}

/// The results of \p map_code, run by the kernel on one element each.
std::vector<double> run(const MapCode& map_code, const std::vector<double>& inputs,
                        const std::vector<double>& constants) {
  std::vector<kernels::MapInput> map_inputs;
  for (const double& input : inputs) {
    map_inputs.push_back({&input, DType::float64, {1}});
  }
  std::vector<double> results(map_code.result_registers.size());
  std::vector<kernels::MapOutput> outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    outputs.push_back({&results[i], DType::float64, map_code.result_registers[i]});
  }
  kernels::map("test",
               {map_code.code.data(), map_code.code.size(), constants.data(), constants.size(), map_code.register_count,
                DType::float64, map_inputs.data(), map_inputs.size(), outputs.data(), outputs.size(), Shape{1}});
  return results;
}

/// The same by the table of primitives, step by step.
std::vector<double> evaluate(const Steps& steps, const Values& wanted, std::vector<double> values,
                             const std::vector<double>& constants) {
  values.insert(values.end(), constants.begin(), constants.end());
  for (const Program::Step& step : steps) {
    values.push_back(detail::primitive(step.code).evaluate(values[step.operands[0]], values[step.operands[1]]));
  }
  std::vector<double> results;
  for (const std::uint32_t value : wanted) {
    results.push_back(values[value]);
  }
  return results;
}

BOOST_AUTO_TEST_CASE(an_adam_update_is_four_instructions) {
  // inputs g, w, m, v, alpha, c; constants 0.9, 0.1, 0.99, 0.01, 1e-8
  const Steps steps{{Opcode::multiply, {6, 2}}, {Opcode::multiply, {7, 0}},  {Opcode::add, {11, 12}},
                    {Opcode::multiply, {8, 3}}, {Opcode::multiply, {0, 0}},  {Opcode::multiply, {9, 15}},
                    {Opcode::add, {14, 16}},    {Opcode::multiply, {17, 5}}, {Opcode::sqrt, {18}},
                    {Opcode::add, {19, 10}},    {Opcode::multiply, {4, 13}}, {Opcode::divide, {21, 20}},
                    {Opcode::subtract, {1, 22}}};
  const Values results{23, 13, 17};
  const std::vector<double> constants{0.9, 0.1, 0.99, 0.01, 1e-8};
  const MapCode map_code = assemble({6, constants, steps, results});
  const std::vector<Opcode> expected{Opcode::add_products, Opcode::add_product_and_square, Opcode::sqrt_product_add,
                                     Opcode::subtract_product_quotient};
  BOOST_TEST((opcodes(map_code) == expected));
  BOOST_TEST(map_code.register_count == 14);
  const std::vector<double> inputs{0.3, 1.2, -0.4, 0.7, 1e-3, 1.5};
  BOOST_TEST(run(map_code, inputs, constants) == evaluate(steps, results, inputs, constants),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(chains_come_together) {
  // inputs g, w, m, v, alpha, c; constants 0.1, 0.99, 0.01, 1e-8: m' = m + 0.1 (g - m), v', root, w'
  const Steps steps{{Opcode::subtract, {0, 2}}, {Opcode::multiply, {6, 10}}, {Opcode::add, {2, 11}},
                    {Opcode::multiply, {7, 3}}, {Opcode::multiply, {0, 0}},  {Opcode::multiply, {8, 14}},
                    {Opcode::add, {13, 15}},    {Opcode::multiply, {16, 5}}, {Opcode::sqrt, {17}},
                    {Opcode::add, {18, 9}},     {Opcode::multiply, {4, 12}}, {Opcode::divide, {20, 19}},
                    {Opcode::subtract, {1, 21}}};
  const std::vector<double> constants{0.1, 0.99, 0.01, 1e-8};
  const std::vector<double> inputs{0.3, 1.2, -0.4, 0.7, 1e-3, 1.5};
  const Values results{22, 12, 16};
  const MapCode map_code = assemble({6, constants, steps, results});
  const std::vector<Opcode> expected{Opcode::add_product_and_square, Opcode::sqrt_product_add,
                                     Opcode::multiply_difference_add, Opcode::subtract_product_quotient};
  BOOST_TEST((opcodes(map_code) == expected));
  BOOST_TEST(run(map_code, inputs, constants) == evaluate(steps, results, inputs, constants),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(joins_on_either_side) {
  const auto joined = [](const Steps& steps) {
    const Values results{static_cast<std::uint32_t>(steps.size() + 2)};
    return opcodes(assemble({3, {}, steps, results}));
  };
  using Opcodes = std::vector<Opcode>;
  BOOST_TEST((joined({{Opcode::multiply, {0, 1}}, {Opcode::add, {3, 2}}}) == Opcodes{Opcode::multiply_add}));
  BOOST_TEST((joined({{Opcode::multiply, {0, 1}}, {Opcode::add, {2, 3}}}) == Opcodes{Opcode::multiply_add}));
  BOOST_TEST((joined({{Opcode::multiply, {0, 1}}, {Opcode::subtract, {2, 3}}}) == Opcodes{Opcode::subtract_product}));
  BOOST_TEST((joined({{Opcode::multiply, {0, 1}}, {Opcode::subtract, {3, 2}}}) ==
              Opcodes{Opcode::multiply, Opcode::subtract}));
  BOOST_TEST((joined({{Opcode::subtract, {0, 1}}, {Opcode::multiply, {2, 3}}, {Opcode::add, {1, 4}}}) ==
              Opcodes{Opcode::multiply_difference_add}));
  BOOST_TEST((joined({{Opcode::subtract, {0, 1}}, {Opcode::multiply, {3, 2}}, {Opcode::add, {4, 1}}}) ==
              Opcodes{Opcode::multiply_difference_add}));
  BOOST_TEST((joined({{Opcode::subtract, {0, 1}}, {Opcode::multiply, {0, 2}}, {Opcode::add, {4, 3}}}) ==
              Opcodes{Opcode::subtract, Opcode::multiply_add}));
  BOOST_TEST((joined({{Opcode::multiply, {0, 1}}, {Opcode::divide, {3, 2}}}) == Opcodes{Opcode::product_quotient}));
  BOOST_TEST(
      (joined({{Opcode::multiply, {0, 1}}, {Opcode::divide, {2, 3}}}) == Opcodes{Opcode::multiply, Opcode::divide}));
}

BOOST_AUTO_TEST_CASE(what_is_used_twice_stays_a_step) {
  const Steps steps{
      {Opcode::multiply, {0, 1}}, {Opcode::add, {2, 0}}, {Opcode::subtract, {1, 2}}, {Opcode::divide, {3, 4}}};
  const Values quotient{5};
  BOOST_TEST(assemble({2, {}, steps, quotient}).code.size() == 4U);
  const Values product_and_sum{2, 3};
  BOOST_TEST(assemble({2, {}, steps, product_and_sum}).code.size() == 2U);
  const Values sum{3};
  BOOST_TEST(assemble({2, {}, steps, sum}).code.size() == 1U);
}

BOOST_AUTO_TEST_CASE(results_that_no_step_computes) {
  const Values results{1, 0, 2, 1};
  const MapCode map_code = assemble({2, {0.5}, {{Opcode::add, {0, 1}}}, results});
  BOOST_TEST(map_code.code.empty());
  BOOST_TEST(map_code.register_count == 3);
  BOOST_TEST(map_code.result_registers == std::vector<std::uint16_t>({1, 0, 2, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(random_steps) {
  std::mt19937 engine(7);
  const auto below = [&](std::size_t n) { return static_cast<std::uint32_t>(engine() % n); };
  constexpr Opcode codes[] = {Opcode::add,  Opcode::add,      Opcode::subtract, Opcode::multiply, Opcode::multiply,
                              Opcode::sqrt, Opcode::multiply, Opcode::divide,   Opcode::maximum,  Opcode::negative};
  const std::vector<double> inputs{0.3, -1.7, 2.9};
  const std::vector<double> constants{0.1, 3};
  for (int round = 0; round < 2000; ++round) {
    Steps steps;
    const std::size_t count = 1 + below(24);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t known = 5 + i;
      // Mostly recent values: chains are what is joined.
      const auto operand = [&] {
        return static_cast<std::uint32_t>(below(3) == 0 ? below(known)
                                                        : known - 1 - below(std::min<std::size_t>(known, 4)));
      };
      const std::uint32_t a = operand();
      steps.push_back({codes[below(std::size(codes))], {a, below(4) == 0 ? a : operand()}});
    }
    Values results;
    for (std::uint32_t i = 0; i <= below(4); ++i) {
      results.push_back(below(5 + count));
    }
    const std::vector<double> found = run(assemble({3, constants, steps, results}), inputs, constants);
    const std::vector<double> expected = evaluate(steps, results, inputs, constants);
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_TEST((found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))),
                 "round " << round << ": " << found[i] << " is not " << expected[i]);
    }
  }
}

namespace {

std::vector<double> run(const detail::ScalarCode& code, std::vector<double> registers) {
  registers.resize(code.register_count);
  kernels::run_scalars(DType::float64, code.code.data(), code.code.size(), registers.data());
  std::vector<double> results;
  for (const std::uint32_t result : code.result_registers) {
    results.push_back(registers[result]);
  }
  return results;
}

}  // namespace

BOOST_AUTO_TEST_CASE(long_code_on_single_numbers_gives_what_the_steps_say_in_long_runs) {
  std::mt19937 random(5);
  Program program{3, {0.25}, {}, {}};
  constexpr Opcode codes[] = {Opcode::add, Opcode::multiply, Opcode::sin, Opcode::minimum, Opcode::subtract};
  for (std::uint32_t i = 0; i < 20'000; ++i) {  // of numbers at most a thousand steps back
    const auto operand = [&] {
      const std::uint32_t known = 4 + i;
      return known - 1 - static_cast<std::uint32_t>(random() % std::min(known, 1000U));
    };
    const std::uint32_t a = operand();
    program.steps.push_back({codes[random() % std::size(codes)], {a, operand(), 0}});
    program.steps.push_back({Opcode::minimum, {static_cast<std::uint32_t>(program.value_count()) - 1, 3, 0}});
    program.results.push_back(static_cast<std::uint32_t>(program.value_count()) - 1);
  }
  const std::vector<double> inputs{0.5, -1.5, 2};
  const detail::ScalarCode code = detail::assemble_scalars(program);
  const std::vector<double> found = run(code, {0.5, -1.5, 2, 0.25});
  const MapCode narrow = assemble({3,
                                   {0.25},
                                   {program.steps.begin(), program.steps.begin() + 20'000},
                                   {program.results.begin(), program.results.begin() + 10'000}});
  const std::vector<double> expected = run(narrow, inputs, {0.25});
  int different = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    different += found[i] != expected[i] && !(std::isnan(found[i]) && std::isnan(expected[i]));
  }
  BOOST_TEST(different == 0);
  std::size_t runs = 0;
  for (std::size_t i = 0; i < code.code.size(); i += code.code[i].alike) {
    ++runs;
  }
  BOOST_TEST(runs * 10 < code.code.size());
}

BOOST_AUTO_TEST_CASE(runs_of_any_length_are_computed) {
  Program program{2, {}, {}, {}};
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    program.steps.push_back({Opcode::add, {0, 1, 0}});
    program.results.push_back(2 + i);
  }
  const std::vector<double> found = run(detail::assemble_scalars(program), {1, 2});
  BOOST_TEST(std::count(found.begin(), found.end(), 3.0) == 200'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
