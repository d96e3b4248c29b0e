#include "datasets/fashion_mnist.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "datasets/idx.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_fashion_mnist)

namespace {

using namespace xgrad;
using datasets::Dataset;
using datasets::FashionMnist;
using datasets::MnistFolder;
using datasets::write_idx;
using testing::check_throws;
using testing::write_bytes;

/// Sets XGRAD_DATA, or unsets it, until the end of the scope.
class DataVariable {
 public:
  explicit DataVariable(const char* value) {
    if (const char* before = std::getenv("XGRAD_DATA")) {
      before_ = before;
    }
    set(value);
  }
  DataVariable(const DataVariable&) = delete;
  DataVariable& operator=(const DataVariable&) = delete;
  ~DataVariable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  static void set(const char* value) {
    if (value != nullptr) {
      setenv("XGRAD_DATA", value, 1);
    } else {
      unsetenv("XGRAD_DATA");
    }
  }

  std::optional<std::string> before_;
};

Array make_bytes(const Shape& shape, std::uint8_t modulus) {
  Array array(shape, DType::uint8);
  for (std::int64_t i = 0; i < array.size(); ++i) {
    array.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % modulus);
  }
  return array;
}

}  // namespace

struct Fixture : testing::TemporaryFolder {
  const std::filesystem::path train_images = folder / "train-images-idx3-ubyte";
  const std::filesystem::path train_labels = folder / "train-labels-idx1-ubyte";
  const std::filesystem::path test_images = folder / "t10k-images-idx3-ubyte";
  const std::filesystem::path test_labels = folder / "t10k-labels-idx1-ubyte";

  void write_data_set(std::int64_t rows, std::int64_t columns) const {
    write_idx(train_images, make_bytes({12, rows, columns}, 251));
    write_idx(train_labels, make_bytes({12}, 10));
    write_idx(test_images, make_bytes({5, rows, columns}, 241));
    write_idx(test_labels, make_bytes({5}, 10));
  }
};

BOOST_FIXTURE_TEST_CASE(loads_the_real_data_set, Fixture) {
  const FashionMnist data = FashionMnist::load();
  BOOST_TEST((data.train.features().shape() == Shape{60'000, 28, 28}));
  BOOST_TEST((data.test.features().shape() == Shape{10'000, 28, 28}));
  BOOST_TEST((data.train.features().dtype() == DType::uint8));
  BOOST_TEST((data.train.targets().dtype() == DType::uint8));
  BOOST_TEST(data.train.size() == 60'000);
  BOOST_TEST(data.test.size() == 10'000);

  const auto first_labels = [](const Dataset& split) {
    const std::uint8_t* labels = split.targets().data<std::uint8_t>();
    return std::vector<int>(labels, labels + 4);
  };
  BOOST_TEST(first_labels(data.train) == (std::vector<int>{9, 0, 0, 3}), boost::test_tools::per_element());
  BOOST_TEST(first_labels(data.test) == (std::vector<int>{9, 2, 1, 1}), boost::test_tools::per_element());
  for (const auto& [split, per_class] : {std::pair{&data.train, 6000}, std::pair{&data.test, 1000}}) {
    const std::uint8_t* labels = split->targets().data<std::uint8_t>();
    for (int label = 0; label < 10; ++label) {
      BOOST_TEST(std::count(labels, labels + split->size(), label) == per_class);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(names_its_classes, Fixture) {
  BOOST_TEST(FashionMnist::class_names.front() == "T-shirt/top");
  BOOST_TEST(FashionMnist::class_names.back() == "Ankle boot");
  BOOST_TEST(FashionMnist::image_size == 784);
}

BOOST_FIXTURE_TEST_CASE(loads_any_folder_of_this_layout, Fixture) {
  write_data_set(4, 6);
  const MnistFolder data = MnistFolder::load(folder);
  BOOST_TEST((data.train.features().shape() == Shape{12, 4, 6}));
  BOOST_TEST((data.test.features().shape() == Shape{5, 4, 6}));
  BOOST_TEST(data.test.features().data<std::uint8_t>()[119] == 119);
  BOOST_TEST(data.train.targets().data<std::uint8_t>()[11] == 1);
}

BOOST_FIXTURE_TEST_CASE(takes_compressed_files_and_prefers_plain_ones, Fixture) {
  write_data_set(4, 6);
  std::filesystem::remove(train_images);
  write_idx(folder / "train-images-idx3-ubyte.gz", make_bytes({12, 4, 6}, 7));
  write_bytes(folder / "t10k-labels-idx1-ubyte.gz", "not looked at");
  const MnistFolder data = MnistFolder::load(folder);
  BOOST_TEST(data.train.features().data<std::uint8_t>()[8] == 1);
}

BOOST_FIXTURE_TEST_CASE(finds_the_argument_then_the_variable_then_the_system_folder, Fixture) {
  write_data_set(28, 28);
  const std::filesystem::path absent = folder / "absent";
  {
    const DataVariable variable(absent.c_str());
    BOOST_TEST(FashionMnist::find(folder, absent) == folder);
    BOOST_TEST(FashionMnist::load(folder).train.size() == 12);
  }
  {
    const DataVariable variable(folder.c_str());
    BOOST_TEST(FashionMnist::find({}, absent) == folder);
    BOOST_TEST(FashionMnist::load().train.size() == 12);
  }
  for (const char* unset : {static_cast<const char*>(nullptr), ""}) {
    const DataVariable variable(unset);
    BOOST_TEST(FashionMnist::find({}, folder) == folder);
  }
}

BOOST_FIXTURE_TEST_CASE(a_wrong_place_is_an_error_not_passed_over, Fixture) {
  const std::filesystem::path absent = folder / "absent";
  const DataVariable variable(absent.c_str());
  check_throws<FileError>([&] { FashionMnist::load(folder); },
                          {"[FashionMnist::load] ", folder.native(), "argument", "no file train-images-idx3-ubyte"});
  check_throws<FileError>([&] { FashionMnist::load(); }, {absent.native(), "XGRAD_DATA", "found no folder"});
}

BOOST_FIXTURE_TEST_CASE(names_all_places_when_it_is_in_none, Fixture) {
  const std::filesystem::path absent = folder / "absent";
  const DataVariable variable(nullptr);
  check_throws<FileError>(
      [&] { FashionMnist::find({}, absent); },
      {"argument", "XGRAD_DATA", absent.native(), "install the Debian package dataset-fashion-mnist"});
}

BOOST_FIXTURE_TEST_CASE(rejects_images_of_another_size, Fixture) {
  for (const auto& [rows, columns] : {std::pair(32, 32), std::pair(28, 32), std::pair(32, 28)}) {
    write_data_set(rows, columns);
    const std::string found = "found " + std::to_string(rows) + " x " + std::to_string(columns);
    check_throws<FileError>([&] { FashionMnist::load(folder); },
                            {folder.native(), "expected images of 28 x 28", found});
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_a_missing_file, Fixture) {
  check_throws<FileError>([&] { MnistFolder::load(folder / "absent"); },
                          {"[MnistFolder::load] ", "absent", "found no folder"});
  for (const auto& path : {train_images, train_labels, test_images, test_labels}) {
    write_data_set(4, 6);
    std::filesystem::remove(path);
    const std::string name = path.filename().string();
    check_throws<FileError>(
        [&] { MnistFolder::load(folder); },
        {folder.native(), "expected a folder with the four IDX files", "found no file " + name, name + ".gz"});
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_counts_that_disagree, Fixture) {
  write_data_set(4, 6);
  for (const std::int64_t labels : {4, 6}) {
    write_idx(test_labels, make_bytes({labels}, 10));
    check_throws<FileError>(
        [&] { MnistFolder::load(folder); },
        {test_labels.native(), test_images.native(), "expected 5 labels", "found " + std::to_string(labels)});
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_labels_out_of_range, Fixture) {
  write_data_set(4, 6);
  write_idx(train_labels, make_bytes({12}, 11));
  check_throws<FileError>([&] { MnistFolder::load(folder); },
                          {train_labels.native(), "expected labels below 10", "found 10 at position 10"});
  BOOST_TEST(MnistFolder::load(folder, 11).train.size() == 12);
  check_throws<ValueError>([&] { MnistFolder::load(folder, 0); }, {"[MnistFolder::load] ", "classes is 0"});
  check_throws<ValueError>([&] { MnistFolder::load(folder, 257); }, {"classes is 257"});
}

BOOST_FIXTURE_TEST_CASE(rejects_other_shapes_and_element_types, Fixture) {
  write_data_set(4, 6);
  write_idx(train_labels, make_bytes({12, 1}, 10));
  check_throws<FileError>([&] { MnistFolder::load(folder); },
                          {train_labels.native(), "expected uint8 labels of shape (n,)", "found uint8 (12, 1)"});
  write_data_set(4, 6);
  write_idx(test_images, Array({5, 4, 6}, DType::float32));
  check_throws<FileError>(
      [&] { MnistFolder::load(folder); },
      {test_images.native(), "expected uint8 images of shape (n, rows, columns)", "found float32 (5, 4, 6)"});
  write_data_set(4, 6);
  for (const auto& [rows, columns] : {std::pair(6, 4), std::pair(6, 6), std::pair(4, 4)}) {
    write_idx(test_images, make_bytes({5, rows, columns}, 10));
    const std::string found = "found " + std::to_string(rows) + " x " + std::to_string(columns);
    check_throws<FileError>([&] { MnistFolder::load(folder); },
                            {test_images.native(), "expected images of 4 x 6", found});
  }
}

BOOST_FIXTURE_TEST_CASE(names_the_damaged_file, Fixture) {
  write_data_set(4, 6);
  write_bytes(test_images, testing::read_bytes(test_images).substr(0, 50));
  check_throws<FileError>([&] { MnistFolder::load(folder); }, {test_images.native(), "expected 120 bytes", "found 34"});

  write_data_set(4, 6);
  const std::filesystem::path zipped = folder / "train-images-idx3-ubyte.gz";
  std::filesystem::remove(train_images);
  write_idx(zipped, make_bytes({12, 4, 6}, 251));
  const std::string bytes = testing::read_bytes(zipped);
  write_bytes(zipped, bytes.substr(0, bytes.size() / 2));  // a download that was interrupted
  check_throws<FileError>([&] { MnistFolder::load(folder); }, {zipped.native(), "intact gzip data", "ends early"});
  write_bytes(zipped, "");
  check_throws<FileError>([&] { MnistFolder::load(folder); }, {zipped.native(), "a file of 0 bytes"});
}

BOOST_AUTO_TEST_SUITE_END()
