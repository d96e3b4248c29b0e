#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "op_table.hpp"
#include "tests/testing.hpp"

/// \file
/// vmap of every op, against one call per sample.

namespace xgrad::op_table {

BOOST_AUTO_TEST_SUITE(ops_op_vmaps)

namespace {

constexpr std::int64_t samples = 3;

// Samples of an operand that differ, within its domain: the operand with its elements rotated.
Tensor make_samples(const Tensor& operand) {
  const Tensor flat = reshape(operand, {-1, 1});
  Tensors rotated;
  for (std::int64_t i = 0; i < samples; ++i) {
    rotated.push_back(reshape(operand.size() < 2 ? flat : roll(flat, i, 0), operand.shape()));
  }
  return stack(rotated);
}

// The op on operands of which those in `mapped` have an axis of samples in front.
Tensor map_call(const Row& row, const Tensors& operands, const std::vector<bool>& mapped) {
  std::vector<std::int64_t> axes;
  for (const bool has_samples : mapped) {
    axes.push_back(has_samples ? 0 : unmapped);
  }
  const detail::MappedArguments arguments = detail::split_samples(operands, axes);
  return detail::map_samples({row.call(arguments.for_one_sample)}, arguments, 0)[0];
}

void check_case(const Row& row, const Tensors& operands, const std::vector<bool>& mapped) {
  Tensors batched;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    batched.push_back(mapped[i] ? make_samples(operands[i]) : operands[i]);
  }
  const Tensor at_once = map_call(row, batched, mapped);
  for (std::int64_t s = 0; s < samples; ++s) {
    Tensors sample = operands;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      sample[i] = mapped[i] ? batched[i][s] : operands[i];
    }
    const Tensor expected = row.call(sample);
    BOOST_TEST(at_once[s].shape() == expected.shape());
    BOOST_TEST(at_once.dtype() == expected.dtype());
    BOOST_TEST(allclose(at_once[s], expected, 1e-12, 1e-12, true));
  }
}

void check_vmap(const Row& row) {
  const DType dtype = row.takes == Takes::booleans ? DType::boolean : DType::float64;
  for (const std::vector<Input>& inputs : row.cases) {
    const Tensors operands = make_inputs(inputs, dtype);
    if (operands.empty()) {
      continue;  // an op that makes tensors from numbers
    }
    BOOST_TEST_CONTEXT(row.name() << " of " << to_string(operands[0].shape())) {
      check_case(row, operands, std::vector<bool>(operands.size(), true));
      for (std::size_t i = 0; operands.size() > 1 && i < operands.size(); ++i) {
        std::vector<bool> one(operands.size());
        one[i] = true;
        check_case(row, operands, one);
      }
    }
  }
}

}  // namespace

const testing::CasePerRow cases(tensor_rows(), &Row::name, check_vmap);
BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::op_table
