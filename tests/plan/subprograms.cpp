#include <array>
#include <iostream>
#include <sstream>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/plan/subprograms.hpp"
#include "autograd/runtime/workers.hpp"
#include "tests/graph/user_ops.hpp"
#include "tests/testing.hpp"

/// \file
/// Functions as attributes of operations: compared, planned, run inside of plans; and compiled functions inside of others.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_subprograms)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::close;
using testing::elements;
using testing::random_tensor;

Ref<const SubProgram> program_of(const std::function<Tensors(const Tensors&)>& f, const std::vector<Spec>& specs) {
  Tensors inputs;
  for (const Spec& spec : specs) {
    inputs.push_back(placeholder(spec, "program"));
  }
  return Ref<const SubProgram>(new SubProgram(inputs, f(inputs)));
}

/// Runs a function of its inputs.
struct Apply {
  static constexpr std::string_view name = "apply";
  Ref<const SubProgram> body;
  static constexpr auto attributes = fields("body", &Apply::body);

  const SubProgram& program() const { return *body; }
  Specs infer(Inputs) const {
    Specs specs;
    for (const Tensor& output : body->outputs()) {
      specs.push_back({output.shape(), output.dtype()});
    }
    return specs;
  }
};

Tensor block(const Tensor& x, const Tensor& w) { return tanh(matmul(x, w)) + cumsum(x, 1) * 0.5; }

std::size_t peak_of(const Plan& plan) { return plan.peak_bytes(); }

}  // namespace

BOOST_AUTO_TEST_CASE(equal_functions_are_equal_programs) {
  const std::vector<Spec> specs = {{{3}, DType::float64}};
  const auto with = [&](double factor) {
    return program_of([factor](const Tensors& in) { return Tensors{sin(in[0]) * factor, sum(in[0])}; }, specs);
  };
  const auto a = with(2);
  const auto b = with(2);
  BOOST_TEST(a->structure().hash() == b->structure().hash());
  BOOST_TEST(a->structure().same_as(b->structure()));
  BOOST_TEST(!a->structure().same_as(with(3)->structure()));
  const Tensor x = {1.0, 2.0, 3.0};
  const Tensor of_a = apply_op(Apply{a}, {x});
  BOOST_TEST(same_operation(of_a.node().operation(), apply_op(Apply{b}, {x}).node().operation()));
  BOOST_TEST(attributes_text(of_a.node().operation()) == "body=(3 operations)");
  BOOST_TEST((plan::plan_of(*a) == plan::plan_of(*b)));  // planned once
  check_elements(of_a, {3}, elements(sin(x) * 2.0), 1e-15);
}

BOOST_AUTO_TEST_CASE(results_may_be_inputs_constants_and_each_other) {
  const Tensor constant = {7.0, 8.0};
  const auto program = program_of(
      [&](const Tensors& in) {
        const Tensor y = exp(in[0]);
        return Tensors{in[0], y, constant, y, reshape(y, {1, 2}), in[1]};
      },
      {{{2}, DType::float64}, {{}, DType::int32}});
  const Tensors inputs = {Tensor{1.0, 2.0}, Tensor(3)};
  const auto check = [](const Tensors& results) {
    check_elements(results[0], {2}, {1, 2});
    check_elements(results[1], {2}, {std::exp(1.0), std::exp(2.0)}, 1e-15);
    check_elements(results[2], {2}, {7, 8});
    check_elements(results[3], {2}, {std::exp(1.0), std::exp(2.0)}, 1e-15);
    check_elements(results[4], {1, 2}, {std::exp(1.0), std::exp(2.0)}, 1e-15);
    check_elements(results[5], {}, {3});
  };
  check(apply_op_all(Apply{program}, inputs));
  check(compile([&](const Tensor& x, const Tensor& i) {
    return apply_op_all(Apply{program}, Tensors{x, i});
  })(inputs[0], inputs[1]));
}

BOOST_AUTO_TEST_CASE(its_arena_is_part_of_the_peak) {
  const auto long_way = [](Tensor x) {
    for (int i = 0; i < 4; ++i) {
      x = cumsum(cumsum(x, 0) * sum(x), 1);
    }
    return x;
  };
  const Tensor x = random_tensor({100, 200}, -0.01, 0.01);
  const Plan plain = compile(long_way).plan(x);
  const Plan nested = compile([&](const Tensor& a) { return checkpoint(long_way)(a); }).plan(x);
  BOOST_TEST(nested.text().find("runs ") != std::string::npos);
  BOOST_TEST(peak_of(nested) >= peak_of(plain));
  BOOST_TEST(peak_of(nested) < peak_of(plain) + 4096);
  BOOST_TEST(nested.memory_map().find("uint8") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(plans_inside_of_plans_give_the_same_bits_on_any_number_of_threads) {
  const Variable w(random_tensor({64, 64}, -0.1, 0.1, 1), "w");
  const Tensor x = random_tensor({128, 64}, -1, 1, 2);
  const auto step = [&](const auto& layer) {
    return compile([&, layer](const Tensor& a) {
      const Tensor loss = sum(square(layer(layer(a, w), w)));
      const Tensor gradient = grad(loss, w);
      w.assign(w - 1e-4 * gradient);
      return loss;
    });
  };
  const Tensor start = w.read();
  const int threads = runtime::num_threads();
  std::vector<std::vector<double>> runs;
  for (const int count : {1, 2, 3}) {
    runtime::set_num_threads(count);
    w.assign(start);
    const auto checkpointed = step(checkpoint(block));
    checkpointed(x);
    checkpointed(x);
    runs.push_back(elements(w));
  }
  runtime::set_num_threads(threads);
  BOOST_TEST(runs[0] == runs[1], boost::test_tools::per_element());
  BOOST_TEST(runs[0] == runs[2], boost::test_tools::per_element());
  w.assign(start);
  const auto plain = step(block);
  plain(x);
  plain(x);
  check_elements(w, {64, 64}, runs[0], 1e-12);
}

BOOST_AUTO_TEST_CASE(checkpoints_take_functions_with_several_results) {
  const Variable w(Tensor{2.0, 3.0}, "w");
  const auto f = [&](const Tensor& a, const Tensor& b) { return std::tuple(sin(a) * b * w, Tensors{sum(a), a * a}); };
  const auto total = [](const auto& g) {
    return [g](const Tensor& a, const Tensor& b) {
      const auto [first, rest] = g(a, b);
      return sum(first) * rest[0] + sum(rest[1]);
    };
  };
  const Tensor a = {0.5, -0.25};
  const Tensor b = {1.5, 0.75};
  const auto plain = total(f);
  const auto saved = total(checkpoint(f));
  for (const std::size_t argument : {std::size_t{0}, std::size_t{1}}) {
    BOOST_TEST(close(grad(saved, argument)(a, b), grad(plain, argument)(a, b)));
    BOOST_TEST(close(hessian(saved, argument)(a, b), hessian(plain, argument)(a, b)));
  }
  BOOST_TEST(close(grad(saved(a, b), w), grad(plain(a, b), w)));
  const Tensor as = stack({a, 2.0 * a});
  BOOST_TEST(close(vmap(grad(saved), {0, unmapped})(as, b), vmap(grad(plain), {0, unmapped})(as, b)));
}

BOOST_AUTO_TEST_CASE(effects_in_a_checkpoint_happen_once) {
  std::ostringstream text;
  std::streambuf* before = std::cout.rdbuf(text.rdbuf());
  const auto f = checkpoint([](const Tensor& x) { return debug::print("x {}", sin(x)) * x; });
  const auto gradient = grad([&](const Tensor& x) { return sum(f(x)); });
  gradient(Tensor(0.0)).array();
  const auto compiled = compile(gradient);
  compiled(Tensor(0.0));
  std::cout.rdbuf(before);
  BOOST_TEST(text.str() == "x 0\nx 0\n");
}

BOOST_AUTO_TEST_CASE(a_compiled_function_inside_others_is_traced_once) {
  int calls = 0;
  const Variable w(Tensor{1.0, 1.0}, "w");
  const auto layer = compile([&](const Tensor& x) {
    ++calls;
    return std::pair(tanh(x * w), sum(x));
  });
  const auto deep = [&](Tensor x) {
    for (int i = 0; i < 50; ++i) {
      x = layer(x).first;
    }
    return sum(x);
  };
  const Tensor x = {0.5, 0.25};
  const auto plain = [&](Tensor a) {
    for (int i = 0; i < 50; ++i) {
      a = tanh(a * w);
    }
    return sum(a);
  };
  const auto compiled = compile(grad(deep));
  BOOST_TEST(close(compiled(x), grad(plain)(x)));
  BOOST_TEST(calls == 1);
  BOOST_TEST(close(grad(deep)(x), grad(plain)(x)));
  BOOST_TEST(calls == 1);
  BOOST_TEST(close(grad(deep(x), w, Unreached::zeros), zeros_like(w)));  // outside of a function it runs by itself
  BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(variables_of_a_compiled_function_inside_others_are_read_and_assigned_in_order) {
  const Variable count(Tensor(1.0), "count");
  const auto next = compile([&](const Tensor& x) {
    count.assign(count * 2.0);
    return x + count;
  });
  const auto outer = compile([&](const Tensor& x) {
    const Tensor a = next(x);     // 2
    count.assign(count + 100.0);  // 102
    const Tensor b = next(a);     // 204
    return std::pair(b, count * 1.0);
  });
  const auto [b, last] = outer(Tensor(0.0));
  BOOST_TEST(b.item() == 206);
  BOOST_TEST(last.item() == 204);
  BOOST_TEST(count.item() == 204);
  BOOST_TEST(grad([&](const Tensor& x) { return next(x) * x; })(Tensor(3.0)).item() == 3 + 3 + 408);
  BOOST_TEST(count.item() == 408);
}

BOOST_AUTO_TEST_CASE(a_compiled_function_that_captures_a_traced_tensor_is_called) {
  const auto outer = compile([](const Tensor& w) {
    Tensor total = zeros({}, DType::float64);
    for (const double factor : {1.0, 10.0}) {
      const Tensor scaled = w * factor;
      const auto inner = compile([&](const Tensor& x) { return x * scaled; });
      total = total + inner(w);
    }
    return total;
  });
  BOOST_TEST(outer(Tensor(2.0)).item() == 44);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
