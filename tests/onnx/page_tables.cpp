#include "tests/onnx/page_tables.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

namespace xgrad::testing {

namespace {

const char* const page_path = XGRAD_SOURCE_ROOT "/docs/onnx.md";

std::string read_page() {
  std::ostringstream text;
  text << std::ifstream(page_path).rdbuf();
  return text.str();
}

}  // namespace

void check_tables(const std::string& name, const std::string& made) {
  const std::string begin_mark = "<!-- " + name + ": written by script/onnx_tables -->\n";
  const std::string end_mark = "<!-- end of " + name + " -->\n";
  const std::string page = read_page();
  const std::size_t begin = page.find(begin_mark);
  const std::size_t end = page.find(end_mark);
  BOOST_REQUIRE(begin != std::string::npos);
  BOOST_REQUIRE(end != std::string::npos);
  const std::string wanted = page.substr(0, begin + begin_mark.size()) + made + page.substr(end);
  if (std::getenv("XGRAD_WRITE_ONNX_TABLES") != nullptr) {
    std::ofstream(page_path) << wanted;
  }
  BOOST_TEST((read_page() == wanted),
             "docs/onnx.md is not what the code gives: write it again with script/onnx_tables");
}

}  // namespace xgrad::testing
