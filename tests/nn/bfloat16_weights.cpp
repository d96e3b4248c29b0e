#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

/// \file
/// Weights as bfloat16: in files, and from there into models that compute in float32.

BOOST_AUTO_TEST_SUITE(nn_bfloat16_weights)

namespace nn_bfloat16_weights {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

struct Files : testing::TemporaryFolder {
  std::filesystem::path at = folder / "weights.safetensors";

  auto entries() const {
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  }
};

/// A file by hand, of one array of 1, -2.5, 0.1, infinity, NaN, the smallest number.
std::string golden_file() {
  std::string header = R"({"weight":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string size = {static_cast<char>(header.size()), 0, 0, 0, 0, 0, 0, 0};
  constexpr std::string_view numbers("\x80\x3f\x20\xc0\xcd\x3d\x80\x7f\xc0\x7f\x01\x00", 12);
  return size + header + std::string(numbers);
}

/// The state of a model, rounded to bfloat16.
nn::State narrow(const nn::State& state) {
  nn::State result;
  for (const auto& [name, array] : state) {
    result.emplace(name, cast(Tensor(array), DType::bfloat16).array());
  }
  return result;
}

}  // namespace nn_bfloat16_weights

using namespace nn_bfloat16_weights;

BOOST_FIXTURE_TEST_CASE(a_file_is_as_the_format_says, Files) {
  testing::write_bytes(at, golden_file());
  const Array weight = nn::read_safetensors(at).at("weight");
  BOOST_TEST(weight.dtype() == DType::bfloat16);
  const double inf = std::numeric_limits<double>::infinity();
  check_elements(Tensor(weight), {2, 3}, {1, -2.5, 0x1.9ap-4, inf, std::numeric_limits<double>::quiet_NaN(), 0x1p-133});
  nn::write_safetensors(folder / "again", {{"weight", weight}});
  BOOST_TEST((testing::read_bytes(folder / "again") == golden_file()));
}

BOOST_FIXTURE_TEST_CASE(files_of_two_sizes_of_elements_are_aligned, Files) {
  const nn::State state = {{"a", cast(Tensor{1.0, 2.0, 3.0}, DType::bfloat16).array()},
                           {"b", Tensor({1.0F}).array()},
                           {"c", Tensor({true}).array()}};
  nn::write_safetensors(at, state);
  const nn::State back = nn::read_safetensors(at);
  for (const auto& [name, array] : state) {
    BOOST_TEST(back.at(name).dtype() == array.dtype());
    check_elements(Tensor(back.at(name)), array.shape(), elements(Tensor(array)));
  }
}

BOOST_FIXTURE_TEST_CASE(models_of_float32_and_float64_take_them, Files) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    nn::Sequential model(nn::Dense(3, 4, {.dtype = dtype}), nn::Dense(4, 2, {.dtype = dtype}));
    model.initialize(random::Key(1));
    const nn::State rounded = narrow(model.state());
    nn::write_safetensors(at, rounded);
    nn::Sequential other = model.clone();
    other.initialize(random::Key(2));
    other.load_state(nn::read_safetensors(at));
    for (const auto& [name, array] : other.state()) {
      BOOST_TEST(array.dtype() == dtype);
      check_elements(Tensor(array), array.shape(), elements(Tensor(rounded.at(name))));
    }
    BOOST_TEST(other(ones({1, 3}, dtype)).dtype() == dtype);
  }
}

BOOST_FIXTURE_TEST_CASE(models_of_pytorch_are_loaded, Files) {
  testing::write_bytes(at, golden_file());
  const nn::Dense model(3, 2, {.bias = false});
  nn::load_torch_state(model, nn::read_safetensors(at));
  BOOST_TEST(model.state().at("weight").dtype() == DType::float32);
  check_elements(transpose(Tensor(model.state().at("weight"))), {2, 3},
                 elements(Tensor(nn::read_safetensors(at).at("weight"))));
}

BOOST_FIXTURE_TEST_CASE(what_would_lose_digits_is_refused, Files) {
  const nn::Dense model(3, 2);
  nn::State wide = model.state();
  wide.at("bias") = cast(Tensor(wide.at("bias")), DType::float64).array();
  check_throws<DTypeError>([&] { model.load_state(wide); }, {"[load_state] ", "'bias'", "float64", "float32"});
  nn::State whole = narrow(model.state());
  whole.at("bias") = zeros({2}, DType::int32).array();
  const std::vector<double> before = elements(Tensor(model.state().at("weight")));
  check_throws<DTypeError>([&] { model.load_state(whole); }, {"[load_state] ", "'bias'", "int32"});
  BOOST_TEST(elements(Tensor(model.state().at("weight"))) == before, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(formats_without_it_say_so_and_leave_nothing, Files) {
  const Array array = cast(Tensor{1.0, 2.0}, DType::bfloat16).array();
  check_throws<DTypeError>([&] { datasets::write_npy(folder / "x.npy", array); },
                           {"[write_npy] ", "bfloat16", "cast to float32", "safetensors"});
  check_throws<DTypeError>(
      [&] {
        nn::write_npz(folder / "x.npz", {{"x", array}});
      },
      {"[write_npz] ", "bfloat16", "cast to float32", "safetensors"});
  check_throws<DTypeError>(
      [&] {
        nn::write_state(folder / "state", {{"a", Tensor({1.0F}).array()}, {"b", array}});
      },
      {"[write_state] ", "bfloat16", "cast to float32", "safetensors"});
  check_throws<DTypeError>([&] { datasets::write_idx(folder / "x.idx", array); }, {"[write_idx] ", "bfloat16", "cast"});
  BOOST_TEST(entries() == 0);
}

// What NumPy makes of the bfloat16 that other programs give it: two bytes without a meaning.
BOOST_FIXTURE_TEST_CASE(two_bytes_without_a_meaning_are_refused, Files) {
  std::string text = "{'descr': '<V2', 'fortran_order': False, 'shape': (1,), }";
  text.resize(128 - 10 - 1, ' ');
  testing::write_bytes(folder / "x.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + text + "\n\x80\x3f");
  check_throws<FileError>([&] { datasets::read_npy(folder / "x.npy"); }, {"[read_npy] ", "<V2", "astype"});
}

BOOST_FIXTURE_TEST_CASE(data_sets_of_it_become_float32_batches, Files) {
  const datasets::Dataset data(cast(Tensor{{1.0, 0.5}, {2.0, 0.25}}, DType::bfloat16).array(), Tensor({0, 1}).array());
  const datasets::Batches batches(data, {.batch_size = 2, .shuffle = false});
  const auto batch = batches.epoch(0)[0];
  check_elements(Tensor(batch.features), {2, 2}, {1, 0.5, 2, 0.25});
  BOOST_TEST(batch.features.dtype() == DType::float32);
}

BOOST_AUTO_TEST_SUITE_END()
