#include <iostream>
#include <xtensor/xarray.hpp>

int main() {
  const xt::xarray<float> x{1, 2, 3};
  const xt::xarray<float> dx = 2 * x;
  std::cout << dx(0) << '\n';
  return dx(2) == 6 ? 0 : 1;
}
