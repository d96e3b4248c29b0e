#include "datasets/zip_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include <zlib.h>

#include "datasets/utf8.hpp"
#include "datasets/zip_format.hpp"

namespace xgrad::datasets {

namespace {

// A part of the file, field by field.
class RecordWriter {
 public:
  explicit RecordWriter(std::string_view signature) : text_(signature) {}

  RecordWriter& number(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      text_ += static_cast<char>((value >> (8 * i)) & 0xff);
    }
    return *this;
  }
  RecordWriter& two(std::uint64_t value) { return number(value, 2); }
  RecordWriter& four(std::uint64_t value) { return number(value, 4); }
  RecordWriter& eight(std::uint64_t value) { return number(value, 8); }
  RecordWriter& text(std::string_view value) {
    text_ += value;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

constexpr std::uint64_t version_needed = 20;  // that a reader needs
constexpr std::uint64_t version_large = 45;   // for large numbers
constexpr std::uint64_t first_day = 0x21;     // 1 January 1980, the first there is: equal states make equal files

std::uint64_t at_most(std::uint64_t value, std::uint64_t largest) { return std::min(value, largest); }

// The extra field of those numbers that are beyond their own.
std::string large_numbers(std::initializer_list<std::uint64_t> numbers) {
  RecordWriter large("");
  for (const std::uint64_t number : numbers) {
    if (number >= zip::beyond) {
      large.eight(number);
    }
  }
  return large.text().empty() ? ""
                              : RecordWriter("").two(zip::large_id).two(large.text().size()).text(large.text()).text();
}

// What both headers of an entry say of it.
RecordWriter& describe(RecordWriter& header, const std::string& name, std::uint32_t crc, std::uint64_t bytes,
                       const std::string& extra) {
  const bool is_ascii =
      std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  header.two(extra.empty() ? version_needed : version_large).two(is_ascii ? 0 : zip::utf8).two(zip::stored);
  header.two(0).two(first_day).four(crc).four(at_most(bytes, zip::beyond)).four(at_most(bytes, zip::beyond));
  return header.two(name.size()).two(extra.size());
}

}  // namespace

void ZipWriter::write(std::string_view bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, const ByteProducer& produce) {
  uLong crc = crc32(0, nullptr, 0);
  std::uint64_t bytes = 0;
  produce([&](std::span<const std::byte> part) {
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(part.data()), part.size());
    bytes += part.size();
  });
  const auto checksum = static_cast<std::uint32_t>(crc);
  const std::uint64_t begin = position_;

  // An entry's own header has both sizes there if one is beyond.
  const std::string large = large_numbers({bytes, bytes});
  RecordWriter header(zip::local_signature);
  write(describe(header, name, checksum, bytes, large).text(name).text(large).text());
  produce([&](std::span<const std::byte> part) { file_.write(part); });
  position_ += bytes;

  const std::string extra = large_numbers({bytes, bytes, begin});
  RecordWriter entry(zip::directory_signature);
  describe(entry.two(version_needed), name, checksum, bytes, extra);
  entry.two(0).two(0).two(0).four(0);  // a comment, the number of the part, attributes
  directory_ += entry.four(at_most(begin, zip::beyond)).text(name).text(extra).text();
  ++count_;
}

void ZipWriter::publish() {
  const std::uint64_t begin = position_;
  const std::uint64_t bytes = directory_.size();
  write(directory_);
  if (count_ >= zip::beyond_count || bytes >= zip::beyond || begin >= zip::beyond) {
    const std::uint64_t end = position_;
    RecordWriter large(zip::end64_signature);
    large.eight(zip::end64_bytes - 12).two(version_large).two(version_large).four(0).four(0);
    write(large.eight(count_).eight(count_).eight(bytes).eight(begin).text());
    write(RecordWriter(zip::locator_signature).four(0).eight(end).four(1).text());
  }
  RecordWriter last(zip::end_signature);
  last.two(0).two(0).two(at_most(count_, zip::beyond_count)).two(at_most(count_, zip::beyond_count));
  write(last.four(at_most(bytes, zip::beyond)).four(at_most(begin, zip::beyond)).two(0).text());
  file_.publish();
}

}  // namespace xgrad::datasets
