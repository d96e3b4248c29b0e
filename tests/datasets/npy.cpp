#include "datasets/npy.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/xtensor.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_npy)

namespace {

using namespace xgrad;
using namespace std::string_literals;
using datasets::read_npy;
using datasets::write_npy;
using testing::check_throws;
using testing::elements;
using testing::write_bytes;

/// A file as the format's description has it, with a header of exactly this text.
std::string npy_bytes(const std::string& header, const std::string& data, char version = 1) {
  std::string size = {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) {
    size += "\0\0"s;
  }
  return "\x93NUMPY"s + version + '\0' + size + header + data;
}

std::string header(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

}  // namespace

struct Fixture : testing::TemporaryFolder {
  std::filesystem::path file = folder / "a.npy";

  Array read(const std::string& bytes) const {
    write_bytes(file, bytes);
    return read_npy(file);
  }
  template <class T>
  void check_elements(const std::string& type, const std::string& data, const std::vector<T>& expected) const {
    const Array array = read(npy_bytes(header(type, "(" + std::to_string(expected.size()) + ",)"), data));
    BOOST_TEST((elements<T>(array) == expected), type);
  }
  void check_rejected(const std::string& bytes, std::string_view expected, std::string_view found) const {
    const std::string name = file.string();
    check_throws<FileError>([&] { read(bytes); }, {"[read_npy] ", name, expected, found, "; "});
  }
};

BOOST_FIXTURE_TEST_CASE(reads_every_element_type_in_both_byte_orders, Fixture) {
  check_elements<bool>("|b1", "\x00\x01\x02"s, {false, true, true});
  check_elements<std::uint8_t>("|u1", "\x00\x7f\xff"s, {0, 127, 255});
  check_elements<std::int32_t>("|i1", "\x00\x7f\x80"s, {0, 127, -128});
  check_elements<std::int32_t>("<i2", "\x02\x01\xff\xff"s, {258, -1});
  check_elements<std::int32_t>(">u2", "\x01\x02\xff\xff"s, {258, 65535});
  check_elements<std::int32_t>("<i4", "\x04\x03\x02\x01"s, {16909060});
  check_elements<std::int32_t>(">i4", "\x01\x02\x03\x04\xff\xff\xff\xfe"s, {16909060, -2});
  check_elements<std::int64_t>("<u4", "\xff\xff\xff\xff"s, {4294967295});
  check_elements<std::int64_t>(">i8", "\x00\x00\x00\x00\x00\x00\x01\x00"s, {256});
  check_elements<std::int64_t>("<i8", "\xfe\xff\xff\xff\xff\xff\xff\xff"s, {-2});
  // float16: 1.5, -2, the least subnormal, the largest number, infinity; every one is exact in float32.
  check_elements<float>("<f2", "\x00\x3e\x00\xc0\x01\x00\xff\x7b\x00\x7c"s,
                        {1.5f, -2, 0x1p-24f, 65504, std::numeric_limits<float>::infinity()});
  check_elements<float>(">f2", "\x3e\x00"s, {1.5f});
  check_elements<float>("<f4", "\x00\x00\xc0\x3f"s, {1.5f});
  check_elements<float>("=f4", "\x00\x00\xc0\x3f"s, {1.5f});
  check_elements<double>(">f8", "\x3f\xf8\x00\x00\x00\x00\x00\x00"s, {1.5});
}

BOOST_FIXTURE_TEST_CASE(reads_shapes_versions_and_any_order_of_keys, Fixture) {
  BOOST_TEST((read(npy_bytes(header("|u1", "()"), "x")).shape() == Shape{}));
  BOOST_TEST((read(npy_bytes(header("|u1", "(0, 28)"), "")).shape() == Shape{0, 28}));
  BOOST_TEST((read(npy_bytes(header("|u1", "(2,3)"), "abcdef")).shape() == Shape{2, 3}));
  for (const char version : "\1\2\3"s) {
    BOOST_TEST((read(npy_bytes(header("|u1", "(1, 2, 3)"), "abcdef", version)).shape() == Shape{1, 2, 3}));
  }
  const std::string other = "  {\"shape\":(2 , 1),\"descr\":\"|u1\", \"fortran_order\" : False}  ";
  BOOST_TEST((read(npy_bytes(other, "ab")).shape() == Shape{2, 1}));
}

BOOST_FIXTURE_TEST_CASE(puts_fortran_order_into_row_major_order, Fixture) {
  // Element (i, j, k) of shape (2, 3, 2) is i + 2 j + 6 k in memory.
  const Array cube = read(npy_bytes(header("|u1", "(2, 3, 2)", "True"), "\0\1\2\3\4\5\6\7\10\11\12\13"s));
  BOOST_TEST((cube.shape() == Shape{2, 3, 2}));
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 2; ++k) {
        BOOST_TEST(cube.data<std::uint8_t>()[(i * 3 + j) * 2 + k] == i + 2 * j + 6 * k);
      }
    }
  }
  BOOST_TEST(read(npy_bytes(header("|u1", "(3,)", "True"), "abc")).data<std::uint8_t>()[2] == 'c');
}

BOOST_FIXTURE_TEST_CASE(writes_what_the_format_describes, Fixture) {
  write_npy(file, to_array(xt::xarray<std::int32_t>{{1, 2, 3}, {4, 5, 6}}));
  const std::string bytes = testing::read_bytes(file);
  const std::string text = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string padded = text + std::string(128 - 10 - text.size() - 1, ' ') + '\n';
  BOOST_TEST((bytes.substr(0, 128) == npy_bytes(padded, "")));
  BOOST_TEST(bytes.size() == 128u + 24u);
  BOOST_TEST(bytes.substr(128, 8) == "\1\0\0\0\2\0\0\0"s);
}

BOOST_FIXTURE_TEST_CASE(written_arrays_read_back_exactly, Fixture) {
  for (const DType dtype : testing::every_dtype) {
    if (dtype == DType::bfloat16) {  // which NumPy has not
      continue;
    }
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{0, 3}, Shape{1, 2, 3, 1, 2, 1, 2, 3}}) {
      Array array(shape, dtype);
      for (std::size_t i = 0; i < array.bytes(); ++i) {
        static_cast<std::uint8_t*>(array.data())[i] =
            static_cast<std::uint8_t>(dtype == DType::boolean ? i % 2 : i * 37);
      }
      for (const char* name : {"b.npy", "b.npy.gz"}) {
        write_npy(folder / name, array);
        const Array back = read_npy(folder / name);
        BOOST_TEST((back.dtype() == dtype));
        BOOST_TEST((back.shape() == shape));
        BOOST_TEST((std::memcmp(back.data(), array.data(), array.bytes()) == 0));
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_what_is_not_npy, Fixture) {
  check_rejected("", "an NPY file", "0 other bytes");
  check_rejected("PK\3\4 this is a zip file", "an NPY file", "10 other bytes");
  check_rejected("\x93NUMPY", "an NPY file", "6 other bytes");
  check_rejected(npy_bytes("", "", 4), "format 1.0, 2.0 or 3.0", "4.0");
  check_rejected(npy_bytes(header("|u1", "(3,)"), "").substr(0, 30), "a header of 58 bytes", "20");
  check_rejected("\x93NUMPY\2\0\xff\xff\xff\xff"s, "a header of at most 65536 bytes", "4294967295");
  check_rejected(npy_bytes("[1, 2]", ""), "a header {...}", "`[1, 2]`");
  check_rejected(npy_bytes("{'descr': '|u1'}", ""), "a header with 'fortran_order'", "{'descr': '|u1'}");
  check_rejected(npy_bytes(header("|u1", "(3,)", "Maybe"), ""), "True or False", "Maybe");
}

BOOST_FIXTURE_TEST_CASE(rejects_other_element_types_and_shapes, Fixture) {
  for (const char* type : {"<f16", "<c8", "<U5", "|O", "<i16", "<u8", "xf4", ""}) {
    check_rejected(npy_bytes(header(type, "(1,)"), "abcdefgh"), "elements of bool", type);
  }
  check_rejected(npy_bytes("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", "abcd"),
                 "elements of bool", "[('x', '<f4')]");
  for (const char* shape : {"(-1,)", "(1.5,)", "(a,)", "(2 3)", "(,)", "(99999999999999999999,)"}) {
    check_rejected(npy_bytes(header("|u1", shape), "x"), "sizes of 0 or more", shape);
  }
  check_rejected(npy_bytes(header("|u1", "3"), "abc"), "a tuple as shape", "`3");
  check_rejected(npy_bytes(header("|u1", "(1,1,1,1,1,1,1,1,1)"), "x"), "at most 8 dimensions", "(1,1,1,1,1,1,1,1,1)");
  check_rejected(npy_bytes(header("<f8", "(4294967296, 4294967296)"), "x"), "product is below 2^59", "4294967296");
}

BOOST_FIXTURE_TEST_CASE(rejects_truncated_and_overlong_files, Fixture) {
  check_rejected(npy_bytes(header("<f4", "(2, 3)"), std::string(23, 'x')), "24 bytes of elements for shape (2, 3)",
                 "23");
  check_rejected(npy_bytes(header("<f4", "(2, 3)"), std::string(25, 'x')), "the end after 24 bytes", "trailing bytes");
  // A size that the file does not hold is not believed: this would be an exabyte.
  check_rejected(npy_bytes(header("|u1", "(1000000000, 100000000)"), "x"), "bytes of elements", "1");
  check_throws<FileError>([&] { read_npy(folder / "absent.npy"); }, {"[read_npy] ", "absent.npy", "readable file"});
}

BOOST_FIXTURE_TEST_CASE(writing_is_whole_or_nothing, Fixture) {
  check_throws<ValueError>([&] { write_npy(file, Array()); }, {"[write_npy] ", "no memory"});
  check_throws<FileError>([&] { write_npy(folder / "absent" / "a.npy", Array({1}, DType::uint8)); },
                          {"[write_npy] ", "absent"});
  std::filesystem::create_directory(folder / "taken");
  write_bytes(folder / "taken" / "x", "");
  check_throws<FileError>([&] { write_npy(folder / "taken", Array({1}, DType::uint8)); }, {"[write_npy] ", "taken"});
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
