#include "tests/onnx/loop_cases.hpp"

#include <utility>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

namespace xgrad::testing {

namespace {

// h ← tanh(h w + x), with the states of all steps.
std::pair<Tensor, Tensor> cell(const Tensor& xs, const Tensor& w, bool reverse) {
  return scan(
      [&](const Tensor& h, const Tensor& x) {
        const Tensor next = tanh(matmul(h, w) + x);
        return std::pair(next, next * 2.0);
      },
      zeros({2, 3}), xs, {.reverse = reverse});
}

Tensors cell_and_gradients(const Tensors& in, bool reverse) {
  const auto [last, all] = cell(in[0], in[1], reverse);
  Tensors results = {last, all};
  for (const Tensor& each : grad(sum(square(all)) + sum(last), {in[0], in[1]})) {
    results.push_back(each);
  }
  return results;
}

// √a by Heron's rule: as many steps as it takes, 20 at the most.
Tensor root(const Tensor& a) {
  return while_loop([&](const Tensor& x) { return abs(x * x - a) > 1e-4; },
                    [&](const Tensor& x) { return 0.5 * (x + a / x); }, ones({}), {.max_steps = 20})
      .carry;
}

Tensor chosen(const Tensor& x) {
  return cond(
      x > 0.0, [](const Tensor& y) { return sqrt(y) * 3.0; }, [](const Tensor& y) { return -y; }, x);
}

TensorFunction of_layer(const nn::Module& model) {
  return [model](const Tensors& in) { return Tensors{model(in[0])}; };
}

}  // namespace

std::vector<LoopCase> loop_cases() {
  const Tensors sequence = {random_floats({5, 2, 3}, 1), random_floats({3, 3}, 2)};
  const std::vector<Tensors> numbers = {{Tensor(2.0F)}, {Tensor(-3.0F)}};
  std::vector<LoopCase> cases = {
      {"scan", [](const Tensors& in) { return cell_and_gradients(in, false); }, {sequence}},
      {"scan_reverse", [](const Tensors& in) { return cell_and_gradients(in, true); }, {sequence}},
      {"fori",
       [](const Tensors& in) {
         return Tensors{fori(
             7, [&](const Tensor& i, const Tensor& x) { return x + cast(i, DType::float32) * in[0]; }, in[0])};
       },
       {{random_floats({3}, 3)}}},
      {"while", [](const Tensors& in) { return Tensors{root(in[0])}; }, {{Tensor(2.0F)}, {Tensor(9.0F)}}},
      {"while_gradient",
       [](const Tensors& in) { return Tensors{grad([](const Tensor& a) { return root(a); })(in[0])}; },
       {{Tensor(2.0F)}, {Tensor(9.0F)}}},
      {"cond",
       [](const Tensors& in) {
         return Tensors{chosen(in[0]), grad(chosen)(in[0])};
       },
       numbers},
      {"cond_each",
       [](const Tensors& in) {
         return Tensors{vmap(chosen)(in[0]), vmap(grad(chosen))(in[0])};
       },
       {{random_floats({6}, 4)}}},
  };
  cases.push_back({"rnn", of_layer(nn::RNN(4, 3)), {{random_floats({5, 2, 4}, 5)}}});
  cases.push_back({"gru", of_layer(nn::GRU(4, 3)), {{random_floats({5, 2, 4}, 5)}}});
  cases.push_back({"lstm", of_layer(nn::Sequential(nn::LSTM(4, 3), nn::Dense(3, 2))), {{random_floats({5, 2, 4}, 5)}}});
  return cases;
}

}  // namespace xgrad::testing
