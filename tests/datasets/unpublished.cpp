#include "datasets/unpublished.hpp"

#include <csignal>
#include <string>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/datasets.hpp"
#include "datasets/output_file.hpp"
#include "nn/checkpoint.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_unpublished)

namespace {

using namespace xgrad;
using datasets::Unpublished;
using testing::check_throws;
namespace fs = std::filesystem;

const Array numbers = to_array(xt::xarray<double>{1, 2, 3});

/// Takes what root may do, for a while.
class AsNobody {
 public:
  AsNobody() { BOOST_TEST_REQUIRE(::seteuid(::geteuid() == 0 ? 65534 : ::geteuid()) == 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() { BOOST_TEST(::seteuid(::getuid()) == 0); }
};

/// No file may become longer, for a while: as when a disk is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit less = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &less);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_ = {};
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

}  // namespace

struct Place : testing::TemporaryFolder {
  fs::path file = folder / "numbers.npy";
  fs::path state = folder / "state";

  auto entries() const { return std::distance(fs::directory_iterator(folder), fs::directory_iterator()); }
};

BOOST_FIXTURE_TEST_CASE(names_are_random_and_beside_the_target, Place) {
  const Unpublished one(file, Unpublished::Kind::file, 0600);
  const Unpublished other(file, Unpublished::Kind::file, 0600);  // which leaves the first one alone
  BOOST_TEST(entries() == 2);
  BOOST_TEST((one.path() != other.path()));
  const std::string name = one.path().filename();
  BOOST_TEST((one.path().parent_path() == folder));
  BOOST_TEST(name.size() == std::string(".numbers.npy.0123456789abcdef.part").size());
  BOOST_TEST(name.starts_with(".numbers.npy."));
  BOOST_TEST(name.ends_with(".part"));
  const Unpublished here("here.npy", Unpublished::Kind::file, 0600);
  BOOST_TEST((here.path().parent_path() == fs::path()));
}

BOOST_FIXTURE_TEST_CASE(long_names_are_cut_between_characters, Place) {
  datasets::write_npy(folder / std::string(255, 'n'), numbers);  // the longest name that there can be
  std::string wide;
  while (wide.size() < 250) {
    wide += "\u00e9";
  }
  for (const std::string& name : {wide, "n" + wide}) {
    const Unpublished one(folder / name, Unpublished::Kind::file, 0600);
    BOOST_TEST_REQUIRE(one.descriptor() >= 0);
    const std::string made = one.path().filename();
    const std::string kept = made.substr(1, made.size() - std::string(".0123456789abcdef.part").size() - 1);
    BOOST_TEST(name.starts_with(kept));
    BOOST_TEST(kept.size() > 200U);
    BOOST_TEST((kept.size() - (name[0] == 'n' ? 1 : 0)) % 2 == 0U);
    nn::write_state(folder / name, {{"w", numbers}});  // whose longest name is longer
    BOOST_TEST(nn::read_state(folder / name).size() == 1U);
    fs::remove_all(folder / name);
  }
  BOOST_TEST(entries() == 1);
}

BOOST_FIXTURE_TEST_CASE(what_killed_writers_left_vanishes, Place) {
  const fs::path left = folder / ".numbers.npy.0123456789abcdef.part";
  const fs::path left_state = folder / ".state.0123456789abcdef.part";
  const std::vector<fs::path> others = {
      folder / ".numbers.npz.0123456789abcdef.part",  folder / ".numbers.npy.0123456789abcdeg.part",
      folder / ".numbers.npy.0123456789abcdef.parts", folder / ".numbers.npy.part",
      folder / ".numbers.npy.0123456789abcde.part",   folder / "numbers.npy.0123456789abcdef.part"};
  for (const fs::path& other : others) {
    testing::write_bytes(other, "mine");
  }
  testing::write_bytes(left, "some");
  BOOST_TEST_REQUIRE(::chmod(left.c_str(), 0400) == 0);
  fs::create_directory(left_state);
  testing::write_bytes(left_state / "0.weight.npy", "some");
  datasets::write_npy(file, numbers);
  BOOST_TEST(!fs::exists(left));
  BOOST_TEST(fs::exists(left_state));  // of another target
  nn::write_state(state, {{"w", numbers}});
  BOOST_TEST(!fs::exists(left_state));
  for (const fs::path& other : others) {
    BOOST_TEST(fs::exists(other), other);
  }
  BOOST_TEST(entries() == 2 + static_cast<int>(others.size()));
}

BOOST_FIXTURE_TEST_CASE(what_a_living_writer_holds_stays, Place) {
  datasets::OutputFile one("one", file);
  one.write("one");
  datasets::write_npy(file, numbers);
  BOOST_TEST(entries() == 2);
  one.publish();
  BOOST_TEST(testing::read_bytes(file) == "one");
  BOOST_TEST(entries() == 1);
  const Unpublished folder_in_work(state, Unpublished::Kind::folder, 0700);
  nn::write_state(state, {{"w", numbers}});
  BOOST_TEST(fs::is_directory(folder_in_work.path()));
}

// Links under such a name were made by somebody else, and are not followed.
BOOST_FIXTURE_TEST_CASE(links_in_the_way_are_left_alone, Place) {
  const fs::path precious = folder / "precious";
  testing::write_bytes(precious, "gold");
  fs::create_symlink(precious, folder / ".numbers.npy.0123456789abcdef.part");
  datasets::write_npy(file, numbers);
  BOOST_TEST(testing::read_bytes(precious) == "gold");
  BOOST_TEST(fs::is_symlink(folder / ".numbers.npy.0123456789abcdef.part"));
}

// As where the system cannot exchange two folders at once, and the writer was killed between the two steps.
BOOST_FIXTURE_TEST_CASE(a_state_that_was_set_aside_goes_back, Place) {
  nn::write_state(state, {{"old", numbers}});
  const fs::path fresh = folder / ".state.0123456789abcdef.part";
  const fs::path aside = folder / ".state.0123456789abcdef.part.old";
  fs::create_directory(fresh);
  fs::rename(state, aside);
  {
    const Unpublished next(state, Unpublished::Kind::folder, 0700);
    BOOST_TEST((next.aside() == next.path().string() + ".old"));
  }
  BOOST_TEST(nn::read_state(state).contains("old"));
  BOOST_TEST(entries() == 1);
  fs::create_directory(aside);  // killed after both steps
  nn::write_state(state, {{"new", numbers}});
  BOOST_TEST(nn::read_state(state).contains("new"));
  BOOST_TEST(entries() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_full_disk_leaves_what_was_there, Place) {
  const fs::path table = folder / "table.csv.gz";
  datasets::write_npy(file, numbers);
  testing::write_bytes(table, "old");
  nn::write_state(state, {{"old", numbers}});
  const Array large(Shape{20'000}, DType::uint8);
  const FullDisk full(10'000);
  check_throws<FileError>([&] { datasets::write_npy(file, large); }, {"[write_npy] ", "numbers.npy", "too large"});
  check_throws<FileError>(
      [&] {
        nn::write_state(state, {{"a", numbers}, {"b", large}});
      },
      {"[write_npy] ", "b.npy", "too large", "unpublished.cpp:"});
  check_throws<FileError>(
      [&] {
        datasets::CsvWriter writer(table, {"random"});
        for (random::Key key(0);; key = key.fold(1)) {
          writer.record(random::uniform(key, {}).item<float>());
        }
      },
      {"[CsvWriter] ", "table.csv.gz", "too large"});
  BOOST_TEST(datasets::read_npy(file).size() == 3);
  BOOST_TEST(nn::read_state(state).contains("old"));
  BOOST_TEST(testing::read_bytes(table) == "old");
  BOOST_TEST(entries() == 3);
}

BOOST_FIXTURE_TEST_CASE(a_folder_without_rights_is_named, Place) {
  datasets::write_npy(file, numbers);
  nn::write_state(state, {{"old", numbers}});
  fs::permissions(folder, fs::perms(0555));
  {
    const AsNobody nobody;
    check_throws<FileError>([&] { datasets::write_npy(file, numbers); }, {"[write_npy] ", "numbers.npy", "denied"});
    check_throws<FileError>([&] { nn::write_state(state, {{"a", numbers}}); }, {"[write_state] ", "state", "denied"});
    check_throws<FileError>(
        [&] {
          nn::write_state(folder / "a" / "b", {{"a", numbers}});
        },
        {"[write_state] ", "denied"});
  }
  BOOST_TEST(datasets::read_npy(file).size() == 3);
  BOOST_TEST(nn::read_state(state).contains("old"));
  BOOST_TEST(entries() == 2);
  // Entries may be made in it, but not read.
  fs::permissions(folder, fs::perms(0333));
  {
    const AsNobody nobody;
    datasets::write_npy(folder / "new.npy", numbers);
    nn::write_state(folder / "new", {{"a", numbers}});
  }
  fs::permissions(folder, fs::perms(0755));
  BOOST_TEST(datasets::read_npy(folder / "new.npy").size() == 3);
  BOOST_TEST(nn::read_state(folder / "new").size() == 1U);
  BOOST_TEST(entries() == 4);
}

BOOST_FIXTURE_TEST_CASE(a_folder_that_vanishes_is_named, Place) {
  const fs::path inner = folder / "inner";
  check_throws<FileError>([&] { datasets::write_npy(inner / "a.npy", numbers); }, {"[write_npy] ", "inner", "No such"});
  fs::create_directory(inner);
  datasets::OutputFile writer("writer", inner / "a.npy");
  writer.write("some");
  fs::remove_all(inner);
  check_throws<FileError>([&] { writer.publish(); }, {"[writer] ", "a.npy", "No such"});
  BOOST_TEST(entries() == 0);
  fs::create_symlink("nowhere/a.npy", folder / "link.npy");
  check_throws<FileError>([&] { datasets::write_npy(folder / "link.npy", numbers); }, {"[write_npy] ", "No such"});
  BOOST_TEST(entries() == 1);
}

BOOST_FIXTURE_TEST_CASE(folders_are_made_one_in_another, Place) {
  BOOST_TEST(datasets::make_folders(folder / "a" / "b" / "c"));
  BOOST_TEST(fs::is_directory(folder / "a" / "b" / "c"));
  BOOST_TEST(datasets::make_folders(folder / "a" / "b"));
  BOOST_TEST(datasets::make_folders(""));
  testing::write_bytes(folder / "file", "");
  BOOST_TEST(!datasets::make_folders(folder / "file" / "a"));
  BOOST_TEST(errno == ENOTDIR);
}

BOOST_AUTO_TEST_SUITE_END()
