#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <boost/test/unit_test.hpp>

#include "autograd/error.hpp"

/// \file
/// Test data on disk, and the check of what is said about it.

namespace xgrad::testing {

/// An empty folder, removed with everything in it at the end of the scope: also the fixture of a test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "xgrad-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder can be made");
    }
    folder = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  std::filesystem::path folder;
};

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Whether \p f throws exactly \p E with a message that contains all of \p parts.
template <class E, class F>
void check_error(F&& f, std::initializer_list<std::string_view> parts) {
  try {
    f();
    BOOST_ERROR("nothing was thrown");
  } catch (const E& error) {
    const std::string_view message = error.what();
    BOOST_TEST_CONTEXT("message: " << message) {
      for (std::string_view part : parts) {
        BOOST_TEST((message.find(part) != std::string_view::npos), "the message should contain: " << part);
      }
    }
  }
}

}  // namespace xgrad::testing
