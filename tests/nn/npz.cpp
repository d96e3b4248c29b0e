#include "nn/npz.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_npz)

namespace nn_npz {

using namespace xgrad;
using namespace std::string_literals;
using testing::check_throws;
using testing::elements;

// A number, its least byte first.
std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(i < 8 ? (value >> (8 * i)) & 0xff : 0);
  }
  return text;
}

// CRC-32 bit by bit (ISO 3309), the reflected polynomial.
std::uint32_t crc_of(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int i = 0; i < 8; ++i) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320 : 0);
    }
  }
  return ~crc;
}

// An entry of a zip file. What it says of itself can be wrong.
struct Entry {
  std::string name;
  std::string bytes;  // as they stand in the file
  std::uint64_t size = bytes.size();
  std::uint32_t crc = crc_of(bytes);
  int method = 0;
  int flags = 0;
  std::int64_t moved = 0;  // of where the directory says that it is
};

// The fields that the two headers of an entry share.
std::string described(const Entry& entry, std::size_t extra_bytes = 0, bool is_large = false) {
  const std::uint64_t beyond = 0xffffffff;
  return number(20, 2) + number(static_cast<std::uint64_t>(entry.flags), 2) +
         number(static_cast<std::uint64_t>(entry.method), 2) + number(0, 2) + number(0x21, 2) + number(entry.crc, 4) +
         number(is_large ? beyond : entry.bytes.size(), 4) + number(is_large ? beyond : entry.size, 4) +
         number(entry.name.size(), 2) + number(extra_bytes, 2);
}

// A zip file as PKWARE describes it.
std::string zip_of(const std::vector<Entry>& entries) {
  std::string file, directory;
  for (const Entry& entry : entries) {
    const std::uint64_t begin = file.size() + static_cast<std::uint64_t>(entry.moved);
    directory += "PK\1\2" + number(20, 2) + described(entry) + number(0, 2 + 2 + 2 + 4) + number(begin, 4) + entry.name;
    file += "PK\3\4" + described(entry) + entry.name + entry.bytes;
  }
  const std::string count = number(entries.size(), 2);
  return file + directory + "PK\5\6" + number(0, 4) + count + count + number(directory.size(), 4) +
         number(file.size(), 4) + number(0, 2);
}

// The same with every number as if it were too large for its field, and a comment.
std::string large_zip_of(const std::vector<Entry>& entries) {
  std::string file, directory;
  for (const Entry& entry : entries) {
    const std::string other = "UT" + number(1, 2) + "x";  // a field that nobody asks for
    const std::string sizes = number(entry.size, 8) + number(entry.bytes.size(), 8);
    const std::string extra = other + number(1, 2) + number(24, 2) + sizes + number(file.size(), 8);
    directory += "PK\1\2" + number(45, 2) + described(entry, extra.size(), true) + number(0, 2 + 2 + 2 + 4) +
                 number(0xffffffff, 4) + entry.name + extra;
    const std::string local = number(1, 2) + number(16, 2) + sizes;
    file += "PK\3\4" + described(entry, local.size(), true) + entry.name + local + entry.bytes;
  }
  const std::string count = number(entries.size(), 8);
  const std::string end = "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) + count + count +
                          number(directory.size(), 8) + number(file.size(), 8);
  const std::string locator = "PK\6\7" + number(0, 4) + number(file.size() + directory.size(), 8) + number(1, 4);
  return file + directory + end + locator + "PK\5\6" + number(0, 4) + std::string(12, '\xff') + number(7, 2) +
         "comment";
}

// An array of bytes in NPY, whose header may state another size.
std::string npy_of(std::string_view elements, std::size_t stated) {
  std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + std::to_string(stated) + ",), }";
  text += std::string(128 - 10 - text.size() - 1, ' ') + '\n';
  return "\x93NUMPY\1\0"s + number(text.size(), 2) + text + std::string(elements);
}
std::string npy_of(std::string_view elements) { return npy_of(elements, elements.size()); }

// The same bytes as deflate has them: one block, stored.
Entry deflated(const std::string& name, const std::string& bytes) {
  const std::string block = "\1"s + number(bytes.size(), 2) + number(~bytes.size(), 2) + bytes;
  return {.name = name, .bytes = block, .size = bytes.size(), .crc = crc_of(bytes), .method = 8};
}

Entry with(Entry entry, const std::function<void(Entry&)>& change) {
  change(entry);
  return entry;
}

struct Files : testing::TemporaryFolder {
  std::filesystem::path at = folder / "weights.npz";

  nn::State read(const std::string& bytes) const {
    testing::write_bytes(at, bytes);
    return nn::read_npz(at);
  }
  void check_refused(const std::string& bytes, std::initializer_list<std::string_view> words) const {
    check_throws<FileError>([&] { read(bytes); }, {"[read_npz] ", "weights.npz: ", "expected ", "npz.cpp:"});
    check_throws<FileError>([&] { read(bytes); }, words);
  }
};

}  // namespace nn_npz

using namespace nn_npz;

BOOST_FIXTURE_TEST_CASE(arrays_of_every_dtype_come_back, Files) {
  nn::State state;
  for (const DType dtype : testing::every_dtype) {
    if (dtype == DType::bfloat16) {  // which NumPy has not
      continue;
    }
    const std::string name(to_string(dtype));
    state.emplace(name, testing::make_tensor({0, 1, 1, 0, 1, 0}, {2, 3}, dtype).array());
    state.emplace(name + ".scalar", testing::make_tensor({1}, {}, dtype).array());
    state.emplace(name + ".empty", zeros({0, 3}, dtype).array());
  }
  state.emplace("naïve", ones({2}).array());
  nn::write_npz(at, state);
  const nn::State back = nn::read_npz(at);
  BOOST_TEST(back.size() == state.size());
  for (const auto& [name, array] : state) {
    const Array& other = back.at(name);
    BOOST_TEST(other.dtype() == array.dtype());
    testing::check_elements(Tensor(other), array.shape(), elements(Tensor(array)));
  }
}

BOOST_FIXTURE_TEST_CASE(a_file_is_as_the_formats_say, Files) {
  const Array bytes = testing::make_tensor({1, 2}, {2}, DType::uint8).array();
  nn::write_npz(at, {{"a", bytes}, {"ä.b", bytes}});
  const Entry first{.name = "a.npy", .bytes = npy_of("\1\2")};
  const Entry second{.name = "ä.b.npy", .bytes = npy_of("\1\2"), .flags = 1 << 11};  // which says UTF-8
  BOOST_TEST((testing::read_bytes(at) == zip_of({first, second})));
}

BOOST_FIXTURE_TEST_CASE(deflated_entries_are_read, Files) {
  BOOST_TEST(elements<std::uint8_t>(read(zip_of({deflated("x.npy", npy_of("abc"))})).at("x")) ==
                 (std::vector<std::uint8_t>{'a', 'b', 'c'}),
             boost::test_tools::per_element());

  // gzip has ten bytes before what it deflates, checksum and size behind it.
  const Array zeros_of_a_kind = zeros({3000, 1000}).array();
  datasets::write_npy(folder / "zeros.npy", zeros_of_a_kind);
  datasets::write_npy(folder / "zeros.npy.gz", zeros_of_a_kind);
  const std::string plain = testing::read_bytes(folder / "zeros.npy");
  const std::string gzip = testing::read_bytes(folder / "zeros.npy.gz");
  const Entry entry{.name = "zeros.npy",
                    .bytes = gzip.substr(10, gzip.size() - 18),
                    .size = plain.size(),
                    .crc = crc_of(plain),
                    .method = 8};
  BOOST_TEST(entry.bytes.size() * 500 < plain.size());
  const nn::State state = read(zip_of({entry, {.name = "x.npy", .bytes = npy_of("abc")}}));
  BOOST_TEST(state.size() == 2u);
  testing::check_elements(Tensor(state.at("zeros")), {3000, 1000}, std::vector<double>(3000 * 1000, 0.0));

  const auto cut = with(entry, [](Entry& e) { e.bytes.resize(e.bytes.size() - 1); });
  check_refused(zip_of({cut}), {"the end of the deflated data", "the end of the entry"});
  const auto damaged = with(entry, [](Entry& e) { e.bytes[0] = '\x07'; });
  check_refused(zip_of({damaged}), {"intact deflated data", "invalid block type"});
}

BOOST_FIXTURE_TEST_CASE(large_numbers_have_fields_of_their_own, Files) {
  const std::string whole = large_zip_of({{.name = "x.npy", .bytes = npy_of("abc")}, deflated("y.npy", npy_of("de"))});
  const nn::State state = read(whole);
  BOOST_TEST(elements<std::uint8_t>(state.at("x")) == (std::vector<std::uint8_t>{'a', 'b', 'c'}),
             boost::test_tools::per_element());
  BOOST_TEST(elements<std::uint8_t>(state.at("y")) == (std::vector<std::uint8_t>{'d', 'e'}),
             boost::test_tools::per_element());

  const std::size_t extra = whole.find("UT", whole.find("PK\1\2"));
  const std::size_t end = whole.find("PK\6\6");
  const std::string most = number(~std::uint64_t{0}, 8);
  const auto check_with = [&](std::size_t at_byte, const std::string& bytes, std::string_view words) {
    std::string other = whole;
    BOOST_TEST_INFO("expected: " << words);
    check_refused(other.replace(at_byte, bytes.size(), bytes), {words});
  };
  check_with(extra + 9, most, "`x.npy` as 131 bytes of the file");
  check_with(extra + 9 + 8, most, "`x.npy` as 18446744073709551615 bytes of the file");
  check_with(extra + 9 + 16, most, "30 bytes at byte 18446744073709551615");
  check_with(extra + 7, number(8, 2), "8 more bytes in the directory or a header, found 0");
  check_with(extra + 2, number(1000, 2), "1000 more bytes in the directory or a header");
  check_with(end + 32, most, "a directory of 18446744073709551615 entries");
  check_with(end + 40, most, "a zip file with entries");
  check_with(end + 48, most, "a zip file with entries");
  check_with(end + 56 + 8, most, "56 bytes at byte 18446744073709551615");
  check_with(end, "PK\6\5", "a zip file with entries");
  check_with(end + 56, "PK\6\5", "a zip file with entries");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_zip_file_is_refused, Files) {
  const std::string whole = zip_of({{.name = "x.npy", .bytes = npy_of("abc")}});
  BOOST_TEST(read(whole).size() == 1u);
  for (const std::string& bytes :
       {""s, "PK"s, "\x93NUMPY"s, whole.substr(0, whole.size() - 23), whole.substr(200), zip_of({})}) {
    check_refused(bytes, {"a zip file with entries, and a directory of them at its end"});
  }
  check_throws<FileError>([&] { nn::read_npz(folder / "absent.npz"); }, {"[read_npz] ", "absent.npz", "readable file"});
  check_throws<FileError>([&] { nn::read_npz(folder); }, {"[read_npz] ", "an ordinary file", "a folder"});

  // Wherever it is cut, and whatever byte is turned over: an error of ours, or the same array.
  for (std::size_t i = 0; i < whole.size(); ++i) {
    BOOST_CHECK_THROW(read(whole.substr(0, i)), FileError);
    std::string other = whole;
    other[i] = static_cast<char>(~other[i]);
    try {
      const nn::State state = read(other);
      BOOST_TEST_INFO("byte " << i);
      BOOST_TEST(elements<std::uint8_t>(state.begin()->second) == (std::vector<std::uint8_t>{'a', 'b', 'c'}),
                 boost::test_tools::per_element());
    } catch (const FileError&) {
    }
  }
}

BOOST_FIXTURE_TEST_CASE(malformed_entries_are_refused, Files) {
  const Entry good{.name = "x.npy", .bytes = npy_of("abc")};
  const Entry packed = deflated("x.npy", npy_of("abc"));
  const Entry other{.name = "y.npy", .bytes = npy_of("defg")};
  const auto change = [&](const std::function<void(Entry&)>& f) { return zip_of({with(good, f), other}); };
  const auto repack = [&](const std::function<void(Entry&)>& f) { return zip_of({with(packed, f), other}); };

  check_refused(zip_of({good, good}), {"different names, found `x.npy` twice"});
  for (const char* name : {"", ".npy", "x", "x.txt", "a/x.npy", "../x.npy", "..x.npy"}) {
    check_refused(change([&](Entry& e) { e.name = name; }), {"entries named as arrays", "`"s + name + "`"});
  }
  check_refused(change([](Entry& e) { e.name = "x\0.npy"s; }), {"entries named as arrays", "`x\\x00.npy`"});
  check_refused(change([](Entry& e) { e.flags = 1; }), {"that everybody can read", "`x.npy`, which is encrypted"});
  check_refused(change([](Entry& e) { e.method = 12; }), {"stored or deflated", "compressed by method 12"});

  // Sizes that do not agree with each other.
  check_refused(change([](Entry& e) { ++e.size; }), {"`x.npy` as 131 bytes of the file", "a size of 132"});
  check_refused(repack([](Entry& e) { ++e.size; }), {"3 bytes of elements for shape (3,)", "4"});
  check_refused(repack([](Entry& e) { e.size = 4000000000; }), {"`x.npy` as 136 bytes", "4000000000"});
  check_refused(change([](Entry& e) { e = {.name = "x.npy", .bytes = npy_of("abc", 4)}; }),
                {"weights.npz: `x.npy`", "4 bytes of elements for shape (4,)", "3"});
  check_refused(change([](Entry& e) { e = {.name = "x.npy", .bytes = npy_of("abc", 1000000000000)}; }),
                {"1000000000000 bytes of elements", "3"});
  // Deflated data of more or fewer bytes than stated, although the checksum of those is right.
  const auto states_less = [](Entry& e) {
    e.size = npy_of("abc").size();
    e.crc = crc_of(npy_of("abc"));
  };
  check_refused(zip_of({with(deflated("x.npy", npy_of("abc") + "d"), states_less)}),
                {"131 bytes, as the directory says", "more of them"});
  check_refused(zip_of({with(deflated("x.npy", npy_of("ab", 3)), [](Entry& e) { e.size = 131; })}),
                {"131 bytes, as the directory says", "130"});
  check_refused(repack([](Entry& e) { e.bytes += "x"; }), {"131 bytes, as the directory says", "more of them"});

  // Checksums.
  check_refused(change([](Entry& e) { e.crc ^= 1; }), {"weights.npz: `x.npy`", "bytes with the checksum"});
  check_refused(repack([](Entry& e) { e.crc ^= 1; }), {"weights.npz: `x.npy`", "bytes with the checksum"});
}

BOOST_FIXTURE_TEST_CASE(entries_out_of_place_are_refused, Files) {
  // The second entry lies within the first, which is one long array.
  const Entry inner{.name = "y.npy", .bytes = npy_of("abc")};
  const std::string hidden = "PK\3\4" + described(inner) + inner.name + inner.bytes;
  const Entry outer{.name = "x.npy", .bytes = npy_of(hidden)};
  const Entry decoy = with(inner, [&](Entry& e) { e.moved = -static_cast<std::int64_t>(hidden.size()); });
  check_refused(zip_of({outer, decoy}), {"entries one after the other", "`y.npy` in another one"});

  // Both are the same bytes.
  const Entry again = with(inner, [](Entry& e) { e.moved = -static_cast<std::int64_t>(30 + 5 + e.bytes.size()); });
  const Entry named = with(inner, [](Entry& e) { e.name = "z.npy"; });
  check_refused(zip_of({named, again}), {"entry `y.npy` where and as the directory says"});

  // Nowhere, or where the directory is.
  for (const std::int64_t moved : {1, 1000, 0x7fffffff, -1}) {
    check_refused(zip_of({with(inner, [&](Entry& e) { e.moved = moved; })}), {"expected "});
  }
  const std::string whole = zip_of({inner});
  const std::size_t directory = whole.rfind("PK\1\2");
  const std::size_t local_size = 18;
  std::string longer = whole;
  for (const std::size_t at_size : {local_size, directory + 20}) {  // both sizes reach into the directory
    longer.replace(at_size, 8, number(inner.bytes.size() + 40, 4) + number(inner.bytes.size() + 40, 4));
  }
  check_refused(longer, {"171 bytes of `y.npy` ahead of the directory", "131"});
}

BOOST_FIXTURE_TEST_CASE(writing_is_whole_or_nothing, Files) {
  const Array one = ones({1}).array();
  check_throws<ValueError>([&] { nn::write_npz(at, {}); }, {"[write_npz] ", "the state is empty", "npz.cpp:"});
  check_throws<ValueError>([&] { nn::write_npz(at, {{"x", Array()}}); }, {"array `x` holds no memory"});
  for (const std::string& name : {""s, "a/b"s, ".."s, "a\0b"s, "\xff"s, std::string(65536, 'x')}) {
    check_throws<ValueError>([&] { nn::write_npz(at, {{name, one}}); }, {"cannot be the name of an array"});
  }
  check_throws<ValueError>([&] { nn::write_npz(folder / "x.npz.gz", {{"x", one}}); }, {"x.npz.gz", "without .gz"});
  check_throws<FileError>(
      [&] {
        nn::write_npz(folder / "absent" / "x.npz", {{"x", one}});
      },
      {"[write_npz] ", "absent"});
  BOOST_TEST(std::filesystem::is_empty(folder));

  nn::write_npz(at, {{"x", one}});
  BOOST_REQUIRE(std::filesystem::exists("/dev/full"));
  check_throws<FileError>(
      [&] {
        nn::write_npz("/dev/full", {{"x", zeros({1000, 1000}).array()}});
      },
      {"[write_npz] ", "/dev/full", "No space left"});
  BOOST_TEST(nn::read_npz(at).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
