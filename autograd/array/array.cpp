#include "autograd/array/array.hpp"

#include <cmath>
#include <limits>
#include <new>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad {

namespace {

// The header and its elements are one allocation: the elements start at the next cache line.
constexpr std::size_t header_bytes = runtime::aligned(sizeof(Buffer));

}  // namespace

Ref<Buffer> Buffer::allocate(std::size_t bytes) {
  void* block = runtime::allocate(header_bytes + bytes);
  return Ref<Buffer>(new (block) Buffer(static_cast<std::byte*>(block) + header_bytes, bytes, nullptr, nullptr));
}

Ref<Buffer> Buffer::adopt(void* data, std::size_t bytes, void* owner, void (*release)(void*)) {
  void* block = runtime::allocate(header_bytes);
  return Ref<Buffer>(new (block) Buffer(static_cast<std::byte*>(data), bytes, owner, release));
}

void Buffer::destroy(Buffer* buffer) {
  const bool adopted = buffer->release_ != nullptr;
  const std::size_t block_bytes = header_bytes + (adopted ? 0 : buffer->bytes_);
  if (adopted) {
    buffer->release_(buffer->owner_);
  }
  buffer->~Buffer();
  runtime::deallocate(buffer, block_bytes);
}

namespace {

Ref<Buffer> allocate_elements(const Shape& shape, DType dtype) {
  const std::size_t bytes = byte_count(shape, size_of(dtype));
  try {
    return Buffer::allocate(bytes);
  } catch (const std::bad_alloc&) {
    raise<MemoryError>("memory", phrase("{}{} takes {} bytes, which the system does not give; make it smaller, or free "
                                        "what is not needed any more",
                                        to_string(dtype), to_string(shape), bytes));
  }
}

}  // namespace

Array::Array(const Shape& shape, DType dtype)
    : buffer_(allocate_elements(shape, dtype)), shape_(shape), dtype_(dtype) {}

Array::Array(Ref<Buffer> buffer, const Shape& shape, DType dtype)
    : buffer_(std::move(buffer)), shape_(shape), dtype_(dtype) {}

Array Array::reshaped(const Shape& shape) const {
  if (shape.element_count() != size()) {
    raise<ShapeError>(
        "reshape", phrase("{} elements of shape {} do not fit shape {}", size(), to_string(shape_), to_string(shape)));
  }
  return Array(buffer_, shape, dtype_);
}

void Array::require_dtype(DType wanted) const {
  if (dtype_ != wanted) {
    raise<DTypeError>("value", phrase("the elements are {}, not {}; ask for that type or cast first", to_string(dtype_),
                                      to_string(wanted)));
  }
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << to_string(dtype); }

std::ostream& operator<<(std::ostream& out, BFloat16 number) { return out << static_cast<float>(number); }

bool fits(double number, DType dtype) {
  return is_real(dtype) || (number == std::trunc(number) && dispatch(dtype, [&](auto zero) {
                              using Limits = std::numeric_limits<decltype(zero)>;
                              const double above =
                                  std::ldexp(1.0, Limits::digits);  // the first number that is too large
                              return number >= static_cast<double>(Limits::min()) && number < above;
                            }));
}

void detail::raise_no_arithmetic(DType dtype, std::string_view op) {
  raise<DTypeError>(op, phrase("elements of {}{} are not computed with here; cast the tensor first, as in "
                               "cast(x, DType::float32)",
                               to_string(dtype), is_storage(dtype) ? ", which is for storage," : ""));
}

}  // namespace xgrad
