#include "datasets/input_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::size_t input_buffer_bytes = std::size_t{1} << 18;
constexpr int gzip_window_bits = 15 + 16;  // zlib: the largest window, and gzip framing only

}  // namespace

std::string system_message(int error) { return std::generic_category().message(error); }

void raise_file_error(std::string_view op, const std::filesystem::path& path, std::string_view expected,
                      std::string_view found, std::string_view next_step) {
  raise<FileError>(op, phrase("{}: expected {}, found {}; {}", path.string(), expected, found, next_step));
}

void require_name(std::string_view op, const std::filesystem::path& path) {
  if (path.empty() || path.native().find('\0') != std::string::npos) {
    raise<FileError>(op, phrase("{} is no name of a file: it {}; give another", backticked(path.native()),
                                path.empty() ? "is empty" : "has a NUL byte"));
  }
}

InputFile::InputFile(std::string_view op, const std::filesystem::path& path)
    : ByteSource(op, path.string()), buffer_(input_buffer_bytes) {
  require_name(op, path);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    fail("a file", "a folder", "give the path of a file in it");
  }
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_) {
    fail("a readable file", phrase("none ({})", system_message(errno)), "check the path and its permissions");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  file_bytes_ = ignored ? 0 : size;
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
  refill();
  gzip_ = stream_.avail_in >= 2 && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b;
  if (gzip_ && inflateInit2(&stream_, gzip_window_bits) != Z_OK) {
    throw std::bad_alloc();
  }
}

InputFile::~InputFile() {
  if (gzip_) {
    inflateEnd(&stream_);
  }
}

std::size_t InputFile::read(std::byte* out, std::size_t count) {
  return gzip_ ? read_gzip(out, count) : read_plain(out, count);
}

std::size_t InputFile::read_plain(std::byte* out, std::size_t count) {
  std::size_t done = 0;
  while (done < count && (stream_.avail_in > 0 || refill())) {
    const std::size_t step = std::min<std::size_t>(count - done, stream_.avail_in);
    std::memcpy(out + done, stream_.next_in, step);
    stream_.next_in += step;
    stream_.avail_in -= static_cast<uInt>(step);
    done += step;
  }
  return done;
}

std::size_t InputFile::read_gzip(std::byte* out, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    if (stream_.avail_in == 0 && !refill()) {
      if (inside_member_) {
        raise_damaged("that it ends early");
      }
      break;
    }
    if (!inside_member_) {
      inflateReset(&stream_);
      inside_member_ = true;
    }
    const auto room = static_cast<uInt>(std::min<std::size_t>(count - done, std::numeric_limits<uInt>::max()));
    stream_.next_out = reinterpret_cast<Bytef*>(out + done);
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    const uInt step = room - stream_.avail_out;
    done += step;
    decompressed_ += step;
    if (status == Z_STREAM_END) {
      inside_member_ = false;
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      raise_damaged(stream_.msg != nullptr ? stream_.msg : "that it needs a preset dictionary");
    }
  }
  return done;
}

bool InputFile::refill() {
  const std::size_t count = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  if (count == 0 && std::ferror(file_.get()) != 0) {
    fail("a readable file", phrase("a read error ({})", system_message(errno)), "check the disk and the permissions");
  }
  stream_.next_in = buffer_.data();
  stream_.avail_in = static_cast<uInt>(count);
  from_file_ += count;
  return count > 0;
}

void InputFile::raise_damaged(std::string_view found) const {
  fail("intact gzip data", phrase("{} after {} decompressed bytes", found, decompressed_), "fetch the file again");
}

}  // namespace xgrad::datasets
