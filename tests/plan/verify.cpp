#include <string_view>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "autograd/plan/passes/passes.hpp"
#include "autograd/runtime/error.hpp"
#include "tests/testing.hpp"

/// \file
/// Drafts as a mistaken pass could leave them.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_verify)

namespace {

using plan::Draft;
using plan::Step;
using testing::CasePerRow;
using testing::check_throws;

// Value 3 = value 0 x value 1, value 4 = value 3 + value 2.
Draft product_and_sum() {
  Draft draft;
  draft.argument_count = 3;
  for (const Shape& shape : {Shape{4, 5}, Shape{5, 6}, Shape{6}}) {
    const plan::ValueId id = draft.add_value({shape, DType::float32});
    draft.values[id].source = plan::Value::Source::argument;
    draft.values[id].number = id;
  }
  Step product;
  product.kind = plan::product_step;
  product.inputs = {0, 1};
  product.outputs = {draft.add_value({{4, 6}, DType::float32})};
  product.product = {false, false, 4, 5, 6};
  Step sum;
  sum.kind = plan::map_step;
  sum.inputs = {3, 2};
  sum.outputs = {draft.add_value({{4, 6}, DType::float32})};
  sum.formula = {{2, {}, {{kernels::Opcode::add, {0, 1}}}, {2}}, DType::float32};
  sum.space = {4, 6};
  draft.outputs = sum.outputs;
  draft.steps = {std::move(product), std::move(sum)};
  return draft;
}

struct Mistake {
  const char* name;
  std::string_view message;
  void (*make)(Draft& draft);
};

constexpr Mistake mistakes[] = {
    {"a_step_too_early", "a step reads a value that is not there yet (value 3)",
     [](Draft& draft) { std::swap(draft.steps[0], draft.steps[1]); }},
    {"a_step_that_is_missing", "an output is not computed (value 4)", [](Draft& draft) { draft.steps.pop_back(); }},
    {"a_step_that_is_there_twice", "a value is computed twice (value 4)",
     [](Draft& draft) { draft.steps.push_back(draft.steps[1]); }},
    {"an_input_more_than_the_formula_has", "a formula's inputs are not the step's",
     [](Draft& draft) { draft.steps[1].inputs.push_back(2); }},
    {"an_output_that_the_formula_does_not_give", "a formula's results are not the step's outputs",
     [](Draft& draft) { draft.steps[1].outputs.push_back(draft.add_value(draft.spec(4))); }},
    {"an_input_of_other_rows", "a map's input does not fit its space (value 0)",
     [](Draft& draft) { draft.steps[1].inputs[1] = 0; }},
    {"a_number_of_a_later_step", "a formula uses a number that is not there yet",
     [](Draft& draft) { draft.steps[1].formula.program.steps[0].operands[1] = 2; }},
    {"a_first_factor_of_another_size", "the sizes of a product do not fit (value 3)",
     [](Draft& draft) { draft.steps[0].product.m = 5; }},
    {"a_second_factor_of_another_size", "the sizes of a product do not fit (value 3)",
     [](Draft& draft) { draft.steps[0].inputs[1] = 2; }},
    {"partial_sums_without_room", "the sizes of a product do not fit (value 3)",
     [](Draft& draft) { draft.steps[0].product.k_slabs = 2; }},
};

const CasePerRow each_mistake_is_found(mistakes, &Mistake::name, [](const Mistake& mistake) {
  Draft draft = product_and_sum();
  mistake.make(draft);
  check_throws<Error>([&] { plan::verify(draft, "fusion"); },
                      {"[plan] after the pass `fusion`, ", mistake.message, "switch the pass off"});
});

}  // namespace

BOOST_AUTO_TEST_CASE(a_valid_draft_passes) { BOOST_CHECK_NO_THROW(plan::verify(product_and_sum(), "fusion")); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
