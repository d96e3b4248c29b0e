#include "datasets/zip_directory.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string_view>

#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "datasets/zip_format.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view write_file_again = "write or fetch the file again";

// A part of the file, read field by field.
class RecordReader {
 public:
  RecordReader(const RandomAccessFile& file, std::string bytes) : file_(file), bytes_(std::move(bytes)) {}

  std::string_view text(std::size_t count) {
    if (count > left()) {
      file_.fail(phrase("{} more bytes in the directory or a header", count), phrase("{}", left()), write_file_again);
    }
    at_ += count;
    return std::string_view(bytes_).substr(at_ - count, count);
  }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    const std::string_view field = text(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(field[i])} << (8 * i);
    }
    return value;
  }
  std::uint16_t two() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t four() { return static_cast<std::uint32_t>(number(4)); }
  void skip(std::size_t count) { text(count); }
  std::size_t left() const { return bytes_.size() - at_; }

 private:
  const RandomAccessFile& file_;
  std::string bytes_;
  std::size_t at_ = 0;
};

// Where the directory is.
struct DirectoryPlace {
  std::uint64_t count = 0;
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
};

// An entry as one of its two headers has it.
struct Described {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t bytes = 0;
  std::size_t name_bytes = 0;
  std::size_t extra_bytes = 0;
};

Described read_description(RecordReader& record) {
  Described result;
  record.skip(2);  // version
  result.flags = record.two();
  result.method = record.two();
  record.skip(4);  // time
  result.crc = record.four();
  result.stored_bytes = record.four();
  result.bytes = record.four();
  result.name_bytes = record.two();
  result.extra_bytes = record.two();
  return result;
}

class DirectoryReader {
 public:
  explicit DirectoryReader(const RandomAccessFile& file) : file_(file) {}

  std::vector<ZipEntry> read() {
    const DirectoryPlace place = find();
    RecordReader directory = record(place.begin, place.bytes);
    while (directory.left() > 0) {
      read_entry(directory);
    }
    if (entries_.size() != place.count) {
      refuse(phrase("a directory of {} entries", place.count), phrase("{}", entries_.size()));
    }
    require_apart(place.begin);
    std::vector<ZipEntry> result;
    for (Placed& placed : entries_) {
      result.push_back(std::move(placed.entry));
    }
    return result;
  }

 private:
  struct Placed {
    ZipEntry entry;
    std::uint64_t header;  // where the entry begins, with its own header
  };

  [[noreturn]] void refuse(std::string_view expected, std::string_view found) const {
    file_.fail(expected, found, write_file_again);
  }
  [[noreturn]] void refuse_as_zip() const {
    refuse("a zip file with entries, and a directory of them at its end", "something else");
  }

  RecordReader record(std::uint64_t begin, std::uint64_t bytes) const {
    if (begin > file_.size() || bytes > file_.size() - begin) {
      refuse(phrase("{} bytes at byte {}", bytes, begin), phrase("a file of {}", file_.size()));
    }
    std::string text(bytes, '\0');
    file_.read(begin, std::as_writable_bytes(std::span(text)));
    return {file_, std::move(text)};
  }

  // The last record that reaches to the end of the file: it may end with a comment.
  std::uint64_t find_end() const {
    constexpr std::uint64_t longest_comment = 65535;
    const std::uint64_t tail = std::min(file_.size(), zip::end_bytes + longest_comment);
    RecordReader bytes = record(file_.size() - tail, tail);
    const std::string_view text = bytes.text(tail);
    for (std::size_t at = text.rfind(zip::end_signature); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : text.rfind(zip::end_signature, at - 1)) {
      if (tail - at >= zip::end_bytes) {
        const auto low = static_cast<unsigned char>(text[at + 20]);
        const auto high = static_cast<unsigned char>(text[at + 21]);
        if (tail - at == zip::end_bytes + low + 256U * high) {
          return file_.size() - tail + at;
        }
      }
    }
    refuse_as_zip();
  }

  DirectoryPlace find() const {
    std::uint64_t end = find_end();
    RecordReader last = record(end, zip::end_bytes);
    last.skip(4 + 2 + 2 + 2);  // signature, and numbers of parts
    DirectoryPlace place;
    place.count = last.two();
    place.bytes = last.four();
    place.begin = last.four();
    if (place.count == zip::beyond_count || place.bytes == zip::beyond || place.begin == zip::beyond) {
      find_large(place, end);
    }
    if (place.count == 0 || place.begin > end || place.bytes != end - place.begin) {
      refuse_as_zip();
    }
    return place;
  }

  // What is too large for the last record is in one before it, if there is one. \param end then is where that one begins.
  void find_large(DirectoryPlace& place, std::uint64_t& end) const {
    if (end < zip::locator_bytes) {
      return;
    }
    RecordReader locator = record(end - zip::locator_bytes, zip::locator_bytes);
    if (locator.text(4) != zip::locator_signature) {
      return;
    }
    locator.skip(4);
    end = locator.number(8);
    RecordReader large = record(end, zip::end64_bytes);
    if (large.text(4) != zip::end64_signature) {
      refuse_as_zip();
    }
    large.skip(8 + 2 + 2 + 4 + 4 + 8);  // its size, versions, and numbers of parts
    place.count = large.number(8);
    place.bytes = large.number(8);
    place.begin = large.number(8);
  }

  void read_entry(RecordReader& directory) {
    if (directory.text(4) != zip::directory_signature) {
      refuse("an entry of the directory", "something else");
    }
    directory.skip(2);  // version
    Described described = read_description(directory);
    const std::size_t comment_bytes = directory.two();
    directory.skip(2 + 2 + 4);  // number of the part, attributes
    std::uint64_t header = directory.four();
    Placed placed;
    placed.entry.name = directory.text(described.name_bytes);
    RecordReader extra(file_, std::string(directory.text(described.extra_bytes)));
    directory.skip(comment_bytes);
    read_large_numbers(extra, {&described.bytes, &described.stored_bytes, &header});
    require_readable(placed.entry.name, described);
    placed.header = header;
    placed.entry.deflated = described.method == zip::deflated;
    placed.entry.crc = described.crc;
    placed.entry.bytes = described.bytes;
    placed.entry.stored_bytes = described.stored_bytes;
    placed.entry.begin = find_bytes(placed.entry.name, header, described);
    entries_.push_back(std::move(placed));
  }

  // In their order, those numbers that are beyond their own fields.
  void read_large_numbers(RecordReader& extra, std::initializer_list<std::uint64_t*> numbers) const {
    while (extra.left() >= 4) {
      const std::uint16_t id = extra.two();
      RecordReader field(file_, std::string(extra.text(extra.two())));
      for (std::uint64_t* number : numbers) {
        if (id == zip::large_id && *number == zip::beyond) {
          *number = field.number(8);
        }
      }
    }
  }

  void require_readable(const std::string& name, const Described& described) {
    if (!names_.insert(name).second) {
      refuse("different names", backticked(name) + " twice");
    }
    if ((described.flags & zip::encrypted) != 0) {
      file_.fail("entries that everybody can read", backticked(name) + ", which is encrypted", "write it without");
    }
    if (described.method != zip::stored && described.method != zip::deflated) {
      file_.fail("entries that are stored or deflated",
                 phrase("{}, which is compressed by method {}", backticked(name), described.method),
                 "write it as numpy.savez does");
    }
    // A byte of deflate is worth 1032 bytes at most: the longest match, 258 bytes, takes two bits.
    constexpr std::uint64_t most = 1032;
    const bool possible = described.method == zip::stored ? described.stored_bytes == described.bytes
                                                          : described.bytes / most <= described.stored_bytes;
    if (!possible) {
      refuse(phrase("{} as {} bytes of the file, as the directory says", backticked(name), described.stored_bytes),
             phrase("a size of {}", described.bytes));
    }
  }

  // Where the bytes of an entry begin: behind its own header, which must say the same as the directory.
  std::uint64_t find_bytes(const std::string& name, std::uint64_t header, const Described& expected) const {
    RecordReader local = record(header, zip::local_bytes);
    const bool is_header = local.text(4) == zip::local_signature;
    const Described found = read_description(local);
    const bool is_alike =
        is_header && found.method == expected.method && (found.flags & zip::encrypted) == 0 &&
        found.name_bytes == name.size() && record(header + zip::local_bytes, name.size()).text(name.size()) == name &&
        ((found.flags & zip::sizes_behind) != 0 ||
         (found.crc == expected.crc && (found.bytes == expected.bytes || found.bytes == zip::beyond) &&
          (found.stored_bytes == expected.stored_bytes || found.stored_bytes == zip::beyond)));
    if (!is_alike) {
      refuse(phrase("entry {} where and as the directory says", backticked(name)), "something else");
    }
    return header + zip::local_bytes + found.name_bytes + found.extra_bytes;
  }

  // Bytes that several entries share would be read once for each.
  void require_apart(std::uint64_t directory_begin) const {
    std::vector<const Placed*> order;
    for (const Placed& placed : entries_) {
      order.push_back(&placed);
    }
    std::sort(order.begin(), order.end(), [](const Placed* a, const Placed* b) { return a->header < b->header; });
    std::uint64_t end = 0;
    for (const Placed* placed : order) {
      const ZipEntry& entry = placed->entry;
      if (placed->header < end) {
        refuse("entries one after the other", backticked(entry.name) + " in another one");
      }
      if (entry.begin > directory_begin || entry.stored_bytes > directory_begin - entry.begin) {
        refuse(phrase("{} bytes of {} ahead of the directory", entry.stored_bytes, backticked(entry.name)),
               phrase("{}", directory_begin - std::min(directory_begin, entry.begin)));
      }
      end = entry.begin + entry.stored_bytes;
    }
  }

  const RandomAccessFile& file_;
  std::vector<Placed> entries_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<ZipEntry> read_zip_directory(const RandomAccessFile& file) { return DirectoryReader(file).read(); }

}  // namespace xgrad::datasets
