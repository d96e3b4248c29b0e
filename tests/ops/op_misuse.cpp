#include "op_misuse.hpp"

#include <limits>

#include <boost/test/unit_test.hpp>

#include "tests/testing.hpp"

namespace xgrad::op_misuse {

BOOST_AUTO_TEST_SUITE(ops_misuse)

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<Misuse> other_misuses() {
  return {
      {"matmul",
       shape_error,
       {"(2, 3) x (4, 5)"},
       [] {
         return matmul(of({2, 3}), of({4, 5}));
       }},
      {"matmul",
       shape_error,
       {"(2, 3) x (5, 3)", "transpose(b)?"},
       [] {
         return matmul(of({2, 3}), of({5, 3}));
       }},
      {"matmul",
       shape_error,
       {"(3, 2) x (3, 5)", "transpose(a)?"},
       [] {
         return matmul(of({3, 2}), of({3, 5}));
       }},
      {"matmul",
       shape_error,
       {"(2, 3, 4)", "(5, 6)"},
       [] {
         return matmul(of({2, 3, 4}), of({5, 6}));
       }},
      {"matmul", shape_error, {"()"}, [] { return matmul(of({}), of({3})); }},
      {"matmul",
       dtype_error,
       {"float32", "float64", "cast"},
       [] {
         return matmul(of({2, 3}), of({3, 2}, DType::float64));
       }},
      {"sum",
       value_error,
       {"axis 2", "2 axes", "[-2, 1]"},
       [] {
         return sum(of({2, 3}), 2);
       }},
      {"sum",
       value_error,
       {"axis 1", "twice"},
       [] {
         return sum(of({2, 3}), {1, -1});
       }},
      {"sum", value_error, {"axis 1", "()"}, [] { return sum(of({}), 1); }},
      {"prod",
       value_error,
       {"twice"},
       [] {
         return prod(of({}), {0, -1});
       }},
      {"argmax", value_error, {"axis -2", "()"}, [] { return argmax(of({}), -2); }},
      {"mean",
       value_error,
       {"axis -3"},
       [] {
         return mean(of({2, 3}), -3);
       }},
      {"softmax", value_error, {"axis 1", "()"}, [] { return softmax(of({}), 1); }},
      {"log_softmax", value_error, {"axis 4"}, [] { return log_softmax(of({2}), 4); }},
      {"argmax",
       value_error,
       {"one axis", "(0, 1)"},
       [] {
         return argmax(of({2, 3}), {0, 1});
       }},
      {"argmin", shape_error, {"no element", "(0,)"}, [] { return argmin(of({0})); }},
      {"amax",
       shape_error,
       {"no element", "(2, 0)"},
       [] {
         return amax(of({2, 0}), 1);
       }},
      {"amin", shape_error, {"no element", "(0,)"}, [] { return amin(of({0})); }},
      {"all", dtype_error, {"boolean", "float32"}, [] { return all(of({2})); }},
      {"where", dtype_error, {"boolean", "float32", "x != 0"}, [] { return where(of({2}), of({2}), of({2})); }},
      {"where", shape_error, {"(2,)", "(3,)"}, [] { return where(of({2}, DType::boolean), of({3}), 0); }},
      {"cumsum",
       value_error,
       {"axis 2"},
       [] {
         return cumsum(of({2, 3}), 2);
       }},
      {"cumsum", dtype_error, {"uint8", "cast"}, [] { return cumsum(of({2}, DType::uint8), 0); }},
      {"cummax", value_error, {"axis 1"}, [] { return cummax(of({2}), 1).values; }},
      {"cummin", value_error, {"axis -1", "()"}, [] { return cummin(of({}), -1).indices; }},
      {"celu", value_error, {"alpha is 0"}, [] { return celu(of({2}), 0); }},
      {"shrink", value_error, {"lambda is -1"}, [] { return shrink(of({2}), -1); }},
      {"cumprod",
       value_error,
       {"axis -3"},
       [] {
         return cumprod(of({2, 3}), -3);
       }},
      {"prod",
       value_error,
       {"axis 1", "twice"},
       [] {
         return prod(of({2, 3}), {1, 1});
       }},
      {"variance",
       value_error,
       {"axis 2"},
       [] {
         return variance(of({2, 3}), 2);
       }},
      {"stddev", dtype_error, {"int32", "cast"}, [] { return stddev(of({2}, DType::int32)); }},
      {"norm",
       value_error,
       {"axis 2"},
       [] {
         return norm(of({2, 3}), 2);
       }},
      {"sort", value_error, {"axis -1", "()"}, [] { return sort(of({})); }},
      {"argsort", value_error, {"axis 3"}, [] { return argsort(of({2}), 3); }},
      {"topk", value_error, {"k = 4", "size 3", "[0, 3]"}, [] { return topk(of({3}), 4).values; }},
      {"topk", value_error, {"k = -1"}, [] { return topk(of({3}), -1).values; }},
      {"eye", shape_error, {"-2"}, [] { return eye(-2); }},
      {"linspace", value_error, {"0"}, [] { return linspace(0, 1, 0); }},
      {"linspace", dtype_error, {"int64"}, [] { return linspace(0, 1, 2, DType::int64); }},
      {"full",
       shape_error,
       {"(2, -3)"},
       [] {
         return full({2, -3}, 1);
       }},
      {"full", shape_error, {"(-1,)"}, [] { return zeros({-1}); }},
      {"full", dtype_error, {"0.5", "int32"}, [] { return full({2}, 0.5, DType::int32); }},
      {"full", dtype_error, {"inf", "int64"}, [] { return full({2}, infinity, DType::int64); }},
      {"full", dtype_error, {"300", "uint8"}, [] { return full({2}, 300, DType::uint8); }},
      {"full", dtype_error, {"-1", "uint8"}, [] { return full_like(of({2}, DType::uint8), -1); }},
      {"full", dtype_error, {"2", "boolean"}, [] { return full({2}, 2, DType::boolean); }},
      {"arange", value_error, {"steps of 0"}, [] { return arange(0, 3, 0); }},
      {"arange", value_error, {"inf"}, [] { return arange(infinity); }},
      {"arange", value_error, {"1e+30 numbers"}, [] { return arange(1e30); }},
      {"arange", dtype_error, {"0.25", "int32"}, [] { return arange(0, 1, 0.25, DType::int32); }},
      {"pow", dtype_error, {"int32", "-1", "cast"}, [] { return pow(of({2}, DType::int32), -1); }},
      {"add", dtype_error, {"float32 meets float64", "cast"}, [] { return of({2}) + of({2}, DType::float64); }},
      {"multiply", dtype_error, {"0.5", "int32", "cast"}, [] { return of({2}, DType::int32) * 0.5; }},
      {"less", dtype_error, {"300", "uint8", "cast"}, [] { return of({2}, DType::uint8) < 300; }},
      {"equal", dtype_error, {"2", "boolean"}, [] { return of({2}, DType::boolean) == 2; }},
      {"add", dtype_error, {"boolean", "cast"}, [] { return of({2}, DType::boolean) + 1; }},
      {"equal", dtype_error, {"boolean", "float32", "cast"}, [] { return of({2}, DType::boolean) == of({2}); }},
      {"random_normal", dtype_error, {"int32"}, [] { return random::normal(random::Key(1), {2}, 0, 1, DType::int32); }},
      {"random_uniform",
       dtype_error,
       {"boolean"},
       [] { return random::uniform(random::Key(1), {2}, 0, 1, DType::boolean); }},
      {"random_uniform", shape_error, {"(-1,)"}, [] { return random::uniform(random::Key(1), {-1}); }},
      {"random_uniform",
       value_error,
       {"low is 2", "high 1"},
       [] { return random::uniform(random::Key(1), {2}, 2, 1); }},
      {"tensor", value_error, {"empty"}, [] { return exp(Tensor()); }},
      {"tensor", value_error, {"empty"}, [] { return of({2}) + Tensor(); }},
      {"map",
       value_error,
       {"2 operands", "got 1"},
       [] { return map(Formula([](Scalar a, Scalar b) { return a + b; }), {of({2})}); }},
      // Wrong elements can only be seen when they are computed.
      {"divide",
       value_error,
       {"divided by zero"},
       [] {
         return Tensor{1, 2} / Tensor{1, 0};
       }},
      {"remainder",
       value_error,
       {"divided by zero"},
       [] {
         return remainder(Tensor{1, 2}, 0);
       }},
  };
}

const std::vector<Misuse>& all_misuses() {
  static const std::vector<Misuse> table = [] {
    std::vector<Misuse> result = other_misuses();
    for (const Misuse& misuse : layout_misuses()) {
      result.push_back(misuse);
    }
    return result;
  }();
  return table;
}

void check(const Misuse& misuse) {
  try {
    evaluate(Tensors{misuse.call()});
    BOOST_ERROR("nothing was thrown");
  } catch (const Error& error) {
    const std::string message = error.what();
    BOOST_TEST_CONTEXT("message: " << message) {
      BOOST_TEST((typeid(error) == misuse.error));
      BOOST_TEST(message.starts_with("[" + misuse.op + "] "));
      BOOST_TEST(message.find("tests/ops/op_misuse") != std::string::npos);
      for (const std::string& word : misuse.words) {
        BOOST_TEST((message.find(word) != std::string::npos), "it should contain " << word);
      }
    }
  }
}

}  // namespace

const testing::CasePerRow cases(
    all_misuses(), [](const Misuse& misuse) { return misuse.op + "_" + std::to_string(&misuse - &all_misuses()[0]); },
    check);
BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::op_misuse
