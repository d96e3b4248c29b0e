#pragma once

#include <filesystem>

#include <sys/types.h>

/// \file
/// Internal: files and folders that are being written beside their place, and what reaches the disk when.

namespace xgrad::datasets {

/// An empty file or folder beside its target, under a name that nobody can know before: `.TARGET.`, random digits,
/// `.part`. It is removed again, with whatever is in it, unless it has been moved.
///
/// It holds a lock on itself that ends with the object, and with the process. So what a killed writer left is told from
/// what another one writes: each new one removes what was left beside the same target. Where the file system has no locks,
/// nothing is removed.
class Unpublished {
 public:
  enum class Kind { file, folder };
  /// What can fail, here and below, returns false or leaves no descriptor, and errno says why.
  /// \param mode rights, less what the user's mask takes away.
  Unpublished(const std::filesystem::path& target, Kind kind, mode_t mode);
  Unpublished(const Unpublished&) = delete;
  Unpublished& operator=(const Unpublished&) = delete;
  ~Unpublished();

  const std::filesystem::path& path() const { return path_; }
  /// Where what stands at the target can be set aside for a moment. What is left there goes back, or is removed.
  std::filesystem::path aside() const;
  int descriptor() const { return descriptor_; }  ///< negative when it could not be made

  /// Waits until what has been written into it is on the disk: the elements of a file, the entries of a folder.
  bool sync() const;
  /// Waits until the entries of the folder around it are: also those of what was moved from there, or there.
  bool sync_around() const;

 private:
  bool make(Kind kind, mode_t mode);

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Waits until what has been written into the file \p path is on the disk.
bool sync_file(const std::filesystem::path& path);

/// Removes what killed writers left beside \p target.
void remove_left(const std::filesystem::path& target);

/// Makes a folder, and those it is in, such that they outlast a power failure.
bool make_folders(const std::filesystem::path& folder);

}  // namespace xgrad::datasets
