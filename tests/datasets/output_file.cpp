#include "datasets/output_file.hpp"

#include <cstdlib>
#include <string>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/datasets.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_output_file)

namespace {

using namespace xgrad;
using testing::check_throws;
namespace fs = std::filesystem;

const Array numbers = to_array(xt::xarray<std::uint8_t>{1, 2, 3});

mode_t rights(const fs::path& path) {
  struct stat status = {};
  BOOST_TEST_REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

struct Fixture : testing::TemporaryFolder {
  fs::path file = folder / "numbers.npy";

  auto entries() const { return std::distance(fs::directory_iterator(folder), fs::directory_iterator()); }
};

BOOST_FIXTURE_TEST_CASE(the_rights_of_what_is_replaced_stay, Fixture) {
  const mode_t mask = ::umask(022);
  datasets::write_npy(file, numbers);
  BOOST_TEST(rights(file) == 0644U);
  for (const mode_t mode : {0600U, 0640U, 0664U, 0444U}) {
    BOOST_TEST_REQUIRE(::chmod(file.c_str(), mode) == 0);
    datasets::write_npy(file, numbers);
    BOOST_TEST(rights(file) == mode);
  }
  ::umask(mask);
  BOOST_TEST(entries() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_link_is_followed, Fixture) {
  const fs::path target = folder / "target.npy";
  fs::create_directory(folder / "links");
  fs::create_symlink("../target.npy", folder / "links" / "second.npy");
  fs::create_symlink(folder / "links" / "second.npy", file);
  for (int round = 0; round < 2; ++round) {  // to what is not there yet, and to what is
    datasets::write_npy(file, numbers);
    BOOST_TEST(fs::is_symlink(file));
    BOOST_TEST(fs::is_regular_file(fs::symlink_status(target)));
    BOOST_TEST(datasets::read_npy(target).size() == 3);
  }
  fs::create_symlink("circle.npy", folder / "circle.npy");
  check_throws<FileError>([&] { datasets::write_npy(folder / "circle.npy", numbers); }, {"[write_npy] ", "circle"});
  BOOST_TEST(entries() == 4);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_ordinary_file_is_written_to, Fixture) {
  const fs::path pipe = folder / "pipe.pgm";
  BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  BOOST_TEST_REQUIRE(reader >= 0);
  datasets::write_pgm(pipe, numbers.reshaped({1, 1, 3}));
  std::string text(64, ' ');
  const ssize_t size = ::read(reader, text.data(), text.size());
  ::close(reader);
  BOOST_TEST(text.substr(0, static_cast<std::size_t>(size)) == "P5\n3 1\n255\n\x01\x02\x03");
  BOOST_TEST(fs::is_fifo(pipe));
  datasets::write_npy("/dev/null", numbers);
  BOOST_TEST(fs::is_character_file("/dev/null"));
  check_throws<FileError>([&] { datasets::write_npy(folder, numbers); }, {"[write_npy] ", "irectory"});
}

BOOST_FIXTURE_TEST_CASE(names_that_the_system_would_cut_are_refused, Fixture) {
  const fs::path cut = folder / std::string("secret\0.npy", 11);
  check_throws<FileError>([&] { datasets::write_npy(cut, numbers); }, {"[write_npy] ", "secret\\x00.npy", "NUL byte"});
  check_throws<FileError>([&] { datasets::read_npy(cut); }, {"[read_npy] ", "NUL byte"});
  check_throws<FileError>([&] { datasets::write_npy("", numbers); }, {"[write_npy] ", "is empty"});
  check_throws<FileError>([&] { datasets::read_csv(""); }, {"[read_csv] ", "is empty"});
  BOOST_TEST(fs::is_empty(folder));
}

BOOST_AUTO_TEST_SUITE_END()
