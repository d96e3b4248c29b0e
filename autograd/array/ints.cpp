#include "autograd/array/ints.hpp"

#include <algorithm>
#include <ostream>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

Ints::Ints(std::initializer_list<std::int64_t> numbers) : Ints(numbers.begin(), numbers.end()) {}

void Ints::insert(std::size_t axis, std::int64_t number) {
  if (count_ == max_ndim) {
    raise_too_many_axes();
  }
  std::copy_backward(begin() + axis, end(), end() + 1);
  numbers_[axis] = number;
  ++count_;
}

void Ints::erase(std::size_t axis) {
  std::copy(begin() + axis + 1, end(), begin() + axis);
  --count_;
}

void Ints::raise_too_many_axes() {
  raise<ShapeError>("shape", phrase("a tensor has at most {} axes, this one would have {}; join some by reshape",
                                    max_ndim, max_ndim + 1));
}

std::string to_string(const Ints& numbers) {
  std::string text = "(";
  for (const std::int64_t number : numbers) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(number);
  }
  return text + (numbers.ndim() == 1 ? ",)" : ")");
}

std::ostream& operator<<(std::ostream& out, const Ints& numbers) { return out << to_string(numbers); }

}  // namespace xgrad
