#include "nn/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/half.hpp"
#include "datasets/quoted.hpp"
#include "nn/parse_json.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::string_view metadata_name = "__metadata__";
constexpr std::size_t most_metadata = 10'000;  // small ones take many times the memory of their text
constexpr std::uint64_t unknown_size = std::numeric_limits<std::uint64_t>::max();

template <class Stored, class Element, Element (*convert)(Stored)>
void decode(const std::byte* stored, std::int64_t count, Array& elements) {
  Element* out = elements.data<Element>();
  for (std::int64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, stored + static_cast<std::size_t>(i) * sizeof(Stored), sizeof(Stored));
    out[i] = convert(value);
  }
}

template <class Stored, class Element>
Element widened(Stored value) {
  return Element{value};
}

bool is_not_zero(std::uint8_t value) { return value != 0; }  // any other bool than 0 and 1 would be undefined behaviour

// The first of a dtype is what it is written as.
constexpr std::array types = {
    SafetensorsType{"F64", 8, DType::float64, nullptr},
    SafetensorsType{"I64", 8, DType::int64, nullptr},
    SafetensorsType{"F32", 4, DType::float32, nullptr},
    SafetensorsType{"I32", 4, DType::int32, nullptr},
    SafetensorsType{"BF16", 2, DType::bfloat16, nullptr},
    SafetensorsType{"U8", 1, DType::uint8, nullptr},
    SafetensorsType{"BOOL", 1, DType::boolean, decode<std::uint8_t, bool, is_not_zero>},
    SafetensorsType{"F16", 2, DType::float32, decode<std::uint16_t, float, datasets::from_half>},
    SafetensorsType{"I8", 1, DType::int32, decode<std::int8_t, std::int32_t, widened>},
    SafetensorsType{"I16", 2, DType::int32, decode<std::int16_t, std::int32_t, widened>},
    SafetensorsType{"U16", 2, DType::int32, decode<std::uint16_t, std::int32_t, widened>},
    SafetensorsType{"U32", 4, DType::int64, decode<std::uint32_t, std::int64_t, widened>},
};

// Where elements are alike in memory, they are in number of bytes.
constexpr bool writes_every_dtype() {
  for (int i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    const auto* type =
        std::find_if(types.begin(), types.end(), [=](const SafetensorsType& each) { return each.dtype == dtype; });
    if (type == types.end() || type->bytes != size_of(dtype)) {
      return false;
    }
  }
  return true;
}
static_assert(writes_every_dtype(), "a dtype is written as no type of the format");

// Takes the header piece by piece and stops at the first that does not belong there: no tree is built of what nobody asks
// for, however deep it is.
class HeaderSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string expected;  // what is wrong, if something is
  std::string found;

  bool null() override { return other("null"); }
  bool boolean(bool value) override { return other(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return other(phrase("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override { return other(datasets::backticked(text)); }
  bool binary(binary_t&) override { return other("bytes"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      return add_size(value);
    }
    if (place_ == Place::offsets && offsets_ < 2) {
      (offsets_++ == 0 ? header.entries.back().begin : header.entries.back().end) = value;
      return true;
    }
    return other(phrase("{}", value));
  }

  bool string(string_t& text) override {
    if (place_ == Place::metadata && header.metadata.size() == most_metadata) {
      return refuse(phrase("at most {} texts as metadata", most_metadata), "more");
    }
    if (place_ == Place::metadata) {
      return header.metadata.emplace(key_, text).second || refuse("metadata with different names", twice(key_));
    }
    return place_ == Place::dtype ? set_type(text) : other(datasets::backticked(text));
  }

  bool key(string_t& name) override {
    key_ = name;
    if (place_ == Place::top) {
      return names_.insert(name).second || refuse("arrays with different names", twice(name));
    }
    if (place_ == Place::metadata) {
      return true;
    }
    place_ = name == "dtype"          ? Place::dtype
             : name == "shape"        ? Place::before_shape
             : name == "data_offsets" ? Place::before_offsets
                                      : Place::entry;
    const auto bit = static_cast<unsigned>(place_);
    const bool again = (seen_ & (1U << bit)) != 0;
    seen_ |= 1U << bit;
    return (place_ != Place::entry && !again) ||
           refuse(phrase("dtype, shape and data_offsets of {}, each once", datasets::backticked(array_name())),
                  datasets::backticked(name));
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::before) {
      place_ = Place::top;
      return true;
    }
    if (place_ != Place::top) {
      return other("an object");
    }
    if (key_ == metadata_name) {
      place_ = Place::metadata;
      return true;
    }
    place_ = Place::entry;
    seen_ = 0;
    header.entries.emplace_back().name = key_;
    header.entries.back().begin = header.entries.back().end = unknown_size;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry && !is_complete()) {
      return refuse(phrase("dtype, shape and data_offsets of {}", datasets::backticked(array_name())), "fewer");
    }
    place_ = place_ == Place::top ? Place::after : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::before_shape) {
      place_ = Place::shape;
      return true;
    }
    if (place_ == Place::before_offsets) {
      place_ = Place::offsets;
      offsets_ = 0;
      return true;
    }
    return other("a list");
  }

  bool end_array() override {
    if (place_ == Place::offsets && offsets_ != 2) {
      return refuse(phrase("two data_offsets of {}", datasets::backticked(array_name())), phrase("{}", offsets_));
    }
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("a header in JSON", phrase("an error at its byte {}", position));
  }

 private:
  enum class Place : std::uint8_t {
    before,
    top,
    metadata,
    entry,
    dtype,
    before_shape,
    shape,
    before_offsets,
    offsets,
    after
  };

  bool refuse(std::string_view what, std::string_view instead) {
    expected = what;
    found = instead;
    return false;
  }
  bool other(std::string_view instead) {
    switch (place_) {
      case Place::metadata: return refuse(phrase("text as metadata {}", datasets::backticked(key_)), instead);
      case Place::before:
      case Place::after: return refuse("a header {...}", instead);
      case Place::top: return refuse(phrase("an object for array {}", datasets::backticked(key_)), instead);
      default: break;
    }
    return refuse(phrase("text as dtype, and numbers of 0 or more as shape and data_offsets, of {}",
                         datasets::backticked(array_name())),
                  instead);
  }
  static std::string twice(const std::string& name) { return phrase("{} twice", datasets::backticked(name)); }
  const std::string& array_name() const { return header.entries.back().name; }
  bool is_complete() const {
    const SafetensorsEntry& entry = header.entries.back();
    return entry.type != nullptr && entry.end != unknown_size &&
           (seen_ >> static_cast<unsigned>(Place::before_shape)) % 2;
  }

  bool set_type(const std::string& name) {
    const auto* type =
        std::find_if(types.begin(), types.end(), [&](const SafetensorsType& each) { return each.name == name; });
    if (type == types.end()) {
      return refuse("elements of BOOL, U8 to U32, I8 to I64, or BF16 to F64",
                    phrase("{} in array {}", datasets::backticked(name), datasets::backticked(array_name())));
    }
    header.entries.back().type = type;
    place_ = Place::entry;
    return true;
  }

  bool add_size(std::uint64_t size) {
    Shape& shape = header.entries.back().shape;
    if (shape.ndim() == Shape::max_ndim) {
      return refuse(phrase("at most {} dimensions", Shape::max_ndim),
                    phrase("more in array {}", datasets::backticked(array_name())));
    }
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return other(phrase("{}", size));
    }
    shape.push_back(static_cast<std::int64_t>(size));
    return true;
  }

  Place place_ = Place::before;
  std::string key_;
  std::set<std::string> names_;
  unsigned seen_ = 0;  // a bit per Place
  int offsets_ = 0;
};

// Axes of size 0 are passed over: the others must be countable all the same.
bool is_countable(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size > 1 && count > (std::numeric_limits<std::int64_t>::max() >> 4) / size) {
      return false;
    }
    count *= std::max<std::int64_t>(size, 1);
  }
  return true;
}

// That arrays lie one behind the other, from the first byte to the last.
void require_no_gap(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes, const Refuse& refuse) {
  std::uint64_t end = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::string name = datasets::backticked(entry.name);
    if (!is_countable(entry.shape)) {
      refuse("sizes whose product is below 2^59", phrase("shape {} of array {}", to_string(entry.shape), name));
    }
    const std::uint64_t bytes = static_cast<std::uint64_t>(entry.shape.element_count()) * entry.type->bytes;
    if (entry.begin != end || entry.end < entry.begin || entry.end - entry.begin != bytes) {
      refuse(phrase("{} bytes from {} on for array {} of shape {}", bytes, end, name, to_string(entry.shape)),
             phrase("those from {} to {}", entry.begin, entry.end));
    }
    end = entry.end;
  }
  if (end != data_bytes) {
    refuse(phrase("{} bytes of arrays", end), phrase("{}", data_bytes));
  }
}

// As JSON. U+FFFD never stands in place of what is no UTF-8: that would be another name.
std::string json_text(std::string_view op, const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    raise<ValueError>(op, phrase("{} is no UTF-8 and cannot stand in a safetensors file; give another text",
                                 datasets::backticked(text)));
  }
}

std::string json_list(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    text += phrase("{}{}", text.empty() ? "" : ",", size);
  }
  return text;
}

}  // namespace

const SafetensorsType& safetensors_type_of(DType dtype) {
  return *std::find_if(types.begin(), types.end(), [=](const SafetensorsType& each) { return each.dtype == dtype; });
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes, const Refuse& refuse) {
  if (!text.starts_with('{')) {
    refuse("a header {...}", datasets::backticked(text.substr(0, 20)));
  }
  HeaderSax sax;
  if (!parse_json(text, sax)) {
    refuse(sax.expected, sax.found);
  }
  std::vector<SafetensorsEntry>& entries = sax.header.entries;
  std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  require_no_gap(entries, data_bytes, refuse);
  return std::move(sax.header);
}

std::string write_safetensors_header(std::string_view op, const SafetensorsHeader& header) {
  std::string text = "{";
  const auto next = [&text] { text += text.size() > 1 ? "," : ""; };
  if (!header.metadata.empty()) {
    text += phrase("\"{}\":{{", metadata_name);
    const char* separator = "";
    for (const auto& [name, value] : header.metadata) {
      text += phrase("{}{}:{}", separator, json_text(op, name), json_text(op, value));
      separator = ",";
    }
    text += '}';
  }
  for (const SafetensorsEntry& entry : header.entries) {
    next();
    text += phrase("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", json_text(op, entry.name),
                   entry.type->name, json_list(entry.shape), entry.begin, entry.end);
  }
  text += '}';
  constexpr std::size_t alignment = 8;
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  return text;
}

}  // namespace xgrad::nn::detail
