#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Internal: bytes that come front to back, from wherever.

namespace xgrad::datasets {

/// Bytes read front to back: those of a file, or of a part of one.
class ByteSource {
 public:
  /// \param op the function the user called. \param name what is read. Both are for messages.
  ByteSource(std::string_view op, std::string name) : op_(op), name_(std::move(name)) {}
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Reads the next \p count bytes, fewer only where the source ends. Having read to the end means that every checksum
  /// was right. \throws FileError when reading fails or the bytes are damaged.
  virtual std::size_t read(std::byte* out, std::size_t count) = 0;

  /// How many bytes are still to come, where the source says so. Whether it holds them is known at its end.
  virtual std::optional<std::uint64_t> stated_bytes() const { return std::nullopt; }

  /// The next \p count bytes, fewer only where the source ends. Memory grows with what it really holds: a size that a
  /// header states is not believed before.
  std::vector<std::byte> read_bytes(std::size_t count);

  /// \throws FileError `[op] name: expected ..., found ...; next_step`.
  [[noreturn]] void fail(std::string_view expected, std::string_view found, std::string_view next_step) const;

 private:
  std::string op_;
  std::string name_;
};

}  // namespace xgrad::datasets
