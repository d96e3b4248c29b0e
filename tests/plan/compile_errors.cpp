#include <cmath>
#include <stdexcept>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/kernels/kernels.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_compile_errors)

namespace {

using detail::CellAccess;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

/// Uniform numbers that depend on a counter: number 0 of the counter's inputs.
struct UniformAt {
  static constexpr std::string_view name = "uniform_at";
  static constexpr bool stops_gradient = true;
  random::Key key;
  Shape shape;

  Spec infer(Inputs) const { return {shape, DType::float64}; }
  void eval(ConstViews in, Views out) const {
    const random::Key at = key.fold(static_cast<std::uint64_t>(*in[0].as<std::int64_t>()));
    kernels::random_uniform(DType::float64, at.state(), out[0].data, out[0].size());
  }
};

/// Random numbers that are others at every call: the counter counts.
Tensor next_uniform(const Variable& counter, const Shape& shape) {
  const Tensor numbers = apply_op(UniformAt{random::Key(7), shape}, {counter.read()});
  counter.assign(counter + 1);
  return numbers;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_traced_tensor_has_no_value) {
  const Variable w(Tensor{1.0}, "w");
  const auto reads = [&](const auto& read) { return compile([&](const Tensor& x) { read(x); }); };
  const Tensor x = {1.0};
  const std::initializer_list<std::string_view> words = {
      "[value] the tensor is part of a compiled step and has no value while it is traced; return it from the function"};
  check_throws<ValueError>([&] { reads([](const Tensor& t) { t.item(); })(x); }, words);
  check_throws<ValueError>([&] { reads([](const Tensor& t) { (t * 2.0).array(); })(x); }, words);
  check_throws<ValueError>([&] { reads([&](const Tensor&) { w.item(); })(x); }, words);
  check_throws<ValueError>([&] { reads([&](const Tensor&) { w.value<double>(); })(x); }, words);
  check_throws<ValueError>([&] { reads([](const Tensor& t) { t.detach(); })(x); }, {"stop_gradient"});
  check_throws<ValueError>([&] { reads([](const Tensor& t) { Variable(t * 1.0); })(x); }, words);
  check_throws<ValueError>(
      [&] {
        reads([&](const Tensor&) {
          w.assign(w + 1.0);
          w.item();
        })(x);
      },
      words);
  check_throws<ValueError>([&] { reads([](const Tensor& t) { exp(t).item(); })(x); }, {"compile_errors.cpp:"});
  BOOST_TEST(w.item() == 1);
}

BOOST_AUTO_TEST_CASE(a_tensor_that_escapes_from_a_trace_has_no_value) {
  Tensor escaped;
  compile([&](const Tensor& x) { escaped = x * 2.0; })(Tensor{1.0});
  BOOST_TEST(escaped.shape() == Shape{1});
  check_throws<ValueError>([&] { escaped.array(); }, {"part of a compiled step"});
  check_throws<ValueError>([&] { compile([&](const Tensor& x) { return x + escaped; })(Tensor{1.0}); },
                           {"part of a compiled step"});
}

BOOST_AUTO_TEST_CASE(values_that_do_not_depend_on_the_trace_can_be_read) {
  const auto step = compile([](const Tensor& x) { return x * sum(Tensor{1.0, 2.0}).item(); });
  BOOST_TEST(step(Tensor(2.0)).item() == 6);
}

BOOST_AUTO_TEST_CASE(what_a_variable_held_before_cannot_be_captured) {
  const Variable w(Tensor{1.0}, "weight");
  const Tensor leaf = w;
  const Tensor history = exp(w * 2.0);
  const std::initializer_list<std::string_view> words = {
      "[compile] the function uses what variable 'weight' held before", "read the variable inside the function",
      "compile_errors.cpp:"};
  check_throws<ValueError>([&] { compile([&](const Tensor& x) { return x * leaf; })(Tensor{1.0}); }, words);
  check_throws<ValueError>([&] { compile([&](const Tensor& x) { return x * history; })(Tensor{1.0}); }, words);
  check_throws<ValueError>([&] { compile([&] { return leaf; })(); }, words);
  check_throws<ValueError>([&] { compile([&] { w.assign(leaf); })(); }, words);
  const Tensor known = history.detach();
  check_elements(compile([&](const Tensor& x) { return x * known; })(Tensor{1.0}), {1}, {std::exp(2.0)}, 1e-15);
}

BOOST_AUTO_TEST_CASE(assignment_keeps_shape_and_dtype_in_a_trace) {
  const Variable w(zeros({2}), "w");
  const auto assigning = [&](const Tensor& value) { compile([&, value] { w.assign(value); })(); };
  check_throws<ShapeError>([&] { assigning(ones({3})); }, {"[assign]", "'w'", "(2,)", "(3,)", "compile_errors.cpp:"});
  check_throws<DTypeError>([&] { assigning(ones({2}, DType::float64)); }, {"float32", "float64"});
  check_throws<ValueError>([&] { compile([&] { assign({{w, w}, {w, w}}); })(); }, {"two new values at once"});
  check_elements(w, {2}, {0, 0});
}

BOOST_AUTO_TEST_CASE(empty_results_and_arguments_are_errors) {
  check_throws<ValueError>([] { compile([] { return Tensor(); })(); }, {"[compile]", "empty", "compile_errors.cpp:"});
  check_throws<ValueError>([] { compile([](const Tensor& x) { return x; })(Tensor()); }, {"the handle is empty"});
}

BOOST_AUTO_TEST_CASE(a_function_that_throws_leaves_nothing_behind) {
  const Variable w(Tensor(1.0), "w");
  bool fails = true;
  const auto step = compile([&](const Tensor& x) {
    w.assign(w + x);
    if (fails) {
      throw std::runtime_error("not now");
    }
    return w * 1.0;
  });
  BOOST_CHECK_THROW(step(Tensor(1.0)), std::runtime_error);
  BOOST_TEST((detail::current_recorder() == nullptr));
  BOOST_TEST(w.item() == 1);
  BOOST_TEST(step.trace_count() == 0u);
  w.assign(w + 1.0);
  BOOST_TEST(w.item() == 2);
  const auto outer = compile([&](const Tensor& x) { return step(x); });
  BOOST_CHECK_THROW(outer(Tensor(1.0)), std::runtime_error);
  BOOST_TEST((detail::current_recorder() == nullptr));
  fails = false;
  BOOST_TEST(step(Tensor(1.0)).item() == 3);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_leaves_every_variable_as_it_was) {
  const Variable counter(std::int64_t{0}, "counter");
  const Variable w(Tensor{{0.5, 0.25}, {0.125, 1.0}}, "w");
  const auto step = compile([&](const Tensor& x, const Tensor& labels) {
    const Tensor logits = matmul(x, w) + next_uniform(counter, {2, 2});
    const Tensor loss = nn::cross_entropy(logits, labels);
    const Tensor g = grad(loss, w);
    w.assign(w - 0.1 * g);
    return loss;
  });
  const Tensor x = {{1.0, 2.0}, {3.0, 4.0}};
  step(x, Tensor{0, 1});
  const std::vector<double> before = elements(w);
  check_throws<ValueError>([&] { step(x, Tensor{0, 2}); }, {"2"});
  BOOST_TEST(elements(w) == before, boost::test_tools::per_element());
  BOOST_TEST(counter.item<int>() == 1);
  step(x, Tensor{1, 0});
  BOOST_TEST(counter.item<int>() == 2);
  BOOST_TEST(elements(w) != before);
}

BOOST_AUTO_TEST_CASE(a_factorisation_that_fails_leaves_every_variable_as_it_was) {
  const Variable count(Tensor(0.0), "count");
  const Variable sum_of_squares(Tensor{{4.0, 0.0}, {0.0, 9.0}}, "a");
  const auto step = compile([&](const Tensor& change) {
    count.assign(count + 1.0);
    sum_of_squares.assign(sum_of_squares + change);
    return linalg::cholesky(sum_of_squares);
  });
  check_elements(step(zeros({2, 2}, DType::float64)), {2, 2}, {2, 0, 0, 3}, 1e-15);
  BOOST_CHECK_THROW(step(Tensor{{-5.0, 0.0}, {0.0, 0.0}}), Error);
  BOOST_TEST(count.item() == 1);
  check_elements(sum_of_squares, {2, 2}, {4, 0, 0, 9});
  check_elements(step(Tensor{{5.0, 0.0}, {0.0, 7.0}}), {2, 2}, {3, 0, 0, 4}, 1e-15);
  BOOST_TEST(count.item() == 2);
}

BOOST_AUTO_TEST_CASE(a_label_out_of_range_is_an_error_at_each_call) {
  const auto step = compile([](const Tensor& labels) { return one_hot(labels, 3); });
  check_elements(step(Tensor{2, 0}), {2, 3}, {0, 0, 1, 1, 0, 0});
  BOOST_CHECK_THROW(step(Tensor{3, 0}), ValueError);
  check_elements(step(Tensor{1, 0}), {2, 3}, {0, 1, 0, 1, 0, 0});
}

BOOST_AUTO_TEST_CASE(random_numbers_from_a_counter_differ_from_call_to_call_and_follow_define_by_run) {
  const auto run = [](bool compiled) {
    const Variable counter(std::int64_t{0}, "counter");
    const auto dropout = [&](const Tensor& x) {
      return where(next_uniform(counter, x.shape()) < 0.5, x * 2.0, 0.0) + next_uniform(counter, x.shape());
    };
    const auto step = compile(dropout);
    std::vector<double> numbers;
    for (int call = 0; call < 3; ++call) {
      const Tensor x = ones({8}, DType::float64);
      const std::vector<double> result = elements(compiled ? step(x) : dropout(x));
      numbers.insert(numbers.end(), result.begin(), result.end());
    }
    BOOST_TEST(counter.item<int>() == 6);
    return numbers;
  };
  const std::vector<double> numbers = run(true);
  BOOST_TEST(numbers == run(false), boost::test_tools::per_element());
  BOOST_TEST(numbers[0] != numbers[8]);
}

BOOST_AUTO_TEST_CASE(a_cell_is_exclusive_when_nobody_else_can_see_its_content) {
  const Variable w(Tensor{1.0, 2.0} * 1.0, "w");
  BOOST_TEST(CellAccess::is_exclusive(w));
  const Variable same_cell = w;
  BOOST_TEST(CellAccess::is_exclusive(w));
  {
    const Tensor leaf = w;
    BOOST_TEST(!CellAccess::is_exclusive(w));
  }
  BOOST_TEST(CellAccess::is_exclusive(w));
  {
    const auto value = w.value<double>();
    BOOST_TEST(!CellAccess::is_exclusive(w));
  }
  {
    const Variable clone = w.clone();
    BOOST_TEST(!CellAccess::is_exclusive(w));
    BOOST_TEST(!CellAccess::is_exclusive(clone));
  }
  BOOST_TEST(CellAccess::is_exclusive(w));
  std::vector<double> memory{1, 2};
  BOOST_TEST(!CellAccess::is_exclusive(Variable(borrow(memory.data(), {2}))));
  CellAccess::put(w, CellAccess::new_content(w, Tensor{5.0, 6.0}.array(), {}));
  check_elements(w, {2}, {5, 6});
  BOOST_TEST(w.read().node().inputs().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
