#include "datasets/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/unpublished.hpp"

namespace xgrad::datasets {

namespace fs = std::filesystem;

fs::path without_links(std::string_view op, const fs::path& path) {
  constexpr int most = 40;  // as many as Linux follows
  fs::path target = path;
  std::error_code error;
  for (int i = 0; fs::is_symlink(fs::symlink_status(target, error)); ++i) {
    const fs::path link = fs::read_symlink(target, error);
    if (error || i == most) {
      raise_file_error(op, path, "a link that can be followed", "links in a circle",
                       "give the path of the file itself");
    }
    target = target.parent_path() / link;  // which is the link alone if it begins at the root
  }
  return target;
}

OutputFile::OutputFile(std::string_view op, const fs::path& path) : op_(op), path_(path) {
  require_name(op, path);
  target_ = without_links(op, path);
  const char* mode = path.extension() == ".gz" ? "wb6" : "wbT";  // zlib: T writes uncompressed
  errno = 0;
  const int descriptor = open();
  if (descriptor < 0) {
    fail();
  }
  file_ = gzdopen(descriptor, mode);
  if (file_ == nullptr) {
    ::close(descriptor);
    fail();
  }
}

int OutputFile::open() {
  struct stat there = {};
  const bool exists = ::stat(target_.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) {
    errno = EISDIR;
    return -1;
  }
  if (exists && !S_ISREG(there.st_mode)) {
    return ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  }
  constexpr mode_t secret = 0600;
  constexpr mode_t usual = 0666;  // less what the user's mask takes away
  constexpr mode_t rights = 07777;
  fresh_ = std::make_unique<Unpublished>(target_, Unpublished::Kind::file, exists ? secret : usual);
  const int descriptor = fresh_->descriptor();
  if (descriptor >= 0 && exists) {
    const int same_owner = ::fchown(descriptor, there.st_uid, there.st_gid);  // which only root may always do
    const mode_t mode = there.st_mode & (same_owner == 0 ? rights : 0777);
    if (::fchmod(descriptor, mode) != 0) {
      return -1;
    }
  }
  return descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);  // zlib closes its own
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) {
    gzclose(file_);
  }
}

void OutputFile::write(std::span<const std::byte> bytes) {
  constexpr std::size_t most = std::size_t{1} << 30;  // zlib counts in unsigned int
  while (!bytes.empty()) {
    const std::span<const std::byte> part = bytes.first(std::min(most, bytes.size()));
    if (gzwrite(file_, part.data(), static_cast<unsigned>(part.size())) <= 0) {
      fail();
    }
    bytes = bytes.subspan(part.size());
  }
}

void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void OutputFile::publish() {
  if (gzclose(std::exchange(file_, nullptr)) != Z_OK) {
    fail();
  }
  if (fresh_ && !(fresh_->sync() && ::rename(fresh_->path().c_str(), target_.c_str()) == 0 && fresh_->sync_around())) {
    fail();
  }
}

void OutputFile::fail() const {
  raise_file_error(op_, path_, "a place to write the file", phrase("an error ({})", system_message(errno)),
                   "check the folder, its permissions and the free space");
}

}  // namespace xgrad::datasets
