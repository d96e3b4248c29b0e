#include "datasets/npy_stream.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/half.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

struct NpyType {
  std::string_view code;  // kind and bytes
  std::size_t bytes;
  DType dtype;
  void (*decode)(const std::byte* in, bool swapped, Array& out);
};

namespace {

constexpr std::string_view npy_magic = "\x93NUMPY";
constexpr std::size_t largest_header = std::size_t{1} << 16;  // NumPy's own of eight dimensions has some 200 bytes
constexpr std::string_view write_or_fetch_again = "write or fetch the file again";

struct Half {
  std::uint16_t bits;
  operator float() const { return from_half(bits); }
};

template <class Stored, class Element>
void decode(const std::byte* in, bool swapped, Array& out) {
  Element* elements = out.data<Element>();
  for (std::int64_t i = 0, count = out.size(); i < count; ++i) {
    std::array<std::byte, sizeof(Stored)> bytes;
    std::memcpy(bytes.data(), in + static_cast<std::size_t>(i) * sizeof(Stored), sizeof(Stored));
    if (swapped) {
      std::reverse(bytes.begin(), bytes.end());
    }
    if constexpr (std::is_same_v<Element, bool>) {
      elements[i] = bytes[0] != std::byte{0};
    } else {
      elements[i] = std::bit_cast<Stored>(bytes);
    }
  }
}

template <class Stored, class Element = Stored>
constexpr NpyType element_type(std::string_view code) {
  return {code, sizeof(Stored), dtype_of<Element>(), decode<Stored, Element>};
}

constexpr std::array npy_types = {
    element_type<std::uint8_t, bool>("b1"),
    element_type<std::uint8_t>("u1"),
    element_type<std::int32_t>("i4"),
    element_type<std::int64_t>("i8"),
    element_type<float>("f4"),
    element_type<double>("f8"),
    element_type<Half, float>("f2"),
    element_type<std::int8_t, std::int32_t>("i1"),
    element_type<std::int16_t, std::int32_t>("i2"),
    element_type<std::uint16_t, std::int32_t>("u2"),
    element_type<std::uint32_t, std::int64_t>("u4"),
};

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

class HeaderReader {
 public:
  explicit HeaderReader(ByteSource& source) : source_(source) {}

  NpyHeader read() { return parse(read_header()); }

 private:
  std::string read_header() {
    std::array<std::byte, 12> start;
    std::size_t found = source_.read(start.data(), 10);
    const std::string_view text(reinterpret_cast<const char*>(start.data()), found);
    if (!text.starts_with(npy_magic) || found < 10) {
      source_.fail("an NPY file, which starts with \\x93NUMPY, a version and a size", phrase("{} other bytes", found),
                   "give a file that numpy.save wrote");
    }
    const auto version = std::to_integer<int>(start[6]);
    if (version < 1 || version > 3) {
      source_.fail("format 1.0, 2.0 or 3.0", phrase("{}.{}", version, std::to_integer<int>(start[7])),
                   write_or_fetch_again);
    }
    const std::size_t size_bytes = version == 1 ? 2 : 4;
    found += version == 1 ? 0 : source_.read(start.data() + 10, 2);
    std::size_t size = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) {
      size |= std::to_integer<std::size_t>(start[8 + i]) << (8 * i);
    }
    if (found < 8 + size_bytes || size > largest_header) {
      source_.fail(phrase("a header of at most {} bytes", largest_header), phrase("{}", size), write_or_fetch_again);
    }
    const std::vector<std::byte> header = source_.read_bytes(size);
    if (header.size() < size) {
      source_.fail(phrase("a header of {} bytes", size), phrase("{}", header.size()), write_or_fetch_again);
    }
    return {reinterpret_cast<const char*>(header.data()), header.size()};
  }

  // {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
  NpyHeader parse(std::string_view text) const {
    text = without_blanks(text);
    if (!text.starts_with('{') || !text.ends_with('}')) {
      source_.fail("a header {...}", backticked(text), write_or_fetch_again);
    }
    NpyHeader header;
    set_type(header, value_of(text, "descr"));
    const std::string_view order = value_of(text, "fortran_order");
    header.fortran_order = order.starts_with("True");
    if (!header.fortran_order && !order.starts_with("False")) {
      source_.fail("True or False as fortran_order", backticked(order), write_or_fetch_again);
    }
    set_shape(header, value_of(text, "shape"));
    return header;
  }

  std::string_view value_of(std::string_view header, std::string_view key) const {
    for (const char quote : {'\'', '"'}) {
      const std::string name = phrase("{}{}{}", quote, key, quote);
      const std::size_t at = header.find(name);
      if (at != std::string_view::npos) {
        const std::string_view rest = without_blanks(header.substr(at + name.size()));
        if (rest.starts_with(':')) {
          return without_blanks(rest.substr(1));
        }
      }
    }
    source_.fail(phrase("a header with '{}'", key), backticked(header), write_or_fetch_again);
  }

  void set_type(NpyHeader& header, std::string_view text) const {
    const std::size_t end = text.empty() ? std::string_view::npos : text.find(text[0], 1);
    const bool is_string = text.starts_with('\'') || text.starts_with('"');
    const std::string_view name = is_string && end != std::string_view::npos ? text.substr(1, end - 1) : "";
    const auto* type = std::find_if(npy_types.begin(), npy_types.end(), [name](const NpyType& candidate) {
      return name.size() == 3 && name.substr(1) == candidate.code;
    });
    if (type == npy_types.end() || std::string_view("<>|=").find(name[0]) == std::string_view::npos) {
      source_.fail("elements of bool, int8 to int64, uint8 to uint32, or float16 to float64",
                   backticked(name.empty() ? text.substr(0, 60) : name),
                   "convert the array with astype before saving it");
    }
    header.type = type;
    header.swapped = name[0] == '>';
  }

  void set_shape(NpyHeader& header, std::string_view text) const {
    const std::size_t end = text.find(')');
    if (!text.starts_with('(') || end == std::string_view::npos) {
      source_.fail("a tuple as shape", backticked(text.substr(0, 60)), write_or_fetch_again);
    }
    const std::string_view tuple = text.substr(0, end + 1);
    for (std::string_view rest = without_blanks(text.substr(1, end - 1)); !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view number = without_blanks(rest.substr(0, comma));
      std::int64_t size = -1;
      const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), size);
      if (error != std::errc() || stop != number.data() + number.size() || size < 0) {
        source_.fail("sizes of 0 or more as shape", backticked(tuple), write_or_fetch_again);
      }
      if (header.shape.ndim() == Shape::max_ndim) {
        source_.fail(phrase("at most {} dimensions", Shape::max_ndim), backticked(tuple), write_or_fetch_again);
      }
      header.shape.push_back(size);
      rest = without_blanks(rest.substr(std::min(comma + 1, rest.size())));
    }
    // Axes of size 0 are passed over: the others must be countable all the same.
    std::int64_t count = 1;
    for (const std::int64_t size : header.shape) {
      if (size > 1 && count > (std::numeric_limits<std::int64_t>::max() >> 4) / size) {
        source_.fail("sizes whose product is below 2^59", backticked(tuple), write_or_fetch_again);
      }
      count *= std::max<std::int64_t>(size, 1);
    }
  }

  ByteSource& source_;
};

std::string bytes_of(const NpyHeader& header) {
  return phrase("{} bytes of elements for shape {}", header.data_bytes(), to_string(header.shape));
}

// In Fortran order the first axis varies fastest: in memory it is the last.
Shape stored_shape(const NpyHeader& header) {
  Shape shape = header.shape;
  if (header.fortran_order) {
    std::reverse(shape.begin(), shape.end());
  }
  return shape;
}

Array row_major(const Array& stored, const Shape& shape) {
  Array result(shape, stored.dtype());
  Ints strides = row_major_strides(stored.shape());
  std::reverse(strides.begin(), strides.end());
  kernels::copy(size_of(stored.dtype()), shape, stored.data(), strides, result.data(), row_major_strides(shape));
  return result;
}

// What elements are written as; nothing where the format has no type for them.
constexpr std::string_view written_code(DType dtype) {
  switch (dtype) {
    case DType::boolean: return "b1";
    case DType::uint8: return "u1";
    case DType::int32: return "i4";
    case DType::int64: return "i8";
    case DType::bfloat16: return "";
    case DType::float32: return "f4";
    case DType::float64: return "f8";
  }
  __builtin_unreachable();
}

std::string header_of(const Array& array) {
  std::string sizes;
  for (const std::int64_t size : array.shape()) {
    sizes += phrase("{}{},", sizes.empty() ? "" : " ", size);
  }
  if (array.shape().ndim() > 1) {
    sizes.pop_back();
  }
  std::string text = phrase("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                            size_of(array.dtype()) == 1 ? '|' : '<', written_code(array.dtype()), sizes);
  constexpr std::size_t start = 10;  // magic, version, size
  constexpr std::size_t alignment = 64;
  text.resize((start + text.size() + 1 + alignment - 1) / alignment * alignment - start, ' ');
  text.back() = '\n';
  const std::string size = {static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return std::string(npy_magic) + '\x01' + '\x00' + size + text;
}

}  // namespace

std::size_t NpyHeader::data_bytes() const { return static_cast<std::size_t>(shape.element_count()) * type->bytes; }

NpyHeader read_npy_header(ByteSource& source) {
  const NpyHeader header = HeaderReader(source).read();
  const std::optional<std::uint64_t> stated = source.stated_bytes();
  if (stated && *stated != header.data_bytes()) {
    source.fail(bytes_of(header), phrase("{}", *stated), write_or_fetch_again);
  }
  return header;
}

Array read_npy_elements(ByteSource& source, const NpyHeader& header) {
  const std::vector<std::byte> data = source.read_bytes(header.data_bytes());
  if (data.size() < header.data_bytes()) {
    source.fail(bytes_of(header), phrase("{}", data.size()), write_or_fetch_again);
  }
  std::byte beyond;
  if (source.read(&beyond, 1) != 0) {
    source.fail("the end after " + bytes_of(header), "trailing bytes", write_or_fetch_again);
  }
  Array result(stored_shape(header), header.type->dtype);
  header.type->decode(data.data(), header.swapped, result);
  return header.fortran_order ? row_major(result, header.shape) : result;
}

void require_npy_type(std::string_view op, const Array& array) {
  if (written_code(array.dtype()).empty()) {
    raise<DTypeError>(op,
                      phrase("NPY and NPZ have no element type for {}; cast to float32, which holds the same numbers, "
                             "or write a safetensors file",
                             to_string(array.dtype())));
  }
}

void write_npy_to(const ByteSink& sink, const Array& array) {
  static_assert(std::endian::native == std::endian::little, "elements are written as they are in memory");
  const std::string header = header_of(array);
  sink(std::as_bytes(std::span(header)));
  sink(std::span(static_cast<const std::byte*>(array.data()), array.bytes()));
}

}  // namespace xgrad::datasets
