#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/formula/primitives.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/formulas.hpp"
#include "onnx/operators.hpp"
#include "onnx/primitives.hpp"
#include "onnx/version.hpp"
#include "tests/onnx/page_tables.hpp"

/// \file
/// The tables in docs/onnx.md are those of the code.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_page)

namespace {

/// The operators that a primitive is made of, each once, as they come.
std::string operators_of(const onnx::PrimitiveRow& row, int operand_count) {
  if (row.compose == nullptr) {
    return phrase("`{}`", row.op_type);
  }
  onnx::proto::GraphProto graph;
  onnx::GraphWriter writer(graph);
  std::vector<std::string> operands;
  for (int i = 0; i < operand_count; ++i) {
    operands.push_back(writer.unique("x"));
  }
  row.compose(onnx::Elementwise(writer, DType::float32), operands);
  std::set<std::string> seen;
  std::string list;
  for (const auto& node : graph.node()) {
    if (seen.insert(node.op_type()).second) {
      list += phrase("{}`{}`", list.empty() ? "" : " ", node.op_type());
    }
  }
  return list;
}

std::string make_tables() {
  std::string text = "\n| primitive | ONNX, in float32 |\n| --- | --- |\n";
  for (const onnx::PrimitiveRow& row : onnx::primitive_rows()) {
    text += phrase("| `{}` | {} |\n", row.name, operators_of(row, detail::primitive(row.code).operand_count));
  }
  text += "\nFormulas with a form of their own, which runtimes know:\n\n| op | ONNX |\n| --- | --- |\n";
  for (const auto& [name, operators] : onnx::formula_forms()) {
    text += phrase("| `{}` | {} |\n", name, operators);
  }
  text += "\n| operation | ONNX | since opset |\n| --- | --- | --- |\n";
  for (const onnx::OperatorRow& row : onnx::operator_rows()) {
    text += phrase("| `{}` | {} | {} |\n", row.name, row.operators, row.since);
  }
  text += "\n| refused | because |\n| --- | --- |\n";
  for (const auto& [name, reason] : onnx::refused_operators()) {
    text += phrase("| `{}` | {} |\n", name, reason);
  }
  return text + "\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_page_says_what_the_code_does) { testing::check_tables("tables", make_tables()); }

BOOST_AUTO_TEST_CASE(rows_are_in_order_and_of_opsets_that_files_have) {
  for (std::size_t i = 0; i < onnx::primitive_rows().size(); ++i) {
    const onnx::PrimitiveRow& row = onnx::primitive_rows()[i];
    BOOST_TEST(static_cast<std::size_t>(row.code) == i);
    BOOST_TEST(row.name == detail::primitive(row.code).name);
  }
  BOOST_TEST(onnx::primitive_rows().size() == static_cast<std::size_t>(kernels::primitive_count));
  for (const onnx::OperatorRow& row : onnx::operator_rows()) {
    BOOST_TEST(row.since <= onnx::opset, row.name);
    BOOST_TEST(onnx::find_operator(row.name) == &row);
    BOOST_TEST(onnx::known_refusal(row.name).empty() == !row.name.starts_with("linalg::"), row.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
