#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/golden/comparison.hpp"

BOOST_AUTO_TEST_SUITE(golden)

namespace {

using xgrad::golden::Verdict;

std::vector<Verdict> compare(const std::string& file) {
  return xgrad::golden::compare_file(std::filesystem::path(XGRAD_SOURCE_ROOT) / "tests/golden/data" / file);
}

/// Whether all cases agree, but for those whose subject contains one of \p missing: what xgrad does not have must
/// disagree, so that the list shrinks as soon as it has.
void check_file(const std::string& file, std::size_t cases, const std::vector<std::string_view>& missing = {}) {
  const std::vector<Verdict> verdicts = compare(file);
  BOOST_TEST(verdicts.size() == cases);
  for (const Verdict& verdict : verdicts) {
    const bool expected = std::none_of(missing.begin(), missing.end(), [&](std::string_view part) {
      return verdict.subject.find(part) != std::string::npos;
    });
    BOOST_TEST(
        verdict.agrees() == expected,
        verdict.subject << ": " << (verdict.agrees() ? "agrees, but is listed as missing" : verdict.disagreement));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(unary) { check_file("unary.json", 73); }
BOOST_AUTO_TEST_CASE(binary) { check_file("binary.json", 60); }
BOOST_AUTO_TEST_CASE(reduce) { check_file("reduce.json", 120); }
BOOST_AUTO_TEST_CASE(shape) { check_file("shape.json", 24); }
BOOST_AUTO_TEST_CASE(linalg) { check_file("linalg.json", 25); }

BOOST_AUTO_TEST_CASE(nn) { check_file("nn.json", 28); }

BOOST_AUTO_TEST_CASE(recurrent) { check_file("recurrent.json", 16); }

BOOST_AUTO_TEST_CASE(optimizers) { check_file("optimizers.json", 20); }
BOOST_AUTO_TEST_CASE(schedules) { check_file("schedules.json", 8); }

BOOST_AUTO_TEST_SUITE_END()
