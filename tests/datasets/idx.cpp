#include "datasets/idx.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "gzip.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_idx)

namespace {

using namespace xgrad;
using datasets::read_idx;
using datasets::write_idx;
using testing::check_throws;
using testing::elements;
using testing::gzip_stored;
using testing::read_bytes;
using testing::write_bytes;

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string idx_bytes(int type, const std::vector<std::uint32_t>& sizes, const std::string& data) {
  std::string bytes = {0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (std::uint32_t size : sizes) {
    bytes += big_endian(size);
  }
  return bytes + data;
}

template <class T>
Array make_array(const Shape& shape, const std::vector<T>& values) {
  Array array(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), array.data<T>());
  return array;
}

const std::string valid = idx_bytes(0x08, {2, 3}, "abcdef");

}  // namespace

struct Fixture : testing::TemporaryFolder {
  std::filesystem::path file = folder / "data-idx";

  Array read(const std::string& bytes) const {
    write_bytes(file, bytes);
    return read_idx(file);
  }
  void check_rejected(const std::string& bytes, std::string_view expected, std::string_view found) const {
    const std::string name = file.string();
    check_throws<FileError>([&] { read(bytes); }, {"[read_idx] ", name, expected, found, "; "});
  }
};

BOOST_FIXTURE_TEST_CASE(reads_every_element_type, Fixture) {
  using namespace std::string_literals;
  const Array ubyte = read(idx_bytes(0x08, {2, 2}, "\x00\x7f\x80\xff"s));
  BOOST_TEST((ubyte.dtype() == DType::uint8));
  BOOST_TEST((ubyte.shape() == Shape{2, 2}));
  BOOST_TEST(elements<std::uint8_t>(ubyte) == (std::vector<std::uint8_t>{0, 127, 128, 255}),
             boost::test_tools::per_element());

  BOOST_TEST(
      elements<std::int32_t>(read(idx_bytes(0x09, {3}, "\x00\x7f\x80"s))) == (std::vector<std::int32_t>{0, 127, -128}),
      boost::test_tools::per_element());
  BOOST_TEST(elements<std::int32_t>(read(idx_bytes(0x0B, {3}, "\x01\x02\xff\xff\x80\x00"s))) ==
                 (std::vector<std::int32_t>{258, -1, -32768}),
             boost::test_tools::per_element());
  BOOST_TEST(elements<std::int32_t>(read(idx_bytes(0x0C, {2}, "\x01\x02\x03\x04\xff\xff\xff\xfe"s))) ==
                 (std::vector<std::int32_t>{16909060, -2}),
             boost::test_tools::per_element());
  BOOST_TEST(elements<float>(read(idx_bytes(0x0D, {2}, "\x3f\xc0\x00\x00\xc0\x00\x00\x00"s))) ==
                 (std::vector<float>{1.5f, -2.0f}),
             boost::test_tools::per_element());
  BOOST_TEST(
      elements<double>(read(idx_bytes(0x0E, {1}, "\x3f\xf8\x00\x00\x00\x00\x00\x00"s))) == (std::vector<double>{1.5}),
      boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(reads_any_number_of_dimensions_up_to_eight, Fixture) {
  BOOST_TEST((read(idx_bytes(0x08, {}, "x")).shape() == Shape{}));
  BOOST_TEST((read(idx_bytes(0x08, {1, 1, 2, 1, 1, 1, 1, 3}, "abcdef")).shape() == Shape{1, 1, 2, 1, 1, 1, 1, 3}));
  BOOST_TEST((read(idx_bytes(0x08, {0, 28, 28}, "")).shape() == Shape{0, 28, 28}));
}

BOOST_FIXTURE_TEST_CASE(reads_gzip_whatever_the_name, Fixture) {
  BOOST_TEST(elements<std::uint8_t>(read(gzip_stored(valid))) == elements<std::uint8_t>(read(valid)),
             boost::test_tools::per_element());
  file = folder / "plain.gz";
  BOOST_TEST((read(valid).shape() == Shape{2, 3}));
}

BOOST_FIXTURE_TEST_CASE(reads_gzip_of_several_members, Fixture) {
  const Array array = read(gzip_stored(valid.substr(0, 7)) + gzip_stored(valid.substr(7)));
  BOOST_TEST(elements<std::uint8_t>(array) == (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(written_arrays_read_back_exactly, Fixture) {
  const auto check = [this](const Array& array) {
    for (const char* name : {"data-idx", "data-idx.gz"}) {
      write_idx(folder / name, array);
      const Array back = read_idx(folder / name);
      BOOST_TEST((back.dtype() == array.dtype()));
      BOOST_TEST((back.shape() == array.shape()));
      BOOST_TEST((std::memcmp(back.data(), array.data(), array.bytes()) == 0));
    }
  };
  using float_limits = std::numeric_limits<float>;
  check(make_array<std::uint8_t>({2, 2, 1}, {0, 1, 128, 255}));
  check(make_array<std::int32_t>({3}, {std::numeric_limits<std::int32_t>::min(), -1, 7}));
  check(
      make_array<float>({4}, {-0.0f, float_limits::denorm_min(), float_limits::infinity(), float_limits::quiet_NaN()}));
  check(make_array<double>({}, {M_PI}));
  check(Array({0, 5}, DType::float32));

  std::vector<std::int32_t> many(300'000);  // more than one block of the writer and of the reader
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i] = static_cast<std::int32_t>(i * 2'654'435'761u);
  }
  check(make_array<std::int32_t>({300, 1000}, many));
}

BOOST_FIXTURE_TEST_CASE(gz_in_the_name_compresses, Fixture) {
  const Array zeros = make_array<std::uint8_t>({100'000}, std::vector<std::uint8_t>(100'000));
  write_idx(folder / "zeros-idx", zeros);
  write_idx(folder / "zeros-idx.gz", zeros);
  BOOST_TEST(std::filesystem::file_size(folder / "zeros-idx") == 8u + 100'000u);
  BOOST_TEST(std::filesystem::file_size(folder / "zeros-idx.gz") < 1000u);
}

BOOST_FIXTURE_TEST_CASE(writing_replaces_whole_files_and_leaves_nothing_else, Fixture) {
  write_bytes(file, "old");
  write_idx(file, make_array<std::uint8_t>({2, 3}, {'a', 'b', 'c', 'd', 'e', 'f'}));
  BOOST_TEST(read_bytes(file) == valid);

  const std::filesystem::path occupied = folder / "occupied";
  std::filesystem::create_directory(occupied);
  check_throws<FileError>([&] { write_idx(occupied, Array({1}, DType::uint8)); }, {"[write_idx] ", occupied.native()});
  const auto count = std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  BOOST_TEST(count == 2);
}

BOOST_FIXTURE_TEST_CASE(rejects_arrays_that_idx_cannot_hold, Fixture) {
  check_throws<DTypeError>([&] { write_idx(file, Array({1}, DType::int64)); }, {"[write_idx] ", "int64", "cast"});
  check_throws<DTypeError>([&] { write_idx(file, Array({1}, DType::boolean)); }, {"boolean"});
  check_throws<ValueError>([&] { write_idx(file, Array()); }, {"no memory"});
  check_throws<ValueError>([&] { write_idx(file, Array({0, std::int64_t{1} << 32}, DType::uint8)); }, {"4294967296"});
  check_throws<FileError>([&] { write_idx(folder / "none" / "x", Array({1}, DType::uint8)); },
                          {"[write_idx] ", "none/x", "No such file"});
  BOOST_TEST(std::filesystem::is_empty(folder));
}

BOOST_FIXTURE_TEST_CASE(rejects_what_cannot_be_read, Fixture) {
  const std::string name = file.string();
  check_throws<FileError>([&] { read_idx(file); }, {name, "expected a readable file", "No such file"});
  check_throws<FileError>([&] { read_idx(folder); }, {folder.native(), "expected a file", "found a folder"});
  // Opens, but nothing is mapped at its start.
  check_throws<FileError>([&] { read_idx("/proc/self/mem"); }, {"/proc/self/mem", "found a read error"});
  if (geteuid() != 0) {  // root may read everything
    write_bytes(file, valid);
    std::filesystem::permissions(file, std::filesystem::perms::none);
    check_throws<FileError>([&] { read_idx(file); }, {name, "expected a readable file", "Permission denied"});
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_other_formats, Fixture) {
  check_rejected("\x89PNG\r\n", "expected an IDX file, which starts with the bytes 00 00", "found 89 50");
  check_rejected(idx_bytes(0x0A, {1}, "x"), "expected an element type of 08, 09, 0b, 0c, 0d or 0e", "found 0a");
  check_rejected(idx_bytes(0x08, std::vector<std::uint32_t>(9, 1), "x"), "expected at most 8 dimensions", "found 9");
}

BOOST_FIXTURE_TEST_CASE(rejects_truncation_at_every_byte, Fixture) {
  for (std::size_t size = 0; size < valid.size(); ++size) {
    const std::string cut = valid.substr(0, size);
    if (size < 4) {
      check_rejected(cut, "expected an IDX header that starts with 4 bytes", "found a file of " + std::to_string(size));
    } else if (size < 12) {
      check_rejected(cut, "expected a header of 12 bytes for 2 dimensions", "found a file of " + std::to_string(size));
    } else {
      check_rejected(cut, "expected 6 bytes of elements for shape (2, 3)", "found " + std::to_string(size - 12));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_trailing_bytes, Fixture) {
  check_rejected(valid + "g", "expected the end after 12 bytes of header and 6 of elements", "found trailing bytes");
  check_rejected(gzip_stored(valid + "g"), "expected the end after 12 bytes", "found trailing bytes");
  check_rejected(gzip_stored(valid) + gzip_stored("g"), "expected the end after 12 bytes", "found trailing bytes");
  check_rejected(gzip_stored(valid) + "junk", "expected intact gzip data", "after 18 decompressed bytes");
}

BOOST_FIXTURE_TEST_CASE(rejects_sizes_that_the_file_cannot_have, Fixture) {
  const std::uint32_t most = 0xffffffff;
  check_rejected(idx_bytes(0x08, {most}, "abc"), "expected 4294967295 bytes of elements", "found 3");
  check_rejected(gzip_stored(idx_bytes(0x0E, {most, 1u << 20}, "abc")), "expected 36028797010575360 bytes", "found 3");
  check_rejected(idx_bytes(0x08, {most, most, most}, "abc"), "expected sizes whose product is below 2^60",
                 "found (4294967295, 4294967295, 4294967295)");
  check_rejected(idx_bytes(0x08, {0, most, most}, ""), "expected sizes whose product is below 2^60", "found (0, ");
}

BOOST_FIXTURE_TEST_CASE(rejects_gzip_cut_anywhere, Fixture) {
  const std::string whole = gzip_stored(valid);
  for (std::size_t size = 2; size < whole.size(); ++size) {
    check_rejected(whole.substr(0, size), "expected intact gzip data", "found that it ends early");
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_gzip_with_any_flipped_bit_in_data_or_checksum, Fixture) {
  const std::string whole = gzip_stored(valid);
  constexpr std::size_t data_start = 11 + 4 + 12;  // gzip header, lengths of the stored block, IDX header
  for (std::size_t position = data_start; position < whole.size(); ++position) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[position] = static_cast<char>(flipped[position] ^ (1 << bit));
      const bool in_length = position >= whole.size() - 4;
      check_rejected(flipped, "expected intact gzip data",
                     in_length ? "incorrect length check" : "incorrect data check");
    }
  }
}

BOOST_FIXTURE_TEST_CASE(rejects_damaged_deflate_data, Fixture) {
  std::vector<std::int32_t> values(10'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int32_t>(i * i);
  }
  file = folder / "data-idx.gz";
  write_idx(file, make_array<std::int32_t>({10'000}, values));
  std::string bytes = read_bytes(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  check_rejected(bytes, "expected intact gzip data", "decompressed bytes; fetch the file again");
}

BOOST_AUTO_TEST_SUITE_END()
