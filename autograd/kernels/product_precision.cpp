#include "autograd/kernels/product_precision.hpp"

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

ProductPrecision product_precision(std::string_view name) {
  for (const ProductPrecision each :
       {ProductPrecision::float32, ProductPrecision::bfloat16_3x, ProductPrecision::bfloat16}) {
    if (name == to_string(each)) {
      return each;
    }
  }
  raise<ValueError>("product_precision",
                    phrase("there is none with the name `{}`; it is float32, bfloat16_3x or bfloat16", name));
}

}  // namespace xgrad
