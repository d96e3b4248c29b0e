#include "nn/mode.hpp"

#include "autograd/runtime/error.hpp"

namespace xgrad::nn {

random::Key Mode::key(std::string_view layer) const {
  if (!key_) {
    raise<ValueError>(layer, "training it takes random numbers; pass a key, as in model(x, Training(key.fold(step)))");
  }
  return *key_;
}

Mode Mode::fold(std::uint64_t part) const {
  Mode mode = *this;
  if (key_) {
    mode.key_ = key_->fold(part);
  }
  return mode;
}

}  // namespace xgrad::nn
