#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "tests/printed.hpp"
#include "tests/testing.hpp"

/// \file
/// Operations that do something to the world: in order, on the calling thread, once.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_effects)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::Printed;

struct Call {
  std::string name;
  double value;
  std::thread::id thread;
};
std::vector<Call> calls;

/// Doubles its input, and notes that it did.
struct Noted {
  static constexpr std::string_view name = "noted";
  static constexpr std::string_view effect = "note";
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;
  std::string label;
  static constexpr auto attributes = fields("label", &Noted::label);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    calls.push_back({label, in[0].as<double>()[0], std::this_thread::get_id()});
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = 2 * in[0].as<double>()[i];
    }
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {2 * ct[0]}; }
};

Tensor noted(const Tensor& x, const std::string& label) { return apply_op(Noted{label}, {x}); }

std::string labels() {
  std::string text;
  for (const Call& call : calls) {
    text += (text.empty() ? "" : " ") + call.name;
  }
  calls.clear();
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_has_elements_is_printed_at_once) {
  Printed printed;
  const Tensor x = {1.5, 2.5};
  const Tensor y = debug::print("x {} of {{{}}}, sum {:.2f}", x, 3, sum(x));
  BOOST_TEST(printed.take() == "x { 1.5,  2.5} of {3}, sum 4.00\n");
  check_elements(y * 2, {2}, {3, 5});
  check_elements(grad(sum(y * y), x), {2}, {3, 5});
  BOOST_TEST(!debug::print("nothing but text").defined());
  debug::print("{:.1f}", Tensor{{1.0, 2.0}, {3.0, 4.0}});
  BOOST_TEST(printed.take() == "nothing but text\n{{1.0, 2.0}, {3.0, 4.0}}\n");
}

BOOST_AUTO_TEST_CASE(a_compiled_function_prints_at_every_call) {
  Printed printed;
  const auto f = compile([](const Tensor& x) {
    debug::print("begin");
    debug::print("x {}", x);  // nobody uses what it gives on
    debug::print("x {}", x);  // and it is not merged
    return sum(x);
  });
  BOOST_TEST(printed.take() == "");
  f(Tensor(1.0));
  BOOST_TEST(printed.take() == "begin\nx 1\nx 1\n");
  f(Tensor(2.0));
  BOOST_TEST(printed.take() == "begin\nx 2\nx 2\n");
}

BOOST_AUTO_TEST_CASE(what_waits_for_an_effect_is_not_joined_with_what_the_effect_waits_for) {
  const auto f = compile([](const Tensor& x) {
    const Tensor a = x + 1;
    const Tensor first = noted(a, "first");
    const Tensor second = noted(x, "second");  // after the first, though it needs nothing of it
    return a * second + first;
  });
  check_elements(f(Tensor{1.0, 2.0}), {2}, {8, 18});
  BOOST_TEST(labels() == "first second");
}

BOOST_AUTO_TEST_CASE(effects_of_a_kind_happen_in_program_order) {
  Printed printed;
  const Variable w(Tensor{1.0, 2.0}, "w");
  const auto step = compile([&](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 20; ++i) {
      y = sin(y) + cumsum(y, 0);
    }
    const Tensor late = debug::print("late {:.0f}", sum(y) * 0);
    debug::print("early {}", sum(x));
    debug::print("w {}", w.read()[0]);
    w.assign(w + 1);
    debug::print("w {}", w.read()[0]);
    return late;
  });
  step(Tensor{1.0, 2.0});
  BOOST_TEST(printed.take() == "late 0\nearly 3\nw 1\nw 2\n");
  step(Tensor{3.0, 4.0});
  BOOST_TEST(printed.take() == "late 0\nearly 7\nw 2\nw 3\n");
}

BOOST_AUTO_TEST_CASE(effects_run_on_the_calling_thread) {
  const int threads = runtime::num_threads();
  runtime::set_num_threads(3);
  const auto f = compile([](const Tensor& x) {
    Tensor total = sum(x);
    for (int i = 0; i < 8; ++i) {
      total = total + sum(noted(sin(x) * i, std::to_string(i)));
    }
    return total;
  });
  for (int i = 0; i < 20; ++i) {
    f(ones({64, 512}, DType::float64));
    for (const Call& call : calls) {
      BOOST_TEST((call.thread == std::this_thread::get_id()));
    }
    BOOST_TEST(labels() == "0 1 2 3 4 5 6 7");
  }
  runtime::set_num_threads(threads);
}

BOOST_AUTO_TEST_CASE(the_gradient_goes_through_and_does_nothing) {
  Printed printed;
  const auto f = compile(grad([](const Tensor& x) {
    const Tensor y = debug::print("y {}", x * x);
    return sum(y * noted(x, "forward"));
  }));
  check_elements(f(Tensor(3.0)), {}, {2 * 3 * 9});  // of 2 x³
  BOOST_TEST(printed.take() == "y 9\n");
  BOOST_TEST(labels() == "forward");
  const auto twice = compile(grad(grad([](const Tensor& x) { return debug::print("x {}", x) * x * x; })));
  check_elements(twice(Tensor(3.0)), {}, {18});
  BOOST_TEST(printed.take() == "x 3\n");
  const auto tangent = compile([](const Tensor& x, const Tensor& t) {
    return jvp([](const Tensor& a) { return debug::print("a {}", a) * a; }, {x}, {t}).second;
  });
  check_elements(tangent(Tensor(3.0), Tensor(1.0)), {}, {6});
  BOOST_TEST(printed.take() == "a 3\n");
}

BOOST_AUTO_TEST_CASE(vmap_shows_the_batch) {
  Printed printed;
  const auto f = [](const Tensor& x) {
    debug::print("first {}", x);
    debug::print("square {}, {}", 7, x * x);
    return x + 1;
  };
  check_elements(vmap(f)(Tensor{1.0, 2.0}), {2}, {2, 3});
  BOOST_TEST(printed.take() == "first { 1.,  2.}\nsquare {7, 7}, { 1.,  4.}\n");
  const auto compiled = compile(vmap(grad([&](const Tensor& x) { return sum(f(x) * x); })));
  BOOST_TEST(printed.take() == "");
  compiled(Tensor{3.0, 4.0});
  BOOST_TEST(printed.take() == "first { 3.,  4.}\nsquare {7, 7}, {  9.,  16.}\n");
  check_elements(vmap(vmap(f))(Tensor{{1.0}, {2.0}}), {2, 1}, {2, 3});
  BOOST_TEST(printed.take() == "first {{ 1.},\n { 2.}}\nsquare {{7},\n {7}}, {{ 1.},\n { 4.}}\n");
}

BOOST_AUTO_TEST_CASE(compiled_functions_inside_others_keep_their_effects) {
  Printed printed;
  const auto inner = compile([](const Tensor& x) {
    debug::print("inner {}", x);
    return x * 2;
  });
  const auto outer = compile([&](const Tensor& x) {
    debug::print("outer {}", x);
    return inner(inner(x));
  });
  outer(Tensor(1.0));
  BOOST_TEST(printed.take() == "outer 1\ninner 1\ninner 2\n");
  grad([&](const Tensor& x) { return inner(x); })(Tensor(5.0));
  BOOST_TEST(printed.take() == "inner 5\n");
}

BOOST_AUTO_TEST_CASE(effects_without_arguments_happen_at_every_call) {
  Printed printed;
  const auto f = compile([](const Tensor& x) {
    debug::print("begin");
    debug::print("constant {}", Tensor(4));
    return x * x;
  });
  const auto g = grad(f);
  for (int i = 0; i < 2; ++i) {
    g(Tensor(1.0));
    BOOST_TEST(printed.take() == "begin\nconstant 4\n");
  }
  const auto twice = compile([&](const Tensor& x) { return f(x) + f(x + 1); });
  for (int i = 0; i < 2; ++i) {
    check_elements(twice(Tensor(1.0)), {}, {5});
    BOOST_TEST(printed.take() == "begin\nconstant 4\nbegin\nconstant 4\n");
  }
  const auto checkpointed = compile(grad([](const Tensor& x) {
    return sum(checkpoint([](const Tensor& y) { return sin(y * debug::print("factor {}", Tensor(2.0))); })(x));
  }));
  checkpointed(Tensor{0.0});
  BOOST_TEST(printed.take() == "factor 2\n");
}

BOOST_AUTO_TEST_CASE(effects_that_do_not_depend_on_samples_happen_in_their_order) {
  Printed printed;
  const auto f = [](const Tensor& x) {
    return grad([&](const Tensor& y) {
      const Tensor z = x * y;
      debug::print("y {}", y);
      debug::print("z {}", z);
      debug::print("twice {}", y * 2);
      return z * y;
    })(Tensor(2.0));
  };
  check_elements(vmap(f)(Tensor{1.0, 3.0}), {2}, {4, 12});
  BOOST_TEST(printed.take() == "y 2\nz { 2.,  6.}\ntwice 4\n");
  const auto compiled = compile(vmap(f));
  BOOST_TEST(printed.take() == "");
  check_elements(compiled(Tensor{1.0, 3.0}), {2}, {4, 12});
  BOOST_TEST(printed.take() == "y 2\nz { 2.,  6.}\ntwice 4\n");
}

// A graph that is large enough for a plan fails after the effect: nothing is computed again to find out where.
BOOST_AUTO_TEST_CASE(an_error_does_not_repeat_effects) {
  const Variable w(Tensor(1.0), "w");
  const auto f = compile([&](const Tensor& x, const Tensor& divisor) {
    const Tensor y = noted(x, "before");
    w.assign(w + sum(y));
    Tensor z = cast(Tensor(7) / (divisor + cast(0 * y, DType::int32)), DType::float64);
    for (int i = 0; i < 16; ++i) {
      z = sin(z) + cumsum(expand_dims(z, 0), 0)[0];
    }
    return noted(z, "after") + y;
  });
  check_throws<ValueError>([&] { f(Tensor(1.0), Tensor(0)); }, {"[divide]", "effects.cpp"});
  BOOST_TEST(labels() == "before");
  BOOST_TEST(w.item() == 1.0);
  f(Tensor(1.0), Tensor(1));
  BOOST_TEST(labels() == "before after");
  BOOST_TEST(w.item() == 3.0);
}

BOOST_AUTO_TEST_CASE(effects_of_constants_are_not_done_ahead) {
  Printed printed;
  const auto f = compile([](const Tensor& x) {
    debug::print("constant {}", Tensor(4));
    return x + noted(Tensor(2.0), "constant");
  });
  f.plan(Tensor(1.0));
  BOOST_TEST(printed.take() == "");
  BOOST_TEST(labels() == "");
  for (int i = 0; i < 2; ++i) {
    check_elements(f(Tensor(1.0)), {}, {5});
    BOOST_TEST(printed.take() == "constant 4\n");
    BOOST_TEST(labels() == "constant");
  }
}

BOOST_AUTO_TEST_CASE(a_function_that_fails_while_it_is_traced_has_no_effect) {
  Printed printed;
  const auto f = compile([](const Tensor& x) {
    debug::print("x {}", x);
    return x + ones({3});
  });
  check_throws<DTypeError>([&] { f(Tensor(1.0)); }, {"float64 meets float32"});
  BOOST_TEST(printed.take() == "");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const Tensor x = {1.0, 2.0};
  check_throws<ValueError>([&] { debug::print("{} {}", x); }, {"[print]", "2 places for 1 tensors", "effects.cpp"});
  check_throws<ValueError>([&] { debug::print("no place", x); }, {"0 places for 1 tensors"});
  check_throws<ValueError>([&] { debug::print("{:q}", x); }, {"[print]", "{:q}", "float64"});
  check_throws<ValueError>([&] { debug::print("{", x); }, {"[print]", "stands alone"});
  check_throws<ValueError>([&] { debug::print("} {}", x); }, {"[print]", "stands alone"});
  const auto prints = compile([](const Tensor& a) {
    const Tensor y = exp(a);
    std::ostringstream out;
    out << y;
    return y;
  });
  check_throws<ValueError>([&] { prints(x); }, {"[print]", "made by exp", "effects.cpp", "debug::print"});
  const auto mapped = vmap([](const Tensor& a) {
    std::ostringstream out;
    out << a * 2;
    return a;
  });
  check_throws<ValueError>([&] { mapped(x); }, {"[print]", "made by multiply", "debug::print"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
