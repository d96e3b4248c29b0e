#include "autograd/plan/passes/step_order.hpp"

namespace xgrad::plan {

namespace {

constexpr std::uint64_t last_label = std::uint64_t{1} << 62;

}  // namespace

StepOrder::StepOrder(std::size_t count) : label_(count + 1), next_(count + 1), previous_(count + 1) {
  const std::uint64_t apart = last_label / (count + 1);
  for (std::uint32_t i = 0; i <= count; ++i) {
    label_[i] = apart * (i + 1);
    next_[i] = i == count ? 0 : i + 1;
    previous_[i] = i == 0 ? static_cast<std::uint32_t>(count) : i - 1;
  }
  label_[count] = 0;
}

void StepOrder::move_behind(std::uint32_t step, std::uint32_t other) {
  if (step == other || next_[other] == step) {
    return;
  }
  next_[previous_[step]] = next_[step];
  previous_[next_[step]] = previous_[step];
  if (room_behind(other) < 2) {
    make_room_behind(other);
  }
  label_[step] = label_[other] + room_behind(other) / 2;
  next_[step] = next_[other];
  previous_[step] = other;
  previous_[next_[other]] = step;
  next_[other] = step;
}

void StepOrder::move_ahead(std::uint32_t step, std::uint32_t other) {
  if (step != other) {
    move_behind(step, previous_[other]);
  }
}

std::uint64_t StepOrder::room_behind(std::uint32_t step) const {
  return (next_[step] == ends() ? last_label : label_[next_[step]]) - label_[step];
}

// Goes on until j steps have more than j * j labels, and shares these out.
void StepOrder::make_room_behind(std::uint32_t step) {
  std::uint64_t steps = 1;
  std::uint64_t labels = room_behind(step);
  std::uint32_t end = next_[step];
  while (labels <= steps * steps && end != ends()) {
    labels += room_behind(end);
    end = next_[end];
    ++steps;
  }
  std::uint32_t first = next_[step];
  std::uint64_t label = label_[step];
  if (labels <= steps * steps) {  // the end is crowded
    first = next_[ends()];
    label = 0;
    labels = last_label;
    steps = label_.size();
  }
  const std::uint64_t apart = labels / steps;
  for (std::uint32_t i = first; i != end; i = next_[i]) {
    label_[i] = label += apart;
  }
}

}  // namespace xgrad::plan
