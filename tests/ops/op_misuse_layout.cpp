#include "op_misuse.hpp"

namespace xgrad::op_misuse {

std::vector<Misuse> layout_misuses() {
  return {
      {"reshape",
       shape_error,
       {"6 elements", "(2, 3)", "(4, 2)"},
       [] {
         return reshape(of({2, 3}), {4, 2});
       }},
      {"reshape",
       shape_error,
       {"(-1, -1)"},
       [] {
         return reshape(of({2, 3}), {-1, -1});
       }},
      {"reshape",
       shape_error,
       {"(-2, 3)"},
       [] {
         return reshape(of({2, 3}), {-2, 3});
       }},
      {"reshape",
       shape_error,
       {"(4, -1)"},
       [] {
         return reshape(of({2, 3}), {4, -1});
       }},
      {"reshape",
       shape_error,
       {"(0, -1)"},
       [] {
         return reshape(of({0, 3}), {0, -1});
       }},
      {"transpose",
       shape_error,
       {"1 axes", "(2, 3)"},
       [] {
         return transpose(of({2, 3}), {0});
       }},
      {"transpose",
       value_error,
       {"axis 1", "twice"},
       [] {
         return transpose(of({2, 3}), {1, -1});
       }},
      {"transpose",
       value_error,
       {"axis 2"},
       [] {
         return transpose(of({2, 3}), {0, 2});
       }},
      {"swapaxes",
       value_error,
       {"axis 2", "[-2, 1]"},
       [] {
         return swapaxes(of({2, 3}), 0, 2);
       }},
      {"broadcast_to",
       shape_error,
       {"(2, 3)", "(2, 4)"},
       [] {
         return broadcast_to(of({2, 3}), {2, 4});
       }},
      {"broadcast_to",
       shape_error,
       {"(2, 3)", "(3,)"},
       [] {
         return broadcast_to(of({2, 3}), {3});
       }},
      {"broadcast_to", shape_error, {"(-3,)"}, [] { return broadcast_to(of({1}), {-3}); }},
      {"expand_dims",
       value_error,
       {"axis 3"},
       [] {
         return expand_dims(of({2, 3}), 3);
       }},
      {"squeeze",
       shape_error,
       {"axis 0", "size 2"},
       [] {
         return squeeze(of({2, 1}), 0);
       }},
      {"squeeze",
       value_error,
       {"axis 5"},
       [] {
         return squeeze(of({2, 1}), 5);
       }},
      {"concatenate", value_error, {"empty"}, [] { return concatenate({}); }},
      {"concatenate",
       shape_error,
       {"part 1", "(2, 4)", "(2, 3)"},
       [] {
         return concatenate({of({2, 3}), of({2, 4})});
       }},
      {"concatenate",
       shape_error,
       {"part 1", "(3,)"},
       [] {
         return concatenate({of({2, 3}), of({3})});
       }},
      {"concatenate",
       dtype_error,
       {"float64", "float32", "cast"},
       [] {
         return concatenate({of({2}), of({2}, DType::float64)});
       }},
      {"concatenate",
       value_error,
       {"axis 1"},
       [] {
         return concatenate({of({2}), of({2})}, 1);
       }},
      {"stack", value_error, {"empty"}, [] { return stack({}); }},
      {"stack", value_error, {"axis 3", "[-2, 1]"}, [] { return stack({of({2})}, 3); }},
      {"stack",
       shape_error,
       {"(2,)", "(3,)"},
       [] {
         return stack({of({2}), of({3})});
       }},
      {"slice", value_error, {"position 5", "axis 0", "(3,)"}, [] { return of({3})[5]; }},
      {"slice", value_error, {"position -4"}, [] { return of({3})[-4]; }},
      {"slice",
       value_error,
       {"2 selectors", "(3,)"},
       [] {
         return of({3})[{0, 0}];
       }},
      {"slice",
       value_error,
       {"2 ellipses"},
       [] {
         return of({3, 2})[{ellipsis(), ellipsis()}];
       }},
      {"slice", value_error, {"step", "0"}, [] { return of({3})[range(0, 2, 0)]; }},
      {"slice",
       value_error,
       {"one entry per axis"},
       [] {
         return slice(of({3}), {0}, {1, 2}, {1});
       }},
      {"take", dtype_error, {"integers", "float32", "cast"}, [] { return take(of({3}), of({1})); }},
      {"take", dtype_error, {"boolean"}, [] { return take(of({3}), of({3}, DType::boolean)); }},
      {"take", value_error, {"axis 1"}, [] { return take(of({3}), of({1}, DType::int64), 1); }},
      {"one_hot", dtype_error, {"integers", "float64", "cast"}, [] { return one_hot(of({3}, DType::float64), 4); }},
      {"one_hot", value_error, {"1 class", "0"}, [] { return one_hot(of({3}, DType::int32), 0); }},
      {"split", value_error, {"size 3", "2 equal parts", "split_at"}, [] { return split(of({3}), 2)[0]; }},
      {"split", value_error, {"0 equal parts"}, [] { return split(of({3}), 0)[0]; }},
      {"split", value_error, {"axis 1"}, [] { return split(of({3}), 3, 1)[0]; }},
      {"split_at",
       value_error,
       {"(2, 1)", "ascend"},
       [] {
         return split_at(of({3}), {2, 1})[0];
       }},
      {"flip", value_error, {"axis 1"}, [] { return flip(of({3}), 1); }},
      {"roll", value_error, {"axis 1"}, [] { return roll(of({3}), 1, 1); }},
      {"pad",
       shape_error,
       {"(1, 1)", "(3,)"},
       [] {
         return pad(of({3}), {1, 1}, {0, 0});
       }},
      {"pad", value_error, {"0 or more", "(-1,)"}, [] { return pad(of({3}), {-1}, {0}); }},
      {"pad", dtype_error, {"0.5", "int32"}, [] { return pad(of({3}, DType::int32), {1}, {0}, 0.5); }},
      {"pad",
       shape_error,
       {"axis 1", "(2, 0)", "with a value"},
       [] {
         return pad(of({2, 0}), {0, 1}, {0, 0}, PadMode::edge);
       }},
      {"tile", value_error, {"0 or more", "(-1,)"}, [] { return tile(of({3}), {-1}); }},
      {"repeat", value_error, {"0 or more", "-2"}, [] { return repeat(of({3}), -2, 0); }},
      {"repeat", value_error, {"axis 1"}, [] { return repeat(of({3}), 2, 1); }},
      {"take_along_axis", dtype_error, {"integers", "float32"}, [] { return take_along_axis(of({3}), of({3}), 0); }},
      {"take_along_axis", value_error, {"axis 1"}, [] { return take_along_axis(of({3}), of({3}, DType::int32), 1); }},
      {"take_along_axis",
       shape_error,
       {"(2, 3)", "(3,)"},
       [] {
         return take_along_axis(of({2, 3}), of({3}, DType::int32), 0);
       }},
      {"scatter_add",
       shape_error,
       {"(2,)", "(2, 3)"},
       [] {
         return scatter_add(of({4, 3}), of({2}, DType::int32), of({2}));
       }},
      {"scatter_add",
       dtype_error,
       {"float64", "float32", "cast"},
       [] { return scatter_add(of({3}), of({2}, DType::int32), of({2}, DType::float64)); }},
      {"scatter",
       shape_error,
       {"(2, 5)", "(2, 3)", "axis 0"},
       [] {
         return scatter(of({2, 3}), of({2, 5}, DType::int32), of({2, 5}), 0);
       }},
      {"scatter",
       shape_error,
       {"updates of shape (3,)", "(2,)"},
       [] { return scatter(of({4}), of({2}, DType::int32), of({3}), 0); }},
      {"scatter", dtype_error, {"integers", "float32"}, [] { return scatter(of({4}), of({2}), of({2}), 0); }},
      {"scatter", value_error, {"index -5", "[-4, 4)"}, [] { return scatter(of({4}), Tensor{-5}, of({1}), 0); }},
      {"scatter",
       dtype_error,
       {"boolean"},
       [] { return scatter(of({4}, DType::boolean), Tensor{1}, of({1}, DType::boolean), 0, Scatter::add); }},
      {"scatter_nd",
       shape_error,
       {"(2, 3)", "(4, 5)"},
       [] {
         return scatter_nd(of({4, 5}), of({2, 3}, DType::int32), of({2}));
       }},
      {"scatter_nd",
       dtype_error,
       {"float64", "float32"},
       [] {
         return scatter_nd(of({4}), of({2, 1}, DType::int32), of({2}, DType::float64));
       }},
      {"scatter_nd",
       value_error,
       {"index 5", "position 0", "[-5, 5)"},
       [] {
         return scatter_nd(of({4, 5}), expand_dims(Tensor{1, 5}, 0), of({1}));
       }},
      {"gather_nd",
       value_error,
       {"index 4", "[-4, 4)"},
       [] {
         return gather_nd(of({4, 5}), Tensor{4});
       }},
      {"searchsorted",
       shape_error,
       {"(2, 3)", "(3, 2)"},
       [] {
         return searchsorted(of({2, 3}), of({3, 2}));
       }},
      {"searchsorted",
       dtype_error,
       {"float64", "float32", "cast"},
       [] { return searchsorted(of({3}), of({2}, DType::float64)); }},
      {"bincount",
       value_error,
       {"number 3", "position 1", "[0, 3)"},
       [] {
         return bincount(Tensor{0, 3}, 3);
       }},
      {"bincount", value_error, {"number -1"}, [] { return bincount(Tensor{-1}, 3); }},
      {"bincount", value_error, {"length is -2"}, [] { return bincount(Tensor{1}, -2); }},
      {"bincount", dtype_error, {"integers", "float32"}, [] { return bincount(of({3}), 3); }},
      {"diag_embed", shape_error, {"()"}, [] { return diag_embed(of({})); }},
      {"diag_embed", value_error, {"axes -1 and 1"}, [] { return diag_embed(of({3}), 0, -1, 1); }},
      {"tril", shape_error, {"(3,)"}, [] { return tril(of({3})); }},
      {"triu", shape_error, {"()"}, [] { return triu(of({})); }},
      {"diagonal",
       value_error,
       {"axes 0 and 0"},
       [] {
         return diagonal(of({2, 2}), 0, 0, 0);
       }},
      {"diagonal", value_error, {"axis 1"}, [] { return diagonal(of({2})); }},
      {"take",
       value_error,
       {"index 3", "[-3, 3)"},
       [] {
         return take(of({3}), Tensor{0, 3});
       }},
      {"take", value_error, {"index -4"}, [] { return take(of({3}), Tensor{-4}); }},
      {"one_hot",
       value_error,
       {"index 4", "position 1", "[0, 4)"},
       [] {
         return one_hot(Tensor{0, 4}, 4);
       }},
      {"one_hot", value_error, {"index -1"}, [] { return one_hot(Tensor{-1}, 4); }},
      {"take", value_error, {"index 3"}, [] { return take_along_axis(of({3}), Tensor{3}, 0); }},
      {"scatter_add", value_error, {"index 5"}, [] { return scatter_add(of({3}), Tensor{5}, of({1})); }},
  };
}

}  // namespace xgrad::op_misuse
