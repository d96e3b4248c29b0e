#include "nn/saved_scores.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::string_view scores_op = "fit";

}  // namespace

Saved saved_scores(const std::vector<Scores>& all) {
  Scores names;
  for (const Scores& scores : all) {
    for (const auto& [name, value] : scores) {
      names.set(name, 0);
    }
  }
  Saved saved;
  std::int64_t count = 0;
  for (const auto& [name, unused] : names) {
    saved.put(phrase("names/{}", count++), name);
  }
  Array values({static_cast<std::int64_t>(all.size()), count}, DType::float64);
  Array present(values.shape(), DType::boolean);
  double* value = values.data<double>();
  bool* is_present = present.data<bool>();
  for (const Scores& scores : all) {
    for (const auto& [name, unused] : names) {
      *is_present = scores.contains(name);
      *value++ = *is_present++ ? scores[name] : 0;
    }
  }
  saved.put("values", values);
  saved.put("present", present);
  return saved;
}

std::vector<Scores> loaded_scores(const Saved& saved) {
  const Array& values = saved.array("values");
  const Array& present = saved.array("present");
  std::vector<std::string> names;
  while (saved.contains(phrase("names/{}", names.size()))) {
    names.push_back(saved.text(phrase("names/{}", names.size())));
  }
  const auto columns = static_cast<std::int64_t>(names.size());
  if (values.shape().ndim() != 2 || values.shape()[1] != columns || present.shape() != values.shape()) {
    raise<ValueError>(scores_op, "the checkpoint's scores do not belong to their names; take an earlier checkpoint");
  }
  std::vector<Scores> all(static_cast<std::size_t>(values.shape()[0]));
  const double* value = values.data<double>();
  const bool* is_present = present.data<bool>();
  for (Scores& scores : all) {
    for (const std::string& name : names) {
      if (*is_present++) {
        scores.set(name, *value);
      }
      ++value;
    }
  }
  return all;
}

}  // namespace xgrad::nn::detail
