#include "datasets/idx.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/output_file.hpp"

namespace xgrad::datasets {

namespace {

template <std::size_t bytes>
using UnsignedOf = std::conditional_t<
    bytes == 1, std::uint8_t,
    std::conditional_t<bytes == 2, std::uint16_t, std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>>;

template <class T>
T from_big_endian(const std::byte* in) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bits = bits << 8 | std::to_integer<std::uint64_t>(in[i]);
  }
  return std::bit_cast<T>(static_cast<UnsignedOf<sizeof(T)>>(bits));
}

template <class T>
void to_big_endian(T value, std::byte* out) {
  const auto bits = std::uint64_t{std::bit_cast<UnsignedOf<sizeof(T)>>(value)};
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<std::byte>(bits >> (8 * (sizeof(T) - 1 - i)) & 0xff);
  }
}

template <class Stored, class Element>
void decode(const std::byte* in, Array& out) {
  Element* elements = out.data<Element>();
  for (std::int64_t i = 0, count = out.size(); i < count; ++i) {
    elements[i] = from_big_endian<Stored>(in + static_cast<std::size_t>(i) * sizeof(Stored));
  }
}

template <class Stored>
void encode(const Array& in, std::int64_t first, std::int64_t count, std::byte* out) {
  const Stored* elements = in.data<Stored>() + first;
  for (std::int64_t i = 0; i < count; ++i) {
    to_big_endian(elements[i], out + static_cast<std::size_t>(i) * sizeof(Stored));
  }
}

struct ElementType {
  std::uint8_t code;
  std::size_t bytes;
  DType dtype;
  void (*decode)(const std::byte* in, Array& out);
  void (*encode)(const Array& in, std::int64_t first, std::int64_t count, std::byte* out);  // null: never written
};

template <class Stored, class Element = Stored>
constexpr ElementType element_type(std::uint8_t code) {
  if constexpr (std::is_same_v<Stored, Element>) {
    return {code, sizeof(Stored), dtype_of<Element>(), decode<Stored, Element>, encode<Stored>};
  } else {
    return {code, sizeof(Stored), dtype_of<Element>(), decode<Stored, Element>, nullptr};
  }
}

constexpr std::array element_types = {
    element_type<std::uint8_t>(0x08),
    element_type<std::int8_t, std::int32_t>(0x09),
    element_type<std::int16_t, std::int32_t>(0x0B),
    element_type<std::int32_t>(0x0C),
    element_type<float>(0x0D),
    element_type<double>(0x0E),
};

constexpr std::size_t magic_bytes = 4;
constexpr std::size_t dimension_bytes = 4;
constexpr std::string_view fetch_again = "fetch or convert the file again";

struct Header {
  const ElementType* type;
  Shape shape;
  std::size_t header_bytes;
  std::size_t data_bytes;
};

class IdxReader {
 public:
  explicit IdxReader(const std::filesystem::path& path) : path_(path), file_("read_idx", path) {}

  Array read() {
    const Header header = read_header();
    const std::vector<std::byte> data = read_data(header);
    Array result(header.shape, header.type->dtype);
    header.type->decode(data.data(), result);
    return result;
  }

 private:
  Header read_header() {
    std::array<std::byte, magic_bytes + dimension_bytes * Shape::max_ndim> bytes;
    const std::size_t found = file_.read(bytes.data(), magic_bytes);
    if (found < magic_bytes) {
      fail("an IDX header that starts with 4 bytes", phrase("a file of {} bytes", found), fetch_again);
    }
    const auto magic = from_big_endian<std::uint32_t>(bytes.data());
    if (magic >> 16 != 0) {
      fail("an IDX file, which starts with the bytes 00 00", phrase("{:02x} {:02x}", magic >> 24, magic >> 16 & 0xff),
           "give an IDX file, plain or compressed by gzip");
    }
    const std::uint32_t ndim = magic & 0xff;
    if (ndim > Shape::max_ndim) {
      fail(phrase("at most {} dimensions", Shape::max_ndim), phrase("{}", ndim), fetch_again);
    }
    Header header{find_type(magic >> 8 & 0xff), {}, magic_bytes + dimension_bytes * ndim, 0};
    const std::size_t sizes = file_.read(bytes.data(), dimension_bytes * ndim);
    if (sizes < dimension_bytes * ndim) {
      fail(phrase("a header of {} bytes for {} dimensions", header.header_bytes, ndim),
           phrase("a file of {} bytes", magic_bytes + sizes), fetch_again);
    }
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      header.shape.push_back(from_big_endian<std::uint32_t>(bytes.data() + axis * dimension_bytes));
    }
    header.data_bytes = checked_bytes(header);
    return header;
  }

  const ElementType* find_type(std::uint32_t code) const {
    const auto* type = std::find_if(element_types.begin(), element_types.end(),
                                    [code](const ElementType& candidate) { return candidate.code == code; });
    if (type == element_types.end()) {
      fail("an element type of 08, 09, 0b, 0c, 0d or 0e", phrase("{:02x}", code), fetch_again);
    }
    return type;
  }

  // Axes of size 0 are passed over: the others must be countable all the same.
  std::size_t checked_bytes(const Header& header) const {
    constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max() / sizeof(double);
    bool empty = false;
    std::uint64_t count = 1;
    for (std::int64_t signed_size : header.shape) {
      const auto size = static_cast<std::uint64_t>(signed_size);
      empty = empty || size == 0;
      if (size > 1 && count > limit / size) {
        fail("sizes whose product is below 2^60", to_string(header.shape), fetch_again);
      }
      count *= std::max<std::uint64_t>(size, 1);
    }
    return empty ? 0 : count * header.type->bytes;
  }

  std::vector<std::byte> read_data(const Header& header) {
    std::vector<std::byte> data = file_.read_bytes(header.data_bytes);
    if (data.size() < header.data_bytes) {
      fail(phrase("{} bytes of elements for shape {}", header.data_bytes, to_string(header.shape)),
           phrase("{}", data.size()), fetch_again);
    }
    std::byte beyond;
    if (file_.read(&beyond, 1) != 0) {
      fail(phrase("the end after {} bytes of header and {} of elements for shape {}", header.header_bytes,
                  header.data_bytes, to_string(header.shape)),
           "trailing bytes", fetch_again);
    }
    return data;
  }

  [[noreturn]] void fail(std::string_view expected, std::string_view found, std::string_view next_step) const {
    raise_file_error("read_idx", path_, expected, found, next_step);
  }

  std::filesystem::path path_;
  InputFile file_;
};

const ElementType& type_to_write(const Array& array) {
  if (!array) {
    raise<ValueError>("write_idx", "the array holds no memory; give one made from a shape");
  }
  const auto* type = std::find_if(element_types.begin(), element_types.end(), [&](const ElementType& candidate) {
    return candidate.encode != nullptr && candidate.dtype == array.dtype();
  });
  if (type == element_types.end()) {
    raise<DTypeError>("write_idx", phrase("IDX has no element type for {}; cast to uint8, int32, float32 or float64",
                                          to_string(array.dtype())));
  }
  return *type;
}

std::vector<std::byte> encode_header(const ElementType& type, const Shape& shape) {
  std::vector<std::byte> header(magic_bytes + dimension_bytes * shape.ndim());
  header[2] = std::byte{type.code};
  header[3] = static_cast<std::byte>(shape.ndim());
  for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
    if (shape[axis] > std::numeric_limits<std::uint32_t>::max()) {
      raise<ValueError>("write_idx",
                        phrase("IDX holds sizes below 2^32, the shape is {}; split the array", to_string(shape)));
    }
    to_big_endian(static_cast<std::uint32_t>(shape[axis]), header.data() + magic_bytes + axis * dimension_bytes);
  }
  return header;
}

}  // namespace

Array read_idx(const std::filesystem::path& path) { return IdxReader(path).read(); }

void write_idx(const std::filesystem::path& path, const Array& array) {
  const ElementType& type = type_to_write(array);
  const std::vector<std::byte> header = encode_header(type, array.shape());
  OutputFile file("write_idx", path);
  file.write(header);
  constexpr std::int64_t block = std::int64_t{1} << 16;
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(block, array.size())) * type.bytes);
  for (std::int64_t first = 0; first < array.size(); first += block) {
    const std::int64_t count = std::min(block, array.size() - first);
    type.encode(array, first, count, bytes.data());
    file.write(std::span(bytes).first(static_cast<std::size_t>(count) * type.bytes));
  }
  file.publish();
}

}  // namespace xgrad::datasets
