#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// \file
/// Internal: charts, as SVG with a legend, a text that says the same, and a table.

namespace xgrad::nn::detail {

/// A value for each epoch from 1 on; nothing where the epoch has none, which is not the same as NaN.
using EpochValues = std::vector<std::optional<double>>;

/// One line of a chart. It goes on over epochs without a value; NaN and infinities interrupt it.
struct ChartSeries {
  std::string name;
  EpochValues values;
  std::size_t colour = 0;
  bool dashed = false;
};

/// A vertical line.
struct ChartMark {
  std::int64_t epoch;
  std::string text;
};

/// Values by epochs.
struct LineChart {
  std::string title;
  std::vector<ChartSeries> series;
  std::optional<ChartMark> mark = {};
  std::optional<std::pair<double, double>> band = {};  ///< which values are healthy
  bool logarithmic = false;                            ///< else only where the values span decades
  std::string note = {};                               ///< HTML under the chart

  /// A figure; empty where no series has a finite value.
  std::string html() const;
};

/// Where an axis has its numbers: some four to seven round ones.
struct Ticks {
  std::vector<double> at;
  double first, last;  ///< where the axis begins and ends
};
Ticks linear_ticks(double least, double largest, bool whole = false);
/// For least > 0: powers of ten, and where these are few, 2 and 5 times them.
Ticks logarithmic_ticks(double least, double largest);

/// Parts of a whole as bars with names and shares, longest first as given.
struct BarChart {
  struct Bar {
    std::string name;   ///< HTML is made of it
    double share;       ///< from 0 to 1
    std::string value;  ///< what stands beside it
    std::string hover;
  };
  std::string title;
  std::vector<Bar> bars;
  std::size_t colour = 0;

  std::string html() const;
};

}  // namespace xgrad::nn::detail
