#pragma once

#include <cstdint>
#include <string_view>

/// \file
/// Internal: what reading and writing of zip files share (PKWARE, APPNOTE.TXT, version 6.3). A file has a header, then the
/// bytes, of each entry; a directory, which describes all of them again; and where to find the directory. Numbers have
/// their least byte first. One that is too large for its field is `beyond` there, and has a field of eight bytes elsewhere:
/// in an extra field of the entry, or in a second record about the directory.

namespace xgrad::datasets::zip {

inline constexpr std::string_view local_signature = "PK\3\4";
inline constexpr std::string_view directory_signature = "PK\1\2";
inline constexpr std::string_view end64_signature = "PK\6\6";
inline constexpr std::string_view locator_signature = "PK\6\7";  // of the record before
inline constexpr std::string_view end_signature = "PK\5\6";

// Fixed parts, in bytes.
inline constexpr std::uint64_t local_bytes = 30;
inline constexpr std::uint64_t directory_bytes = 46;
inline constexpr std::uint64_t end64_bytes = 56;
inline constexpr std::uint64_t locator_bytes = 20;
inline constexpr std::uint64_t end_bytes = 22;

inline constexpr std::uint32_t beyond = 0xffffffff;
inline constexpr std::uint16_t beyond_count = 0xffff;
inline constexpr std::uint16_t large_id = 1;  // of the extra field of large numbers

inline constexpr std::uint16_t stored = 0;
inline constexpr std::uint16_t deflated = 8;

// Flags of an entry.
inline constexpr std::uint16_t encrypted = 0x2041;  // in one of three ways
inline constexpr std::uint16_t sizes_behind = 8;    // its own header has no sizes and checksum
inline constexpr std::uint16_t utf8 = 0x800;        // its name

}  // namespace xgrad::datasets::zip
