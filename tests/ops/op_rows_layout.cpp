
#include "op_table.hpp"

namespace xgrad::op_table::layout_ops {

namespace {

using Index = std::vector<std::int64_t>;

Reference reshaped(const Shape& shape) {
  return [shape](const std::vector<Numbers>& x) { return Numbers{shape, x[0].data}; };
}

Reference permuted(const std::vector<std::size_t>& axes) {
  return [axes](const std::vector<Numbers>& x) {
    Shape shape;
    for (const std::size_t axis : axes) {
      shape.push_back(x[0].shape[axis]);
    }
    return gather(x[0], shape, [&](const Index& index) {
      Index source(index.size());
      for (std::size_t i = 0; i < axes.size(); ++i) {
        source[axes[i]] = index[i];
      }
      return source;
    });
  };
}

// Parts next to each other along the first axis of (outer, n, inner) arrays of equal outer and inner sizes.
Reference joined(std::size_t axis) {
  return [axis](const std::vector<Numbers>& parts) {
    Shape shape = parts[0].shape;
    shape[axis] = 0;
    std::int64_t outer = 1;
    for (std::size_t i = 0; i < axis; ++i) {
      outer *= shape[i];
    }
    for (const Numbers& part : parts) {
      shape[axis] += part.shape[axis];
    }
    Numbers result{shape, {}};
    for (std::int64_t i = 0; i < outer; ++i) {
      for (const Numbers& part : parts) {
        const auto row = static_cast<std::ptrdiff_t>(part.data.size()) / static_cast<std::ptrdiff_t>(outer);
        result.data.insert(result.data.end(), part.data.begin() + i * row, part.data.begin() + (i + 1) * row);
      }
    }
    return result;
  };
}

Row layout(const char* op, const char* variant, std::function<Tensor(const Tensors&)> call, Reference reference,
           std::vector<Shape> shapes) {
  std::vector<Input> inputs;
  for (const Shape& shape : shapes) {
    inputs.push_back({shape});
  }
  return {op, variant, std::move(call), std::move(reference), {inputs}, Takes::everything};
}

Rows rearrangements() {
  return {
      layout("reshape", "",
             [](const Tensors& x) {
               return reshape(x[0], {4, 6});
             },
             reshaped({4, 6}), {{2, 3, 4}}),
      layout("reshape", "inferred",
             [](const Tensors& x) {
               return reshape(x[0], {3, -1});
             },
             reshaped({3, 8}), {{2, 3, 4}}),
      layout("reshape", "to_no_axes", [](const Tensors& x) { return reshape(x[0], {}); }, reshaped({}), {{1, 1}}),
      layout("reshape", "empty",
             [](const Tensors& x) {
               return reshape(x[0], {3, 0});
             },
             reshaped({3, 0}), {{0, 2}}),
      layout("transpose", "", [](const Tensors& x) { return transpose(x[0]); }, permuted({2, 1, 0}), {{2, 3, 4}}),
      layout("transpose", "vector", [](const Tensors& x) { return transpose(x[0]); }, permuted({0}), {{5}}),
      layout("transpose", "axes",
             [](const Tensors& x) {
               return transpose(x[0], {2, 0, -2});
             },
             permuted({2, 0, 1}), {{2, 3, 4}}),
      layout("transpose", "empty", [](const Tensors& x) { return transpose(x[0]); }, permuted({1, 0}), {{0, 3}}),
      layout("swapaxes", "", [](const Tensors& x) { return swapaxes(x[0], 0, -1); }, permuted({2, 1, 0}), {{2, 3, 4}}),
      layout("swapaxes", "same", [](const Tensors& x) { return swapaxes(x[0], 1, -1); }, permuted({0, 1}), {{2, 3}}),
      layout(
          "broadcast_to", "",
          [](const Tensors& x) {
            return broadcast_to(x[0], {2, 3, 4});
          },
          [](const std::vector<Numbers>& x) {
            return gather(x[0], {2, 3, 4}, [](const Index& i) { return Index{i[1], 0}; });
          },
          {{3, 1}}),
      layout(
          "broadcast_to", "no_axes", [](const Tensors& x) { return broadcast_to(x[0], {3}); },
          [](const std::vector<Numbers>& x) { return gather(x[0], {3}, [](const Index&) { return Index{}; }); }, {{}}),
      layout(
          "broadcast_to", "empty",
          [](const Tensors& x) {
            return broadcast_to(x[0], {0, 3});
          },
          [](const std::vector<Numbers>&) {
            return Numbers{{0, 3}, {}};
          },
          {{1, 3}}),
      layout("expand_dims", "", [](const Tensors& x) { return expand_dims(x[0], 1); }, reshaped({3, 1, 4}), {{3, 4}}),
      layout("expand_dims", "last", [](const Tensors& x) { return expand_dims(x[0], -1); }, reshaped({3, 4, 1}),
             {{3, 4}}),
      layout("squeeze", "", [](const Tensors& x) { return squeeze(x[0]); }, reshaped({3, 4}), {{1, 3, 1, 4}}),
      layout("squeeze", "axis", [](const Tensors& x) { return squeeze(x[0], 1); }, reshaped({1, 4}), {{1, 1, 4}}),
      layout("squeeze", "axes",
             [](const Tensors& x) {
               return squeeze(x[0], {0, -1});
             },
             reshaped({1, 4}), {{1, 1, 4, 1}}),
      layout("concatenate", "", [](const Tensors& x) { return concatenate(x); }, joined(0), {{2, 3}, {0, 3}, {1, 3}}),
      layout("concatenate", "axis_1", [](const Tensors& x) { return concatenate(x, 1); }, joined(1),
             {{2, 3}, {2, 1}, {2, 4}}),
      layout("concatenate", "axis_last", [](const Tensors& x) { return concatenate(x, -1); }, joined(2),
             {{2, 2, 3}, {2, 2, 2}}),
      layout("concatenate", "one_part", [](const Tensors& x) { return concatenate(x, 1); }, joined(1), {{2, 3}}),
      layout(
          "stack", "", [](const Tensors& x) { return stack(x); },
          [](const std::vector<Numbers>& x) {
            return joined(0)({{{1, 2, 3}, x[0].data}, {{1, 2, 3}, x[1].data}});
          },
          {{2, 3}, {2, 3}}),
      layout(
          "stack", "axis_last", [](const Tensors& x) { return stack(x, -1); },
          [](const std::vector<Numbers>& x) {
            return joined(2)({{{2, 3, 1}, x[0].data}, {{2, 3, 1}, x[1].data}});
          },
          {{2, 3}, {2, 3}}),
      layout(
          "stack", "numbers", [](const Tensors& x) { return stack(x, 0); },
          [](const std::vector<Numbers>& x) {
            return Numbers{{3}, {x[0].data[0], x[1].data[0], x[2].data[0]}};
          },
          {{}, {}, {}}),
  };
}

Numbers one_hot_of(const Numbers& indices, std::int64_t classes) {
  Numbers result{indices.shape, {}};
  result.shape.push_back(classes);
  for (const double index : indices.data) {
    for (std::int64_t i = 0; i < classes; ++i) {
      result.data.push_back(static_cast<double>(i) == index ? 1 : 0);
    }
  }
  return result;
}

Rows selections() {
  const auto taken_rows = [](const std::vector<Numbers>& x) {
    return gather(x[0], {2, 2, 3}, [&](const Index& i) {
      return Index{static_cast<std::int64_t>(x[1].data[static_cast<std::size_t>(2 * i[0] + i[1])]), i[2]};
    });
  };
  const auto taken_columns = [](const std::vector<Numbers>& x) {
    return gather(x[0], {5, 4}, [&](const Index& i) {
      return Index{i[0], static_cast<std::int64_t>(x[1].data[static_cast<std::size_t>(i[1])])};
    });
  };
  return {
      layout(
          "slice", "strides",
          [](const Tensors& x) {
            return slice(x[0], {1, 0}, {6, 3}, {2, 1});
          },
          [](const std::vector<Numbers>& x) {
            return gather(x[0], {3, 3}, [](const Index& i) { return Index{1 + 2 * i[0], i[1]}; });
          },
          {{7, 5}}),
      layout(
          "slice", "selectors",
          [](const Tensors& x) {
            return slice(x[0], std::vector<Slice>{range(5, 0, -2), newaxis(), -1});
          },
          [](const std::vector<Numbers>& x) {
            return gather(x[0], {3, 1}, [](const Index& i) { return Index{5 - 2 * i[0], 4}; });
          },
          {{7, 5}}),
      {"take",
       "",
       [](const Tensors& x) { return take(x[0], x[1]); },
       taken_rows,
       {{{{5, 3}}, {{2, 2}, {0, 5}, Role::index}}},
       Takes::everything},
      {"take",
       "axis_last",
       [](const Tensors& x) { return take(x[0], x[1], -1); },
       taken_columns,
       {{{{5, 3}}, {{4}, {0, 3}, Role::index}}},
       Takes::everything},
      {"take",
       "scalar_index",
       [](const Tensors& x) { return take(x[0], 2); },
       [](const std::vector<Numbers>& x) { return gather(x[0], {3}, [](const Index& i) {
                                             return Index{2, i[0]};
                                           }); },
       {{{{5, 3}}}},
       Takes::everything},
      {"one_hot",
       "",
       [](const Tensors& x) { return one_hot(x[0], 4); },
       [](const std::vector<Numbers>& x) { return one_hot_of(x[0], 4); },
       {{{{3, 2}, {0, 4}, Role::index}}, {{{}, {0, 4}, Role::index}}, {{{0}, {0, 4}, Role::index}}},
       Takes::everything,
       Derivative::zero},
  };
}

Numbers product(const Numbers& a, const Numbers& b, const Shape& shape, std::size_t m, std::size_t k, std::size_t n) {
  Numbers result{shape, std::vector<double>(m * n)};
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < k; ++l) {
        result.data[i * n + j] += a.data[i * k + l] * b.data[l * n + j];
      }
    }
  }
  return result;
}

// Sums over the last axis of all the products a[..., i, :, newaxis] b[..., newaxis, :, j] at once.
Numbers batch_product(const std::vector<Numbers>& x) {
  const Shape& a = x[0].shape;
  const Shape& b = x[1].shape;
  const bool vector = a.ndim() == 1;
  const Shape matrix = vector ? Shape{1, a[0]} : a;
  Shape left = matrix;
  left.insert(left.ndim() - 1, 1);  // (.., m, 1, k)
  Shape right = b;
  right.insert(right.ndim() - 2, 1);  // (.., 1, n, k)
  std::swap(right[right.ndim() - 1], right[right.ndim() - 2]);
  const Numbers columns = gather({b, x[1].data}, right, [](const Index& i) {
    Index source(i.begin(), i.end() - 3);
    source.insert(source.end(), {i[i.size() - 1], i[i.size() - 2]});
    return source;
  });
  const auto multiply = [](const std::vector<double>& each) { return each[0] * each[1]; };
  const Numbers products = elementwise(multiply)({{left, x[0].data}, columns});
  Numbers result = reduce(products, {-1}, false, [](const std::vector<double>& terms) {
    double sum = 0;
    for (const double term : terms) {
      sum += term;
    }
    return sum;
  });
  if (vector) {
    result.shape.erase(result.shape.ndim() - 2);
  }
  return result;
}

Row matmul_row(const char* variant, const Shape& a, const Shape& b, const Shape& c, std::size_t m, std::size_t k,
               std::size_t n) {
  return {"matmul",
          variant,
          [](const Tensors& x) { return matmul(x[0], x[1]); },
          [=](const std::vector<Numbers>& x) { return product(x[0], x[1], c, m, k, n); },
          {{{a}, {b}}}};
}

Rows products() {
  Rows rows = {
      matmul_row("", {3, 4}, {4, 5}, {3, 5}, 3, 4, 5),
      matmul_row("row_by_column", {1, 7}, {7, 1}, {1, 1}, 1, 7, 1),
      matmul_row("column_by_row", {3, 1}, {1, 4}, {3, 4}, 3, 1, 4),
      matmul_row("batch", {2, 3, 4}, {4, 5}, {2, 3, 5}, 6, 4, 5),
      matmul_row("vectors", {4}, {4}, {}, 1, 4, 1),
      matmul_row("matrix_vector", {3, 4}, {4}, {3}, 3, 4, 1),
      matmul_row("vector_matrix", {4}, {4, 2}, {2}, 1, 4, 2),
      matmul_row("batch_vector", {2, 3, 4}, {4}, {2, 3}, 6, 4, 1),
      matmul_row("no_rows", {0, 4}, {4, 2}, {0, 2}, 0, 4, 2),
      matmul_row("inner_0", {3, 0}, {0, 2}, {3, 2}, 3, 0, 2),
      matmul_row("batch_inner_0", {2, 3, 0}, {0, 5}, {2, 3, 5}, 6, 0, 5),
      matmul_row("vector_inner_0", {0}, {0, 5}, {5}, 1, 0, 5),
      matmul_row("batch_no_columns", {2, 3, 4}, {4, 0}, {2, 3, 0}, 6, 4, 0),
  };
  const auto batch = [&](const char* variant, const Shape& a, const Shape& b) {
    rows.push_back(
        {"matmul", variant, [](const Tensors& x) { return matmul(x[0], x[1]); }, batch_product, {{{a}, {b}}}});
  };
  batch("batches", {2, 3, 4}, {2, 4, 5});
  batch("one_by_batch", {3, 4}, {2, 4, 5});
  batch("batches_broadcast", {2, 1, 3, 4}, {5, 4, 2});
  batch("vector_by_batch", {4}, {3, 4, 2});
  batch("batches_no_rows", {2, 0, 3}, {2, 3, 4});
  rows.push_back({"matmul",
                  "transposed",
                  [](const Tensors& x) {
                    return matmul(transpose(x[0]), transpose(x[1], {1, 0}));
                  },
                  [](const std::vector<Numbers>& x) {
                    return product(permuted({1, 0})({x[0]}), permuted({1, 0})({x[1]}), {3, 5}, 3, 4, 5);
                  },
                  {{{{4, 3}}, {{5, 4}}}}});
  return rows;
}

Rows made_from_numbers() {
  const auto constant = [](const char* op, std::function<Tensor(const Tensor&)> call, double value) {
    return Row{op,
               "",
               [call](const Tensors& x) { return call(x[0]); },
               elementwise([value](const std::vector<double>&) { return value; }),
               {{{{2, 3}}}, {{{}}}, {{{0}}}},
               Takes::everything,
               Derivative::zero};
  };
  return {
      constant(
          "full", [](const Tensor& x) { return full(x.shape(), 1, x.dtype()); }, 1),
      constant(
          "zeros", [](const Tensor& x) { return zeros(x.shape(), x.dtype()); }, 0),
      constant(
          "ones", [](const Tensor& x) { return ones(x.shape(), x.dtype()); }, 1),
      constant(
          "full_like", [](const Tensor& x) { return full_like(x, 1); }, 1),
      constant(
          "zeros_like", [](const Tensor& x) { return zeros_like(x); }, 0),
      constant(
          "ones_like", [](const Tensor& x) { return ones_like(x); }, 1),
      {"arange",
       "",
       [](const Tensors& x) { return arange(3.5, x[0].dtype()); },
       [](const std::vector<Numbers>&) {
         return Numbers{{4}, {0, 1, 2, 3}};
       },
       {{{{}}}},
       Takes::not_boolean,
       Derivative::zero},
      {"arange",
       "backwards",
       [](const Tensors& x) { return arange(5, -1, -2, x[0].dtype()); },
       [](const std::vector<Numbers>&) {
         return Numbers{{3}, {5, 3, 1}};
       },
       {{{{}}}},
       Takes::signed_ones,
       Derivative::zero},
      {"arange",
       "fractional",
       [](const Tensors& x) { return arange(0, 1, 0.25, x[0].dtype()); },
       [](const std::vector<Numbers>&) {
         return Numbers{{4}, {0, 0.25, 0.5, 0.75}};
       },
       {{{{}}}},
       Takes::real,
       Derivative::zero},
      {"allclose",
       "",
       [](const Tensors& x) { return Tensor(allclose(x[0], x[1])); },
       [](const std::vector<Numbers>& x) {
         return Numbers{{}, {x[0].data == x[1].data ? 1.0 : 0.0}};
       },
       {{{{3, 2}}, {{3, 2}}}, {{{1}, {1, 1}}, {{1}, {1, 1}}}},
       Takes::everything,
       Derivative::zero,
       Result::boolean},
  };
}

}  // namespace

Rows rows() {
  Rows rows = rearrangements();
  for (const Rows& more : {selections(), products(), made_from_numbers()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::layout_ops
