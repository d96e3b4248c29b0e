#include "nn/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/graph/subprogram.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/loops/loop.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

// A count of batches is none of a layer's numbers.
std::int64_t count_numbers(std::vector<NamedVariable> variables) {
  std::erase_if(variables, [](const NamedVariable& named) { return !is_real(named.variable.dtype()); });
  return detail::count_elements(variables);
}

/// Of an (m, k) × (k, n) product: m k n for each of a batch. Which axes of the operands are k is not looked at, because
/// operands may be transposed: k² = (m k) (k n) / (m n).
std::int64_t multiply_adds_of_product(const Node& product) {
  const auto matrix_size = [](const Shape& shape) {
    const std::size_t n = shape.ndim();
    return static_cast<double>(n == 0 ? 1 : shape[n - 1] * (n == 1 ? 1 : shape[n - 2]));
  };
  const Shape& output = product.spec(0).shape;
  if (output.element_count() == 0) {
    return 0;
  }
  const double inner =
      std::sqrt(matrix_size(product.input(0).shape()) * matrix_size(product.input(1).shape()) / matrix_size(output));
  return output.element_count() * std::llround(inner);
}

/// How often the functions of an operation run: once where that is not known.
std::int64_t repetitions(const Node& node) {
  const Loop* loop = node.as<Loop>();
  return loop == nullptr || loop->stops ? 1 : loop->steps;
}

std::int64_t multiply_adds(std::span<const Tensor> outputs) {
  std::int64_t count = 0;
  for (const Node* node : topological_order(outputs).nodes) {
    if (node->name() == "matmul") {
      count += multiply_adds_of_product(*node);
    }
    for (const NamedProgram& each : programs_of(node->operation())) {
      count += repetitions(*node) * multiply_adds(each.program->outputs());
    }
  }
  return count;
}

/// Adds the rows of a layer for an input like \p x, and gives an output without history.
Tensor add_rows(const Module& layer, const std::string& path, const Spec& x, std::vector<LayerSummary>& rows) {
  if (const Sequential* layers = layer.as<Sequential>()) {
    Tensor h = placeholder(x, "summary");
    for (std::size_t i = 0; i < layers->size(); ++i) {
      try {
        h = add_rows((*layers)[i], detail::join_path(path, std::to_string(i)), {h.shape(), h.dtype()}, rows);
      } catch (Error& error) {
        error.add_note(phrase("in layer {} ({})", i, (*layers)[i].type_name()));
        throw;
      }
    }
    return h;
  }
  const Tensor output = layer(placeholder(x, "summary"));
  rows.push_back({path, layer.type_name(), output.shape(), count_numbers(layer.named_variables()),
                  multiply_adds(std::span(&output, 1))});
  return output;
}

using Cells = std::array<std::string, 4>;

/// Digits in groups of three.
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string table(const std::vector<Cells>& lines) {
  std::array<std::size_t, 4> widths{};
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], cells[i].size());
    }
  }
  std::string text;
  for (const Cells& c : lines) {
    text +=
        phrase("{:<{}}  {:<{}}  {:>{}}  {:>{}}", c[0], widths[0], c[1], widths[1], c[2], widths[2], c[3], widths[3]);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace

std::vector<LayerSummary> layer_summaries(const Module& model, const Shape& input, std::optional<DType> dtype) {
  const Variables variables = model.variables();
  const DType of_weights = variables.empty() ? DType::float32 : variables.front().dtype();
  const DType of_model = derivative_dtype(of_weights);  // bfloat16 is stored, not fed
  std::vector<LayerSummary> rows;
  add_rows(model, "", {input, dtype.value_or(of_model)}, rows);
  return rows;
}

std::string summary(const Module& model, const Shape& input, std::optional<DType> dtype) {
  std::vector<Cells> lines = {{"layer", "output", "parameters", "multiply-adds"}};
  std::int64_t products = 0;
  for (const LayerSummary& row : layer_summaries(model, input, dtype)) {
    lines.push_back({row.path.empty() ? row.type : phrase("{} {}", row.path, row.type), to_string(row.output),
                     grouped(row.parameters), grouped(row.multiply_adds)});
    products += row.multiply_adds;
  }
  const std::int64_t all = count_numbers(model.named_variables());  // shared ones count once
  lines.push_back({"total", "", grouped(all), grouped(products)});
  lines.push_back({"trainable", "", grouped(model.parameter_count()), ""});
  return table(lines);
}

}  // namespace xgrad::nn
