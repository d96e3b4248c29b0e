#include "tests/onnx/special_values.hpp"

#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "autograd/autograd.hpp"
#include "tests/onnx/cases.hpp"
#include "tests/testing.hpp"

namespace xgrad::testing {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

const std::vector<double> numbers = {-infinity, -1e30,  -100, -30.5, -3,    -2.5, -1.5, -1,       -0.75, -0.5, -1e-3,
                                     -1e-8,     -1e-30, -0.0, 0.0,   1e-30, 1e-8, 1e-3, 0.5,      0.75,  1,    1.5,
                                     2.5,       3,      5,    9,     30.5,  100,  1e30, infinity, nan};

struct Unary {
  const char* name;
  Tensor (*op)(const Operand& x);
  bool takes_nan = true;
};
struct Binary {
  const char* name;
  Tensor (*op)(const Operand& a, const Operand& b);
};

// (ONNX Runtime says that erf of NaN is 1, and that sigmoid is 0 below -18.)
const std::vector<Unary> unary = {
    {"abs", abs},     {"sign", sign},         {"exp", exp},          {"expm1", expm1}, {"log1p", log1p},
    {"cbrt", cbrt},   {"sqrt", sqrt},         {"floor", floor},      {"ceil", ceil},   {"round", round},
    {"trunc", trunc}, {"erf", erf, false},    {"erfc", erfc, false}, {"tanh", tanh},   {"atan", atan},
    {"isnan", isnan}, {"softplus", softplus},
};
const std::vector<Binary> binary = {
    {"atan2", atan2},     {"hypot", hypot}, {"remainder", remainder},   {"fmod", fmod},           {"maximum", maximum},
    {"minimum", minimum}, {"less", less},   {"less_equal", less_equal}, {"not_equal", not_equal}, {"divide", divide},
};

// Each element to a few units in the last place.
void write_each(const std::filesystem::path& folder, const TensorFunction& function, const Tensors& inputs) {
  write_case(folder, function, {inputs});
  std::ofstream(folder / "run.json") << R"({"tolerance": 2e-6})" << '\n';
}

}  // namespace

void write_special_values(const std::filesystem::path& folder) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  const Tensor x = make_tensor(numbers, {count}, DType::float32);
  for (const Unary& row : unary) {
    write_each(folder / row.name, [&](const Tensors& in) { return Tensors{row.op(in[0])}; },
               {row.takes_nan ? x : x[range(0, -1)]});
  }
  for (const Binary& row : binary) {
    write_each(folder / row.name, [&](const Tensors& in) { return Tensors{row.op(in[0], in[1])}; },
               {x, reshape(x, {count, 1})});
  }
  // Of the branch that is not taken nothing comes through.
  const auto branches = [](const Tensors& in) {
    return Tensors{where(in[0] > 0.0, log(in[0]), 0.0), where(isnan(in[0]), 1.0, in[0])};
  };
  write_each(folder / "where", branches, {x});
}

}  // namespace xgrad::testing
