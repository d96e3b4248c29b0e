#include "nn/safetensors.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_safetensors)

namespace nn_safetensors {

using namespace xgrad;
using testing::check_throws;
using testing::elements;

// A file of this header, with its true size before it and this many bytes of arrays, which count from 0, behind it.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  bytes += header;
  for (std::size_t i = 0; i < data_bytes; ++i) {
    bytes += static_cast<char>(i);
  }
  return bytes;
}

struct Files : testing::TemporaryFolder {
  std::filesystem::path at = folder / "weights.safetensors";

  void put(const std::string& bytes) const { std::ofstream(at, std::ios::binary) << bytes; }
  void check_refused(const std::string& bytes, std::initializer_list<std::string_view> words) const {
    put(bytes);
    check_throws<FileError>([&] { nn::read_safetensors(at); }, words);
  }
};

}  // namespace nn_safetensors

using namespace nn_safetensors;

BOOST_FIXTURE_TEST_CASE(arrays_of_every_dtype_come_back, Files) {
  nn::State state;
  for (const DType dtype : testing::every_dtype) {
    const std::string name(to_string(dtype));
    state.emplace(name, testing::make_tensor({0, 1, 1, 0, 1, 0}, {2, 3}, dtype).array());
    state.emplace(name + ".scalar", testing::make_tensor({1}, {}, dtype).array());
    state.emplace(name + ".empty", zeros({0, 3}, dtype).array());
  }
  const nn::Metadata metadata = {{"format", "pt"}, {"a \"quoted\" naïve name", "line\nline"}};
  nn::write_safetensors(at, state, metadata);
  const nn::State back = nn::read_safetensors(at);
  BOOST_TEST(back.size() == state.size());
  for (const auto& [name, array] : state) {
    const Array& other = back.at(name);
    BOOST_TEST(other.dtype() == array.dtype());
    testing::check_elements(Tensor(other), array.shape(), elements(Tensor(array)));
  }
  BOOST_TEST((nn::read_safetensors_metadata(at) == metadata));
}

BOOST_FIXTURE_TEST_CASE(numbers_keep_their_bits, Files) {
  const float inf = std::numeric_limits<float>::infinity();
  Array numbers({5}, DType::float32);
  const std::vector<float> values = {-0.0F, inf, -inf, std::nanf("7"), 1e-45F};
  std::memcpy(numbers.data(), values.data(), 20);
  nn::write_safetensors(at, {{"x", numbers}});
  const nn::State back = nn::read_safetensors(at);
  BOOST_TEST(std::memcmp(back.at("x").data(), values.data(), 20) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_file_is_as_the_format_says, Files) {
  nn::write_safetensors(at, {{"b", testing::make_tensor({1, 2}, {2}, DType::uint8).array()},
                             {"c", testing::make_tensor({1}, {1, 1}, DType::float64).array()}});
  std::ifstream in(at, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const std::string header =
      R"({"c":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}})";
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  BOOST_TEST(static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) == padded);
  BOOST_TEST(bytes.substr(8, padded) == header + std::string(padded - header.size(), ' '));
  BOOST_TEST(bytes.size() == 8 + padded + 10);
  BOOST_TEST(bytes.substr(8 + padded + 8) == "\x01\x02");
}

BOOST_FIXTURE_TEST_CASE(narrow_numbers_are_widened, Files) {
  const auto read = [&](const std::string& type, std::string_view stored, std::size_t count) {
    put(file_of("{\"x\":{\"dtype\":\"" + type + "\",\"shape\":[" + std::to_string(count) + "],\"data_offsets\":[0," +
                    std::to_string(stored.size()) + "]}}",
                0) +
        std::string(stored));
    return nn::read_safetensors(at).at("x");
  };
  // 1, -2, the largest, the least above 0, the largest below the normal ones, infinity, -0.
  const std::vector<std::uint16_t> halves = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x7c00, 0x8000, 0x7e01};
  const Array wide = read("F16", {reinterpret_cast<const char*>(halves.data()), 16}, 8);
  const std::vector<float> expected = {1, -2, 65504, 0x1p-24F, 0x3ffp-24F, std::numeric_limits<float>::infinity(), 0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(wide.data<float>()[i] == expected[i]);
  }
  BOOST_TEST(std::signbit(wide.data<float>()[6]));
  BOOST_TEST(std::isnan(wide.data<float>()[7]));

  const std::vector<std::uint16_t> brain = {0x3f80, 0xc049, 0x7f80};
  const Array brains = read("BF16", {reinterpret_cast<const char*>(brain.data()), 6}, 3);
  BOOST_TEST(brains.dtype() == DType::bfloat16);
  BOOST_TEST(elements<BFloat16>(brains) == (std::vector<float>{1, -3.140625F, std::numeric_limits<float>::infinity()}),
             boost::test_tools::per_element());

  BOOST_TEST(elements<std::int32_t>(read("I8", "\xff\x7f", 2)) == (std::vector<std::int32_t>{-1, 127}),
             boost::test_tools::per_element());
  BOOST_TEST(elements<std::int32_t>(read("I16", std::string_view("\xfe\xff", 2), 1)) == std::vector<std::int32_t>{-2},
             boost::test_tools::per_element());
  BOOST_TEST(elements<std::int32_t>(read("U16", "\xff\xff", 1)) == std::vector<std::int32_t>{65535},
             boost::test_tools::per_element());
  BOOST_TEST(elements<std::int64_t>(read("U32", "\xff\xff\xff\xff", 1)) == std::vector<std::int64_t>{4294967295},
             boost::test_tools::per_element());
  BOOST_TEST(read("BOOL", "\x02", 1).data<bool>()[0]);
}

BOOST_FIXTURE_TEST_CASE(what_is_malformed_is_refused, Files) {
  const auto array = [](const std::string& name, const std::string& rest) { return "\"" + name + "\":{" + rest + "}"; };
  const auto bytes = [&](const std::string& name, int begin, int end) {
    return array(name, "\"dtype\":\"U8\",\"shape\":[" + std::to_string(end - begin) + "],\"data_offsets\":[" +
                           std::to_string(begin) + "," + std::to_string(end) + "]");
  };
  const auto refused = [&](const std::string& inside, std::size_t data, std::initializer_list<std::string_view> words) {
    check_refused(file_of("{" + inside + "}", data), words);
  };

  check_refused("", {"[read_safetensors] ", "weights.safetensors", "0 bytes", "safetensors.cpp:"});
  check_refused(std::string("\0\0\0\0\0\0\0\x10", 8), {"header of at most 0 bytes", "1152921504606846976"});
  check_refused(file_of("", 0), {"a header {...}"});
  check_refused(file_of(" {}", 0), {"a header {...}"});
  check_refused(file_of("{", 0), {"JSON"});
  check_refused(file_of("{}{}", 0), {"JSON"});
  check_refused(file_of("{}", 1), {"0 bytes of arrays", "found 1"});
  check_refused(file_of("{\"a\":" + std::string(100'000, '['), 0), {"object for array `a`", "a list"});

  refused(bytes("a", 0, 2) + "," + bytes("b", 1, 3), 3, {"`b`", "from 2 on", "from 1 to 3"});  // overlap
  refused(bytes("a", 0, 2) + "," + bytes("b", 3, 4), 4, {"`b`", "from 2 on", "from 3 to 4"});  // a gap
  refused(bytes("a", 1, 2), 2, {"`a`", "from 0 on"});
  refused(bytes("a", 0, 2), 3, {"2 bytes of arrays", "found 3"});
  refused(bytes("a", 0, 4), 3, {"4 bytes of arrays", "found 3"});
  refused(array("a", R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4, {"8 bytes", "from 0 to 4"});
  refused(array("a", R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0])"), 0, {"2^59"});
  refused(array("a", R"("dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0])"), 0, {"2^59"});
  refused(array("a", R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615])"), 1,
          {"18446744073709551615"});
  refused(array("a", R"("dtype":"U8","shape":[-1],"data_offsets":[0,0])"), 0, {"`a`", "found -1"});
  refused(array("a", R"("dtype":"U8","shape":[1.0],"data_offsets":[0,1])"), 1, {"`a`", "1.0"});
  refused(array("a", R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])"), 1, {"8 dimensions"});
  refused(array("a", R"("dtype":"U8","shape":[1],"data_offsets":[0,1,1])"), 1, {"`a`"});
  refused(array("a", R"("dtype":"U8","shape":[1],"data_offsets":[0])"), 1, {"two data_offsets of `a`", "found 1"});
  refused(array("a", R"("dtype":"U8","shape":[1])"), 1, {"`a`", "fewer"});
  refused(array("a", R"("dtype":"U8","shape":[1],"data_offsets":[0,1],"extra":1)"), 1, {"`a`", "`extra`"});
  refused(array("a", R"("dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1])"), 1, {"each once", "`dtype`"});
  refused(array("a", R"("dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1])"), 1, {"F8_E4M3", "`a`"});
  refused(array("a", R"("dtype":3,"shape":[1],"data_offsets":[0,1])"), 1, {"`a`", "found 3"});
  refused(bytes("a", 0, 1) + "," + bytes("a", 1, 2), 2, {"`a` twice"});
  refused(bytes("a/b", 0, 1), 1, {"without `/`", "`a/b`"});
  refused(bytes("..", 0, 1), 1, {"without `/`", "`..`"});
  refused(bytes("", 0, 1), 1, {"without `/`"});
  refused(R"("a":1)", 0, {"object for array `a`", "found 1"});
  refused(R"("__metadata__":{"a":1})", 0, {"text as metadata `a`"});
  refused(R"("__metadata__":{"a":"1","a":"2"})", 0, {"metadata with different names", "`a` twice"});
  refused(R"("__metadata__":{},"__metadata__":{})", 0, {"`__metadata__` twice"});
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_none_says_so, Files) {
  check_throws<FileError>([&] { nn::read_safetensors(folder); }, {"an ordinary file", "a folder"});
  check_throws<FileError>([&] { nn::read_safetensors(folder / "missing"); }, {"missing", "No such file"});
  check_throws<FileError>([&] { nn::read_safetensors("/dev/zero"); }, {"an ordinary file"});
  check_throws<FileError>([&] { nn::read_safetensors(""); }, {"[read_safetensors] ", "is empty"});
}

BOOST_FIXTURE_TEST_CASE(names_that_others_could_not_read_are_not_written, Files) {
  const Array one = ones({1}).array();
  for (const std::string name : {"", "a/b", "..", "__metadata__", "\xff"}) {
    check_throws<ValueError>([&] { nn::write_safetensors(at, {{name, one}}); }, {"[write_safetensors] "});
  }
  check_throws<ValueError>([&] { nn::write_safetensors(at, {{"a", one}}, {{"b", "\xff"}}); }, {"UTF-8"});
  check_throws<ValueError>([&] { nn::write_safetensors(at, {{"a", Array()}}); }, {"`a`", "no memory"});
  check_throws<ValueError>([&] { nn::write_safetensors(folder / "a.gz", {{"a", one}}); }, {"without .gz"});
  BOOST_TEST(std::filesystem::is_empty(folder));
}

BOOST_AUTO_TEST_SUITE_END()
