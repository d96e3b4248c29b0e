#include "nn/checkpoint.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_checkpoint)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::elements;

}  // namespace

struct Files : testing::TemporaryFolder {
  nn::Sequential model{nn::Dense(2, 3), nn::BatchNorm(3)};
  std::filesystem::path at = folder / "state";

  auto entries() const {
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  }
};

BOOST_FIXTURE_TEST_CASE(a_state_comes_back, Files) {
  model.initialize(random::Key(3));
  nn::write_state(at, model.state());
  nn::write_state(folder / "state/", model.state());  // the same folder
  BOOST_TEST(std::filesystem::exists(at / "0.weight.npy"));
  BOOST_TEST(entries() == 1);  // nothing temporary is left
  nn::Sequential other = model.clone();
  other.initialize(random::Key(4));
  other.load_state(nn::read_state(at));
  for (const auto& [name, array] : model.state()) {
    BOOST_TEST((elements(Tensor(other.state().at(name))) == elements(Tensor(array))), name);
  }
}

BOOST_FIXTURE_TEST_CASE(a_state_replaces_another_as_a_whole, Files) {
  nn::write_state(at, {{"old", ones({2}).array()}});
  nn::write_state(at, {{"new", ones({3}).array()}});
  const nn::State state = nn::read_state(at);
  BOOST_TEST(state.size() == 1u);
  BOOST_TEST(state.contains("new"));

  // Something goes wrong after the first file: what was there stays.
  check_throws<ValueError>(
      [&] {
        nn::write_state(at, {{"a", ones({2}).array()}, {"b/c", ones({2}).array()}});
      },
      {"[write_state] ", "b/c", "checkpoint.cpp:"});
  BOOST_TEST(nn::read_state(at).contains("new"));
  BOOST_TEST(entries() == 1);
}

BOOST_FIXTURE_TEST_CASE(rights_and_links_of_states_stay, Files) {
  nn::write_state(at, model.state());
  std::filesystem::permissions(at, std::filesystem::perms::owner_all);
  std::filesystem::create_symlink("state", folder / "link");
  nn::write_state(folder / "link", {{"new", ones({3}).array()}});
  BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
  BOOST_TEST(nn::read_state(at).contains("new"));
  BOOST_TEST((std::filesystem::status(at).permissions() == std::filesystem::perms::owner_all));
  BOOST_TEST(entries() == 2);
  nn::write_state(folder / "in" / "folders" / "of its own", model.state());
  BOOST_TEST(entries() == 3);
  const std::filesystem::path cut = folder / std::string("a\0b", 3);
  check_throws<FileError>([&] { nn::write_state(cut, model.state()); },
                          {"[write_state] ", "NUL byte", "checkpoint.cpp:"});
  check_throws<FileError>([&] { nn::read_state(cut); }, {"[read_state] ", "NUL byte"});
  check_throws<ValueError>(
      [&] {
        nn::write_state(at, {{std::string("a\0b", 3), ones({3}).array()}});
      },
      {"a\\x00b", "rename"});
}

// Tensors are taken wherever arrays are.
BOOST_FIXTURE_TEST_CASE(a_state_is_made_of_tensors_too, Files) {
  const Tensor weight = 2 * ones({2, 3});
  nn::State state = model.state();
  state["0.weight"] = weight;
  model.load_state(state);
  BOOST_TEST(elements(model.variables()[0]) == std::vector<double>(6, 2));
  datasets::write_npy(folder / "w.npy", weight);
  BOOST_TEST(elements(Tensor(datasets::read_npy(folder / "w.npy"))) == std::vector<double>(6, 2));
  datasets::write_pgm(folder / "w.pgm", reshape(weight, {1, 2, 3}));
  BOOST_TEST(std::filesystem::exists(folder / "w.pgm"));
  nn::write_state(at, {{"w", weight}});
  BOOST_TEST(nn::read_state(at).at("w").size() == 6);
  check_throws<ValueError>([&] { model.load_state(nn::read_state(at)); },
                           {"[load_state] ", "lacks '0.weight'", "checkpoint.cpp:"});
  state["\x1b[2J"] = weight;
  check_throws<ValueError>([&] { model.load_state(state); }, {"the state has '\\x1b[2J'", "checkpoint.cpp:"});
}

BOOST_FIXTURE_TEST_CASE(broken_states_are_refused, Files) {
  check_throws<FileError>([&] { nn::read_state(at); }, {"[read_state] ", "state", "checkpoint.cpp:"});
  std::filesystem::create_directory(at);
  check_throws<FileError>([&] { nn::read_state(at); }, {"[read_state] ", "no NPY files"});
  nn::write_state(at, model.state());
  const auto file = at / "0.weight.npy";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  check_throws<FileError>([&] { nn::read_state(at); }, {"0.weight.npy", "checkpoint.cpp:"});
  std::filesystem::remove(file);
  check_throws<ValueError>([&] { model.load_state(nn::read_state(at)); }, {"[load_state] ", "'0.weight'"});
}

BOOST_FIXTURE_TEST_CASE(what_is_no_state_is_not_replaced, Files) {
  std::filesystem::create_directory(at);
  std::ofstream(at / "letter.txt") << "dear";
  check_throws<FileError>([&] { nn::write_state(at, model.state()); }, {"[write_state] ", "another name"});
  check_throws<FileError>([&] { nn::write_state(at / "letter.txt", model.state()); }, {"[write_state] "});
  check_throws<FileError>([&] { nn::write_state(at / "letter.txt" / "x", model.state()); }, {"[write_state] "});
  BOOST_TEST(std::filesystem::exists(at / "letter.txt"));
  check_throws<ValueError>([&] { nn::write_state("", model.state()); }, {"empty"});
  check_throws<ValueError>([&] { nn::write_state(folder / "none", {}); }, {"empty"});
}

BOOST_AUTO_TEST_SUITE_END()
