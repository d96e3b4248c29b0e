#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// \file
/// What training leaves behind: numbers by their names, for every epoch.

namespace xgrad::nn {

/// Numbers with names, in an order: those of one epoch, or of an evaluation. `scores["accuracy"]`.
class Scores {
 public:
  /// The number called \p name. \throws ValueError when there is none, with the names that there are.
  double operator[](std::string_view name) const;
  bool contains(std::string_view name) const;  ///< whether there is a number called \p name
  /// Puts \p value in place of the number called \p name, or behind all others when there is none.
  void set(std::string_view name, double value);

  auto begin() const { return numbers_.begin(); }  ///< the first pair of a name and a number
  auto end() const { return numbers_.end(); }      ///< behind the last one

 private:
  std::vector<std::pair<std::string, double>> numbers_;
};

/// Writes the numbers with their names: `loss 0.25  accuracy 0.9`.
std::ostream& operator<<(std::ostream& out, const Scores& scores);

/// What Trainer::fit returns.
struct History {
  /// Per complete epoch, in this order: `loss`, the metrics; `validation_loss`, `validation_` and the metrics, if there
  /// are validation data; `learning_rate` (of the first group of parameters, as the last step took it) and `seconds`.
  std::vector<Scores> epochs;
  std::string stopped;  ///< why training ended before the last epoch, such as `interrupted`; else empty

  /// The numbers called \p name, one per epoch. \throws ValueError when there are none of that name.
  std::vector<double> operator[](std::string_view name) const;
};

}  // namespace xgrad::nn
