#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <iostream>
#include <nn/nn.hpp>

int main() {
  const xgrad::Tensor x = xt::xarray<float>{1, 2, 3};
  const xgrad::Tensor dx = grad(sum(x * x), x);
  std::cout << dx << '\n';
  return allclose(dx, 2 * x) ? 0 : 1;
}
