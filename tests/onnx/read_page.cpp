#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/runtime/phrase.hpp"
#include "onnx/import/operators.hpp"
#include "tests/onnx/page_tables.hpp"

/// \file
/// The tables of operators that are read, in docs/onnx.md, are those of the code.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_read_page)

namespace {

using onnx::loading::Operator;

std::vector<Operator> sorted_operators() {
  std::vector<Operator> rows;
  for (const auto& family : onnx::loading::operator_families()) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  std::sort(rows.begin(), rows.end(), [](const Operator& a, const Operator& b) {
    return std::tuple(a.domain, a.name, a.since) < std::tuple(b.domain, b.name, b.since);
  });
  return rows;
}

std::string sets_of(const Operator& row) {
  return row.until == onnx::loading::any_opset ? phrase("{}", row.since) : phrase("{} to {}", row.since, row.until);
}

/// One line per operator, whatever the number of its rows.
std::string make_tables() {
  std::string text = "\n| operator | sets of operators |\n| --- | --- |\n";
  std::string name, sets;
  const auto finish = [&] {
    if (!name.empty()) {
      text += phrase("| `{}` | {} |\n", name, sets);
    }
  };
  for (const Operator& row : sorted_operators()) {
    const std::string full = row.domain.empty() ? std::string(row.name) : phrase("{}.{}", row.domain, row.name);
    if (full == name) {
      sets += ", " + sets_of(row);
    } else {
      finish();
      name = full;
      sets = sets_of(row);
    }
  }
  finish();
  text += "\n| not supported | because |\n| --- | --- |\n";
  for (const auto& [type, reason] : onnx::loading::unsupported_operators()) {
    text += phrase("| `{}` | {} |\n", type, reason);
  }
  return text + "\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_page_says_what_is_read) { testing::check_tables("operators that are read", make_tables()); }

BOOST_AUTO_TEST_CASE(rows_of_one_operator_do_not_overlap) {
  const std::vector<Operator> rows = sorted_operators();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    BOOST_TEST(rows[i].since <= rows[i].until, rows[i].name);
    BOOST_TEST(rows[i].inputs.least <= rows[i].inputs.most, rows[i].name);
    if (i > 0 && rows[i].name == rows[i - 1].name && rows[i].domain == rows[i - 1].domain) {
      BOOST_TEST(rows[i - 1].until < rows[i].since, rows[i].name);
    }
  }
  for (const auto& unsupported : onnx::loading::unsupported_operators()) {
    const bool known =
        std::any_of(rows.begin(), rows.end(), [&](const Operator& row) { return row.name == unsupported.name; });
    BOOST_TEST(!known, unsupported.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
