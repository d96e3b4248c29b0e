#include <cstddef>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "op_table.hpp"

namespace xgrad::op_table::contraction_ops {

namespace {

using Position = std::map<char, std::int64_t>;  // of each index of a sum

std::size_t flat_position(const std::string& letters, const Shape& shape, const Position& position) {
  std::int64_t flat = 0;
  for (std::size_t axis = 0; axis < letters.size(); ++axis) {
    flat = flat * shape[axis] + position.at(letters[axis]);
  }
  return static_cast<std::size_t>(flat);
}

// The sum of products that subscripts such as `ij,jk->ik` mean, term by term.
Numbers summed_products(const std::string& subscripts, const std::vector<Numbers>& operands) {
  const std::size_t arrow = subscripts.find("->");
  const std::string result_letters = subscripts.substr(arrow + 2);
  std::vector<std::string> letters;
  std::istringstream terms(subscripts.substr(0, arrow));
  for (std::string term; std::getline(terms, term, ',');) {
    letters.push_back(term);
  }
  Position sizes;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    for (std::size_t axis = 0; axis < letters[i].size(); ++axis) {
      const std::int64_t size = operands[i].shape[axis];
      count *= sizes.emplace(letters[i][axis], size).second ? size : 1;
    }
  }
  Numbers result;
  for (const char letter : result_letters) {
    result.shape.push_back(sizes.at(letter));
  }
  result.data.resize(static_cast<std::size_t>(result.shape.element_count()));
  for (std::int64_t number = 0; number < count; ++number) {
    Position position;
    std::int64_t rest = number;
    for (const auto& [letter, size] : sizes) {
      position[letter] = rest % size;
      rest /= size;
    }
    double product = 1;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      product *= operands[i].data[flat_position(letters[i], operands[i].shape, position)];
    }
    result.data[flat_position(result_letters, result.shape, position)] += product;
  }
  return result;
}

Reference summation(const std::string& subscripts) {
  return [subscripts](const std::vector<Numbers>& x) { return summed_products(subscripts, x); };
}

std::vector<Input> inputs_of(const std::vector<Shape>& shapes) {
  std::vector<Input> inputs;
  for (const Shape& shape : shapes) {
    inputs.push_back({shape});
  }
  return inputs;
}

// einsum of \p subscripts means what \p meaning says with an explicit result and without ellipses.
Row einsum_row(const char* variant, const std::string& subscripts, const std::string& meaning,
               const std::vector<Shape>& shapes) {
  return {"einsum",
          variant,
          [subscripts](const Tensors& x) { return einsum(subscripts, x); },
          summation(meaning),
          {inputs_of(shapes)}};
}

Row einsum_row(const char* variant, const std::string& subscripts, const std::vector<Shape>& shapes) {
  return einsum_row(variant, subscripts, subscripts, shapes);
}

Rows einsum_rows() {
  return {
      einsum_row("product", "ij,jk->ik", {{3, 4}, {4, 2}}),
      einsum_row("implicit", "ij,jk", "ij,jk->ik", {{3, 4}, {4, 2}}),
      einsum_row("implicit_alphabetical", "ca,ab", "ca,ab->bc", {{3, 4}, {4, 2}}),
      einsum_row("spaces", " i j , j k -> k i ", "ij,jk->ki", {{3, 4}, {4, 2}}),
      einsum_row("left_transposed", "ji,jk->ik", {{4, 3}, {4, 2}}),
      einsum_row("right_transposed", "ij,kj->ik", {{3, 4}, {2, 4}}),
      einsum_row("both_transposed", "ji,kj->ik", {{4, 3}, {2, 4}}),
      einsum_row("batch", "bij,bjk->bik", {{2, 3, 4}, {2, 4, 2}}),
      einsum_row("batch_transposed", "bji,bjk->bik", {{2, 4, 3}, {2, 4, 2}}),
      einsum_row("batch_last", "ijb,jkb->ikb", {{3, 4, 2}, {4, 2, 2}}),
      einsum_row("attention", "bqhd,bkhd->bhqk", {{2, 3, 2, 4}, {2, 5, 2, 4}}),
      einsum_row("batch_of_dots", "bi,bi->b", {{3, 4}, {3, 4}}),
      einsum_row("full_dot", "ij,ij->", {{3, 4}, {3, 4}}),
      einsum_row("elementwise", "ij,ji->ij", {{3, 4}, {4, 3}}),
      einsum_row("outer", "i,jk->kij", {{2}, {3, 2}}),
      einsum_row("several_inner", "iajb,bkaj->ik", {{2, 3, 2, 4}, {4, 2, 3, 2}}),
      einsum_row("transposed", "ijk->kj", {{2, 3, 4}}),
      einsum_row("as_it_is", "ij->ij", {{2, 3}}),
      einsum_row("sum", "ij->", {{2, 3}}),
      einsum_row("number", ",i->i", {{}, {3}}),
      einsum_row("trace", "ii->", {{3, 3}}),
      einsum_row("implicit_trace", "ii", "ii->", {{3, 3}}),
      einsum_row("diagonal", "ii->i", {{3, 3}}),
      einsum_row("diagonal_thrice", "iii->i", {{3, 3, 3}}),
      einsum_row("two_diagonals", "ijji->ji", {{2, 3, 3, 2}}),
      einsum_row("diagonal_in_product", "ii,ij->j", {{3, 3}, {3, 4}}),
      einsum_row("summed_in_one_only", "ijk,jl->il", {{2, 3, 4}, {3, 2}}),
      einsum_row("bilinear", "bi,ij,bj->b", {{3, 4}, {4, 5}, {3, 5}}),
      einsum_row("three", "ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 2}}),
      einsum_row("three_share_one", "ai,bi,ci->abc", {{2, 3}, {3, 3}, {2, 3}}),
      einsum_row("empty_inner", "ij,jk->ik", {{2, 0}, {0, 3}}),
      einsum_row("empty_outer", "ij,jk->ik", {{0, 2}, {2, 3}}),
      einsum_row("ellipsis", "...ij,...jk->...ik", "bij,bjk->bik", {{2, 3, 4}, {2, 4, 2}}),
      einsum_row("implicit_ellipsis", "...ij,jk", "bij,jk->bik", {{2, 3, 4}, {4, 2}}),
      einsum_row("ellipsis_of_unequal_ranks", "...i,...i->...", "abi,bi->ab", {{2, 3, 4}, {3, 4}}),
      einsum_row("ellipsis_last", "i...->...i", "iab->abi", {{2, 3, 4}}),
      einsum_row("ellipsis_of_nothing", "...ij->...ji", "ij->ji", {{2, 3}}),
      einsum_row("ellipsis_diagonal", "...ii->...i", "aii->ai", {{2, 3, 3}}),
  };
}

// An ellipsis broadcasts axes of size 1, which the plain meaning has not.
Row broadcasting_row() {
  return {"einsum",
          "ellipsis_broadcasts",
          [](const Tensors& x) { return einsum("...ij,...jk->...ik", x); },
          [](const std::vector<Numbers>& x) {
            const Numbers a{{2, 3, 4}, x[0].data};
            const Numbers b{{5, 4, 2}, x[1].data};
            return summed_products("aij,bjk->abik", {a, b});
          },
          {inputs_of({{2, 1, 3, 4}, {5, 4, 2}})}};
}

Row tensordot_row(const char* variant, const Axes& axes_a, const Axes& axes_b, const std::string& meaning,
                  const std::vector<Shape>& shapes) {
  return {"tensordot",
          variant,
          [=](const Tensors& x) { return tensordot(x[0], x[1], axes_a, axes_b); },
          summation(meaning),
          {inputs_of(shapes)}};
}

Row tensordot_row(const char* variant, std::int64_t axes, const std::string& meaning,
                  const std::vector<Shape>& shapes) {
  return {"tensordot",
          variant,
          [=](const Tensors& x) { return tensordot(x[0], x[1], axes); },
          summation(meaning),
          {inputs_of(shapes)}};
}

Rows tensordot_rows() {
  return {
      {"tensordot",
       "",
       [](const Tensors& x) { return tensordot(x[0], x[1]); },
       summation("ijk,jkl->il"),
       {inputs_of({{2, 3, 4}, {3, 4, 2}})}},
      tensordot_row("pairs", {2, 0}, {0, 1}, "ijk,kil->jl", {{2, 3, 4}, {4, 2, 5}}),
      tensordot_row("negative", {-1}, {-2}, "ijk,kl->ijl", {{2, 3, 4}, {4, 5}}),
      tensordot_row("all_axes", {}, {}, "ij,ij->", {{2, 3}, {2, 3}}),
      tensordot_row("no_axes", 0, "ij,k->ijk", {{2, 3}, {2}}),
      tensordot_row("one_axis", 1, "ij,jk->ik", {{2, 3}, {3, 2}}),
      tensordot_row("empty", 1, "ij,jk->ik", {{2, 0}, {0, 2}}),
  };
}

}  // namespace

Rows rows() {
  Rows rows = {
      {"outer",
       "",
       [](const Tensors& x) { return outer(x[0], x[1]); },
       summation("i,j->ij"),
       {inputs_of({{3}, {4}}), inputs_of({{1}, {1}}), inputs_of({{0}, {3}})},
       Takes::numbers},
      {"outer",
       "flattens",
       [](const Tensors& x) { return outer(x[0], x[1]); },
       [](const std::vector<Numbers>& x) {
         return summed_products("i,j->ij", {{{6}, x[0].data}, {{1}, x[1].data}});
       },
       {inputs_of({{2, 3}, {}})},
       Takes::numbers},
      {"trace",
       "",
       [](const Tensors& x) { return trace(x[0]); },
       summation("ii->"),
       {inputs_of({{3, 3}}), inputs_of({{1, 1}}), inputs_of({{0, 0}})},
       Takes::summed,
       Derivative::smooth,
       Result::wide},
      {"trace",
       "tall",
       [](const Tensors& x) { return trace(x[0]); },
       [](const std::vector<Numbers>& x) {
         return Numbers{{}, {x[0].data[0] + x[0].data[3]}};
       },
       {inputs_of({{4, 2}})},
       Takes::summed,
       Derivative::smooth,
       Result::wide},
      {"trace",
       "of_the_first_axes",
       [](const Tensors& x) { return trace(x[0]); },
       summation("iia->a"),
       {inputs_of({{3, 3, 2}})},
       Takes::summed,
       Derivative::smooth,
       Result::wide},
  };
  for (const Rows& more : {tensordot_rows(), einsum_rows(), Rows{broadcasting_row()}}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::contraction_ops
