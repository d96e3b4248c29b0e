#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_print)

namespace {

template <class T>
std::string text(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

// Without the places in the source, which change as this file does.
std::string without_places(const std::string& graph) {
  std::istringstream lines(graph);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find("  #"));
    result += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return result;
}

template <class T>
void check_printed_alike(const xt::xarray<T>& array) {
  BOOST_TEST(text(Tensor(array)) == text(array));
}

}  // namespace

BOOST_AUTO_TEST_CASE(tensors_are_printed_as_xtensor_prints_arrays) {
  check_printed_alike<float>({{1.5f, -2}, {1e10f, 0.125f}});
  check_printed_alike<double>({1, 2.25, std::numeric_limits<double>::infinity(), std::nan("")});
  check_printed_alike<std::int64_t>({{1, -2}, {3, 400}});
  check_printed_alike<std::int32_t>({1, 2});
  check_printed_alike<bool>({true, false});
  check_printed_alike<double>(xt::xarray<double>(3.5));
  check_printed_alike<float>(xt::xarray<float>(xt::xarray<float>::shape_type{50, 50}, 1.0f));
  BOOST_TEST(text(Tensor{1.0, 2.0} * 2.0) == text(xt::xarray<double>{2, 4}));
  BOOST_TEST(text(Tensor()) == "undefined tensor");
}

BOOST_AUTO_TEST_CASE(repr_tells_elements_shape_and_dtype) {
  BOOST_TEST(repr(Tensor{1, 2}) == "tensor({1, 2}, shape=(2,), dtype=int32)");
  BOOST_TEST(repr(Tensor(0.5F)) == "tensor( 0.5, shape=(), dtype=float32)");
  BOOST_TEST(repr(zeros({0, 3})) == "tensor({}, shape=(0, 3), dtype=float32)");
  BOOST_TEST(repr(Tensor()) == "undefined tensor");
}

BOOST_AUTO_TEST_CASE(tensors_without_elements_tell_their_shape) {
  BOOST_TEST(text(zeros({0})) == "{}");
  BOOST_TEST(text(zeros({0, 3})) == "{}, shape=(0, 3)");
  BOOST_TEST(text(zeros({2, 0}, DType::boolean)) == "{}, shape=(2, 0)");
  BOOST_TEST(text(arange(5, DType::int32)) == "{0, 1, 2, 3, 4}");
}

BOOST_AUTO_TEST_CASE(a_graph_is_printed_as_numbered_lines) {
  const Variable w(zeros({3, 2}), "weight");
  const Tensor x = zeros({4, 3});
  const Tensor h = map([](Scalar a) { return a * tanh(a); }, matmul(x, w) * 0.5f);
  const Tensor loss = mean(h, -1);
  BOOST_TEST(without_places(print_graph(loss)) ==
             "%0 = full value=0 : float32(4, 3)\n"
             "%1 = variable 'weight' : float32(3, 2)\n"
             "%2 = matmul(%0, %1) transpose_a=false, transpose_b=false : float32(4, 2)\n"
             "%3 = multiply(%2, 0.5) : float32(4, 2)\n"
             "%4 = map(%3) formula=(a) -> a * tanh(a) : float32(4, 2)\n"
             "%5 = sum(%4) axes=(1,) : float32(4,)\n"
             "%6 = divide(%5, 2) : float32(4,)\n"
             "return %6\n");
}

BOOST_AUTO_TEST_CASE(printed_graphs_name_the_source) {
  const Tensor y = exp(zeros({2}));
  const std::string place = "# print.cpp:" + std::to_string(__LINE__ - 1) + "\n";
  const std::string graph = print_graph(y);
  BOOST_TEST(graph.find(place) != std::string::npos);
  BOOST_TEST(graph.find(place) != graph.rfind(place));
}

BOOST_AUTO_TEST_CASE(several_outputs_share_a_graph) {
  const Tensor x = zeros({2});
  const Tensor y = x + x;
  BOOST_TEST(without_places(print_graph(Tensors{y, x})) ==
             "%0 = full value=0 : float32(2,)\n"
             "%1 = add(%0, %0) : float32(2,)\n"
             "return %1, %0\n");
}

BOOST_AUTO_TEST_CASE(printing_a_graph_computes_nothing) {
  const Tensor y = Tensor{1} / Tensor{0};
  BOOST_TEST(print_graph(y).find("divide") != std::string::npos);
  BOOST_CHECK_THROW(text(y), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
