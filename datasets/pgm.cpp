#include "datasets/pgm.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/gather.hpp"
#include "datasets/output_file.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view write_pgm_op = "write_pgm";

Array grey_levels(const Array& images) {
  if (!images || images.shape().ndim() != 3 || images.size() == 0) {
    raise<ShapeError>(write_pgm_op,
                      phrase("images of shape {}; give (n, rows, columns), none of them 0", to_string(images.shape())));
  }
  if (images.dtype() == DType::uint8) {
    return images;
  }
  if (!is_real(images.dtype())) {
    raise<DTypeError>(write_pgm_op,
                      phrase("images are {}; give uint8, or floating in [0, 1]", to_string(images.dtype())));
  }
  const Array numbers = cast(images, DType::float64);
  Array levels(images.shape(), DType::uint8);
  const double* from = numbers.data<double>();
  std::transform(from, from + numbers.size(), levels.data<std::uint8_t>(), [](double x) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(std::isnan(x) ? 0.0 : x, 0.0, 1.0)));
  });
  return levels;
}

}  // namespace

void write_pgm(const std::filesystem::path& path, const Array& images, std::int64_t per_row) {
  const Array levels = grey_levels(images);
  if (per_row < 0) {
    raise<ValueError>(write_pgm_op, phrase("{} images side by side; give 1 or more, or 0 for a square grid", per_row));
  }
  const Shape& shape = levels.shape();
  const std::int64_t count = shape[0];
  const std::int64_t rows = shape[1];
  const std::int64_t columns = shape[2];
  const std::int64_t across =
      per_row > 0 ? per_row : static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const std::int64_t down = (count - 1) / across + 1;
  constexpr std::int64_t most = std::int64_t{1} << 30;
  if (rows > most / columns || across > most / (rows * columns) || down > most / (rows * columns * across)) {
    raise<ValueError>(write_pgm_op,
                      phrase("{} images of {} side by side make a picture of more than {} pixels; give fewer", across,
                             to_string(Shape{rows, columns}), most));
  }

  std::vector<std::uint8_t> grid(static_cast<std::size_t>(down * rows * across * columns));
  for (std::int64_t line = 0; line < count * rows; ++line) {
    const std::int64_t image = line / rows;
    const std::int64_t grid_line = image / across * rows + line % rows;
    std::memcpy(grid.data() + (grid_line * across + image % across) * columns,
                levels.data<std::uint8_t>() + line * columns, static_cast<std::size_t>(columns));
  }
  OutputFile file(write_pgm_op, path);
  file.write(phrase("P5\n{} {}\n255\n", across * columns, down * rows));
  file.write(std::as_bytes(std::span(grid)));
  file.publish();
}

}  // namespace xgrad::datasets
