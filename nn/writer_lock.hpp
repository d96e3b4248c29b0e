#pragma once

#include <filesystem>
#include <string_view>

/// \file
/// Internal: one writer at a time.

namespace xgrad::nn::detail {

/// While one of these lives, no other process gets one for the same file; others of this process share it. It is the lock of a file
/// beside that, `.run.safetensors.lock`, which is removed in the end; when a process is killed, its lock is gone, and the
/// next one removes the file. Where a file system knows no locks, everybody gets one.
class WriterLock {
 public:
  /// \throws FileError as from \p op while another one lives, with the number of its process.
  WriterLock(std::string_view op, const std::filesystem::path& path);
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock();

 private:
  bool is_in_place() const;

  std::filesystem::path lock_;
  int descriptor_ = -1;
};

}  // namespace xgrad::nn::detail
