#include "datasets/zip_entry_source.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <span>
#include <utility>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::datasets {

ZipEntrySource::ZipEntrySource(std::string_view op, std::string name, const RandomAccessFile& file,
                               const ZipEntry& entry)
    : ByteSource(op, std::move(name)), file_(file), entry_(entry) {
  constexpr int window_bits = -15;  // zlib: the largest window, and no framing
  if (entry.deflated && inflateInit2(&stream_, window_bits) != Z_OK) {
    throw std::bad_alloc();
  }
}

ZipEntrySource::~ZipEntrySource() {
  if (entry_.deflated) {
    inflateEnd(&stream_);
  }
}

std::size_t ZipEntrySource::read(std::byte* out, std::size_t count) {
  const std::size_t wanted = std::min<std::uint64_t>(count, entry_.bytes - done_);
  if (entry_.deflated) {
    const std::size_t found = inflate_to(out, wanted);
    if (found < wanted) {
      raise_damaged(phrase("{} bytes, as the directory says", entry_.bytes), phrase("{}", done_ + found));
    }
  } else {
    file_.read(entry_.begin + done_, std::span(out, wanted));
  }
  crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(out), wanted);
  done_ += wanted;
  if (wanted < count) {
    check_end();
  }
  return wanted;
}

// Fewer than count bytes where the compressed data end by themselves.
std::size_t ZipEntrySource::inflate_to(std::byte* out, std::size_t count) {
  std::size_t done = 0;
  while (done < count && !stream_ended_) {
    if (stream_.avail_in == 0 && !refill()) {
      raise_damaged("the end of the deflated data", "the end of the entry");
    }
    const auto room = static_cast<uInt>(std::min<std::size_t>(count - done, std::numeric_limits<uInt>::max()));
    stream_.next_out = reinterpret_cast<Bytef*>(out + done);
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    done += room - stream_.avail_out;
    stream_ended_ = status == Z_STREAM_END;
    if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    }
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      raise_damaged("intact deflated data", stream_.msg != nullptr ? stream_.msg : "a preset dictionary");
    }
  }
  return done;
}

bool ZipEntrySource::refill() {
  constexpr std::size_t buffer_bytes = std::size_t{1} << 16;
  buffer_.resize(std::min<std::uint64_t>(buffer_bytes, entry_.stored_bytes - taken_));
  file_.read(entry_.begin + taken_, buffer_);
  taken_ += buffer_.size();
  stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
  stream_.avail_in = static_cast<uInt>(buffer_.size());
  return !buffer_.empty();
}

void ZipEntrySource::check_end() {
  std::byte beyond;
  if (entry_.deflated && (inflate_to(&beyond, 1) != 0 || stream_.avail_in != 0 || taken_ != entry_.stored_bytes)) {
    raise_damaged(phrase("{} bytes, as the directory says", entry_.bytes), "more of them");
  }
  if (crc_ != entry_.crc) {
    raise_damaged(phrase("bytes with the checksum {:08x}", entry_.crc), phrase("{:08x}", std::uint64_t{crc_}));
  }
}

void ZipEntrySource::check_rest() {
  std::vector<std::byte> dropped(std::size_t{1} << 16);
  while (read(dropped.data(), dropped.size()) == dropped.size()) {
  }
}

void ZipEntrySource::raise_damaged(std::string_view expected, std::string_view found) const {
  fail(expected, found, "write or fetch the file again");
}

}  // namespace xgrad::datasets
