#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/onnx/conformance.hpp"
#include "tests/testing.hpp"

/// \file
/// Cases of ONNX's own, in tests/onnx/conformance.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_conformance)

namespace {

const std::vector<std::filesystem::path> cases =
    onnx::tests::cases_in(std::filesystem::path(XGRAD_SOURCE_ROOT) / "tests" / "onnx" / "conformance");

const testing::CasePerRow each(
    cases, [](const std::filesystem::path& folder) { return folder.filename().string(); },
    [](const std::filesystem::path& folder) { BOOST_TEST(onnx::tests::disagreement(folder) == ""); });

}  // namespace

/// What is compared can differ.
BOOST_AUTO_TEST_CASE(a_wrong_value_disagrees) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "xgrad_tests_conformance";
  std::filesystem::remove_all(folder);
  std::filesystem::copy(cases.front(), folder, std::filesystem::copy_options::recursive);
  BOOST_TEST(onnx::tests::disagreement(folder) == "");
  const std::filesystem::path data = folder / "test_data_set_0";
  std::filesystem::copy_file(data / "input_0.pb", data / "output_0.pb",
                             std::filesystem::copy_options::overwrite_existing);
  BOOST_TEST(onnx::tests::disagreement(folder) != "");
  std::filesystem::remove_all(data);
  BOOST_TEST(onnx::tests::disagreement(folder) == "has no data");
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
