#include "onnx/import/recurrent_activations.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::onnx::loading {

namespace {

/// An activation and what its numbers are unless they are given; none where it takes none.
struct Row {
  std::string_view name;
  std::optional<double> alpha, beta;
  Activation (*make)(double alpha, double beta);
};

const std::array activation_rows = {
    Row{"affine", 1.0, 0.0,
        [](double a, double b) -> Activation { return [=](const Tensor& x) { return a * x + b; }; }},
    Row{"elu", 1.0, {}, [](double a, double) -> Activation { return [=](const Tensor& x) { return elu(x, a); }; }},
    Row{"hardsigmoid", 0.2, 0.5,
        [](double a, double b) -> Activation { return [=](const Tensor& x) { return clip(a * x + b, 0, 1); }; }},
    Row{"leakyrelu",
        0.01,
        {},
        [](double a, double) -> Activation { return [=](const Tensor& x) { return leaky_relu(x, a); }; }},
    Row{"relu", {}, {}, [](double, double) -> Activation { return [](const Tensor& x) { return relu(x); }; }},
    Row{"scaledtanh", 1.0, 1.0,
        [](double a, double b) -> Activation { return [=](const Tensor& x) { return a * tanh(b * x); }; }},
    Row{"sigmoid", {}, {}, [](double, double) -> Activation { return [](const Tensor& x) { return sigmoid(x); }; }},
    Row{"softplus", {}, {}, [](double, double) -> Activation { return [](const Tensor& x) { return softplus(x); }; }},
    Row{"softsign",
        {},
        {},
        [](double, double) -> Activation { return [](const Tensor& x) { return x / (1 + xgrad::abs(x)); }; }},
    Row{"tanh", {}, {}, [](double, double) -> Activation { return [](const Tensor& x) { return tanh(x); }; }},
    Row{"thresholdedrelu",
        1.0,
        {},
        [](double a, double) -> Activation { return [=](const Tensor& x) { return where(x > a, x, 0.0); }; }},
};

const Row* find_row(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  const auto* row = std::find_if(activation_rows.begin(), activation_rows.end(),
                                 [&](const Row& candidate) { return candidate.name == lower; });
  return row == activation_rows.end() ? nullptr : row;
}

/// The next of the numbers that a node gives to the activations that take one.
double next_of(const std::vector<double>& numbers, std::size_t& used, const std::optional<double>& otherwise) {
  if (!otherwise) {
    return 0;
  }
  return used < numbers.size() ? numbers[used++] : *otherwise;
}

}  // namespace

bool is_activation(std::string_view name) { return find_row(name) != nullptr; }

std::vector<Activation> activations_of(const Call& call, std::size_t directions,
                                       const std::vector<std::string>& otherwise) {
  std::vector<std::string> names = call.texts("activations");
  for (std::size_t i = 0; names.size() < directions * otherwise.size() && !call.says("activations"); ++i) {
    names.push_back(otherwise[i % otherwise.size()]);
  }
  if (names.size() != directions * otherwise.size()) {
    call.refuse(phrase("{} activations, where {} are needed", names.size(), directions * otherwise.size()));
  }
  const std::vector<double> alphas = call.numbers("activation_alpha");
  const std::vector<double> betas = call.numbers("activation_beta");
  std::size_t used_alphas = 0;
  std::size_t used_betas = 0;
  std::vector<Activation> result;
  for (const std::string& name : names) {
    const Row* row = find_row(name);
    const double alpha = next_of(alphas, used_alphas, row->alpha);
    const double beta = next_of(betas, used_betas, row->beta);
    result.push_back(row->make(alpha, beta));
  }
  return result;
}

}  // namespace xgrad::onnx::loading
