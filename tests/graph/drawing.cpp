#include "autograd/graph/drawing.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/dot.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_drawing)

namespace {

using testing::check_throws;
using testing::read_dot;
using testing::ReadDot;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void check_with_graphviz(const std::string& dot) {
  if (const auto complaints = testing::complaints_of_graphviz(dot)) {
    BOOST_TEST(*complaints == "");
  } else {
    BOOST_TEST_MESSAGE("skipped: there is no dot (Graphviz) to read drawings");
  }
}

/// The training step of a small network.
struct Network {
  nn::Sequential model{nn::Dense(6, 5), nn::ReLU(), nn::Dense(5, 3)};
  nn::SGD sgd{model.parameters(), {.learning_rate = 0.1, .momentum = 0.9}};
  Tensor x = zeros({4, 6});
  Tensor y = zeros({4}, DType::int64);

  auto step() {
    return compile([this](const Tensor& features, const Tensor& labels) {
      const Tensor loss = nn::cross_entropy(model(features), labels);
      sgd.minimize(loss);
      return loss;
    });
  }
  std::string drawn(Fold fold) { return to_dot(step().trace(x, y), {.fold = fold}); }
};

/// Which boxes can be reached from one.
std::vector<std::string> reached_from(const ReadDot& dot, const std::string& start) {
  std::vector<std::string> reached{start};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    for (const ReadDot::Arrow& arrow : dot.arrows) {
      if (arrow.from == reached[i] && std::find(reached.begin(), reached.end(), arrow.to) == reached.end()) {
        reached.push_back(arrow.to);
      }
    }
  }
  return reached;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_operation_is_a_box_and_every_tensor_an_arrow) {
  const Variable w(zeros({3, 2}), "weight");
  const Tensor x = zeros({4, 3});
  const Tensor h = map([](Scalar a) { return a * tanh(a); }, matmul(x, w) * 0.5f);
  const std::string line = "drawing.cpp:" + std::to_string(__LINE__ - 1);
  const std::string text = to_dot(mean(h, -1));
  const ReadDot dot = read_dot(text);
  check_with_graphviz(text);
  BOOST_TEST(dot.boxes.size() == 8u);  // the seven lines of print_graph, and the result
  BOOST_TEST(dot.arrows.size() == 7u);
  BOOST_TEST(contains(dot.boxes.at(dot.box("tanh")), "%4 = map(%3) formula=(a) -> a * tanh(a)\n" + line));
  BOOST_TEST(*dot.arrow(dot.box("'weight'"), dot.box("matmul")) == "(3, 2)");
  BOOST_TEST(*dot.arrow(dot.box("full"), dot.box("matmul")) == "(4, 3)");
  BOOST_TEST(*dot.arrow(dot.box("matmul"), dot.box("multiply(%2, 0.5)")) == "(4, 2)");
  BOOST_TEST(*dot.arrow(dot.box("divide(%5, 2)"), dot.box("result")) == "(4,)");
  BOOST_TEST(!dot.arrow(dot.box("full"), dot.box("tanh")));
  BOOST_TEST(dot.frames.empty());  // as there is a forward pass alone
}

BOOST_AUTO_TEST_CASE(dtypes_are_shown_where_they_are_not_float32) {
  const ReadDot dot = read_dot(to_dot(cast(argmax(zeros({2, 3}, DType::float64), -1), DType::float32)));
  BOOST_TEST(*dot.arrow(dot.box("full"), dot.box("argmax")) == "float64(2, 3)");
  BOOST_TEST(*dot.arrow(dot.box("argmax"), dot.box("cast")) == "int64(2,)");
}

BOOST_AUTO_TEST_CASE(forward_and_backward_pass_have_frames) {
  const Tensor x{1.0, 2.0, 3.0};
  const Tensor y = sum(exp(x) * x);
  const ReadDot dot = read_dot(to_dot(Tensors{y, grad(y, x)}));
  BOOST_TEST(dot.frames.size() == 2u);
  BOOST_TEST(dot.frames.at("cluster_nforward") == "forward");
  BOOST_TEST(dot.frames.at("cluster_nbackward") == "backward");
  BOOST_TEST(dot.inside.at("cluster_nforward").size() == 4u);   // x, exp, multiply, sum
  BOOST_TEST(dot.inside.at("cluster_nbackward").size() == 6u);  // the 1, two shapes of it, three products, their sum
  const ReadDot tangents = read_dot(to_dot(jvp(y, {x}, {ones_like(x)})));
  BOOST_TEST(tangents.frames.at("cluster_ntangents") == "tangents");
}

BOOST_AUTO_TEST_CASE(a_training_step_is_folded_by_layers) {
  Network network;
  const std::string text = network.drawn(Fold::by_layer);
  const ReadDot dot = read_dot(text);
  check_with_graphviz(text);
  const auto in = [&](const std::string& part, const std::string& title) {
    for (const std::string& name : dot.inside.at("cluster_n" + part)) {
      if (dot.boxes.at(name).starts_with(title + "\n")) {
        return name;
      }
    }
    throw std::runtime_error("no " + title + " in " + part + ":\n" + text);
  };
  BOOST_TEST_CONTEXT(text) {
    const std::string dense = in("forward", "0 Dense");
    const std::string activation = in("forward", "1 ReLU");
    const std::string output = in("forward", "2 Dense");
    const std::string loss = in("forward", "cross_entropy");
    const std::string update = in("update", "sgd");
    BOOST_TEST(dot.inside.at("cluster_nforward").size() == 4u);
    BOOST_TEST(dot.inside.at("cluster_nbackward").size() == 4u);
    BOOST_TEST(dot.inside.at("cluster_nupdate").size() == 1u);
    BOOST_TEST(dot.inside.at("").size() == 3u);  // two arguments and the result
    BOOST_TEST(contains(dot.boxes.at(dense), "\nmatmul, add\nreads weight (6, 5), bias (5,)\n"));
    BOOST_TEST(contains(dot.boxes.at(update), "writes 0.weight, 0.bias, 2.weight, 2.bias"));
    BOOST_TEST(*dot.arrow(dot.box("argument 0"), dense) == "(4, 6)");
    BOOST_TEST(*dot.arrow(dense, activation) == "(4, 5)");
    BOOST_TEST(*dot.arrow(activation, output) == "(4, 5)");
    BOOST_TEST(*dot.arrow(output, loss) == "(4, 3)");
    BOOST_TEST(*dot.arrow(loss, dot.box("result")) == "()");
    BOOST_TEST(*dot.arrow(in("backward", "0 Dense"), update) == "(6, 5), (5,)");
    BOOST_TEST(*dot.arrow(in("backward", "2 Dense"), update) == "(5, 3), (3,)");
    BOOST_TEST(contains(*dot.arrow(in("backward", "2 Dense"), in("backward", "1 ReLU")), "(4, 5)"));
  }
}

BOOST_AUTO_TEST_CASE(folding_by_lines_puts_what_a_line_makes_together) {
  const Variable w(zeros({3, 3}), "w");
  const Tensor x = zeros({2, 3});
  const Tensor h = tanh(matmul(x, w));
  const Tensor y = sum(h * h) + 1.0f;
  const int line = __LINE__;
  const ReadDot dot = read_dot(to_dot(y, {.fold = Fold::by_line}));
  BOOST_TEST(dot.boxes.size() == 4u);
  const std::string first = dot.box("drawing.cpp:" + std::to_string(line - 2));
  const std::string second = dot.box("drawing.cpp:" + std::to_string(line - 1));
  BOOST_TEST(contains(dot.boxes.at(first), "matmul, tanh\nreads w (3, 3)\n"));
  BOOST_TEST(contains(dot.boxes.at(second), "multiply, sum, add\n"));
  BOOST_TEST(*dot.arrow(first, second) == "(2, 3)");
}

BOOST_AUTO_TEST_CASE(folding_keeps_every_path) {
  Network network;
  for (const Fold fold : {Fold::by_line, Fold::by_layer}) {
    const ReadDot whole = read_dot(network.drawn(Fold::none));
    const ReadDot folded = read_dot(network.drawn(fold));
    BOOST_TEST(folded.boxes.size() < whole.boxes.size() / 3);
    for (const std::string argument : {"argument 0", "argument 1"}) {
      // What an argument reaches in the whole graph it reaches in the folded one, and all in the end.
      const auto of_folded = reached_from(folded, folded.box(argument));
      BOOST_TEST(std::count(of_folded.begin(), of_folded.end(), folded.box("result")) == 1);
      const auto of_whole = reached_from(whole, whole.box(argument));
      BOOST_TEST(std::count(of_whole.begin(), of_whole.end(), whole.box("result")) == 1);
      const auto updated = [](const ReadDot& dot, const std::vector<std::string>& reached) {
        return std::any_of(reached.begin(), reached.end(), [&](const std::string& name) {
          const std::string& label = dot.boxes.at(name);
          return contains(label, "new content of 0.weight") || contains(label, "writes ");
        });
      };
      BOOST_TEST(updated(whole, of_whole));
      BOOST_TEST(updated(folded, of_folded));
    }
    for (const ReadDot::Arrow& arrow : folded.arrows) {
      BOOST_TEST(arrow.from != arrow.to);
      BOOST_TEST(!arrow.label.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(folding_by_layers_goes_by_names_of_users_own) {
  const Tensor x{1.0, 2.0};
  Tensor h;
  {
    const NameScope encoder("encoder", "Mine");
    const Tensor inner = [&] {
      const NameScope attention("attention");
      return exp(x);
    }();
    h = inner * 2.0;
  }
  const ReadDot dot = read_dot(to_dot(h + 1.0, {.fold = Fold::by_layer}));
  BOOST_TEST(dot.boxes.at(dot.box("encoder.attention")).starts_with("encoder.attention\nexp\n"));
  BOOST_TEST(dot.boxes.at(dot.box("Mine")) == "encoder Mine\nmultiply\n");
  BOOST_TEST(dot.boxes.at(dot.box("drawing.cpp:")).ends_with("\nadd\n"));
  BOOST_TEST(dot.boxes.size() == 4u);
}

BOOST_AUTO_TEST_CASE(hostile_names_do_no_harm) {
  const std::vector<std::string> names = {"a \"quoted\" name",
                                          "back\\slash\\",
                                          "\\N \\G \\l",
                                          "a\nb\tc",
                                          "]; x -> y; [",
                                          "{<record>|field}",
                                          "&lt;script&gt; &",
                                          "</svg><script>",
                                          "\x1b[31m",
                                          std::string("nul\0inside", 10),
                                          "broken \xff\xc3 utf",
                                          "\xe4\xbd\xa0\xe5\xa5\xbd",
                                          "",
                                          std::string(300, 'x')};
  for (const std::string& name : names) {
    BOOST_TEST_CONTEXT(name) {
      const Variable w(Tensor{1.0f}, name);
      const NameScope scope(name, name);
      const auto step = compile([&](const Tensor& x) {
        w.assign(w * x);
        return exp(w);
      });
      for (const Fold fold : {Fold::none, Fold::by_line, Fold::by_layer}) {
        const std::string dot = to_dot(step.trace(Tensor{1.0f}), {.fold = fold});
        BOOST_TEST(std::none_of(dot.begin(), dot.end(), [](char c) { return c == '\0' || c == '\x1b'; }));
        BOOST_TEST(read_dot(dot).boxes.size() >= 3u);
      }
      BOOST_TEST(read_dot(to_dot(step.plan(Tensor{1.0f}))).boxes.size() >= 1u);
    }
  }
  const Variable w(Tensor{1.0f}, names[0]);
  BOOST_TEST(contains(read_dot(to_dot(w * w)).boxes.at("n0"), "%0 = variable 'a \"quoted\" name'\n"));
  // Graphviz takes a moment: one drawing with all of them.
  Tensor all = w;
  for (const std::string& name : names) {
    all = all * Variable(Tensor{1.0f}, name);
  }
  check_with_graphviz(to_dot(all));
}

BOOST_AUTO_TEST_CASE(long_lists_are_cut) {
  Tensor total = Tensor{0.0};
  for (int i = 0; i < 20; ++i) {
    total = total + Variable(Tensor{1.0}, "w" + std::to_string(i));
  }
  const ReadDot dot = read_dot(to_dot(total, {.fold = Fold::by_line}));
  const std::string label = dot.boxes.at(dot.box("add x20"));
  BOOST_TEST(contains(label, "w0"));
  BOOST_TEST(contains(label, "more"));
  BOOST_TEST(label.size() < 300u);
}

BOOST_AUTO_TEST_CASE(programs_of_operations_are_drawn_in_frames) {
  const Tensor xs = arange(5, DType::float32);
  const auto [last, sums] =
      scan([](const Tensor& sum, const Tensor& x) { return std::pair(sum + x, sin(sum)); }, Tensor(0.0f), xs);
  for (const Fold fold : {Fold::none, Fold::by_line, Fold::by_layer}) {
    const std::string text = to_dot(Tensors{last, sums}, {.fold = fold});
    const ReadDot dot = read_dot(text);
    check_with_graphviz(text);
    BOOST_TEST(dot.frames.size() == 1u);
    BOOST_TEST(contains(text, "sin"));
    BOOST_TEST(contains(text, "result 1"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_given_back_at_once_is_drawn) {
  const auto step = compile([](const Tensor& x) { return Tensors{x, Tensor(2.5f), ones({3})}; });
  const ReadDot dot = read_dot(to_dot(step.trace(zeros({2})), {.fold = Fold::by_layer}));
  BOOST_TEST(dot.arrow(dot.box("argument 0"), dot.box("result 0")).has_value());
  BOOST_TEST(dot.boxes.at(dot.box("result 1")) == "result 1 = 2.5");
  BOOST_TEST(dot.boxes.contains(dot.box("result 2")));
}

BOOST_AUTO_TEST_CASE(shared_layers_and_gradients_of_gradients_are_drawn) {
  const nn::Dense shared(3, 3);
  const nn::Sequential model(shared, nn::Tanh(), shared);
  const Variable x(ones({2, 3}), "x");
  const Tensor y = sum(model(x));
  const Tensor g = grad(y, x);
  const std::string text = to_dot(grad(sum(g * g), x), {.fold = Fold::by_layer});
  check_with_graphviz(text);
  BOOST_TEST(read_dot(text).boxes.size() > 4u);
}

BOOST_AUTO_TEST_CASE(name_scopes_belong_to_their_thread) {
  const NameScope scope("outer");
  Tensor other;
  std::thread([&] { other = exp(Tensor{1.0}); }).join();
  BOOST_TEST(detail::path_of(other.node().label()) == "");
  BOOST_TEST(detail::path_of(exp(Tensor{1.0}).node().label()) == "outer");
}

BOOST_AUTO_TEST_CASE(name_scopes_end_with_exceptions) {
  const nn::Sequential model(nn::Dense(3, 2));
  check_throws<ShapeError>([&] { model(zeros({1, 4})); }, {"in layer 0"});
  BOOST_TEST(detail::current_label() == 0u);
}

BOOST_AUTO_TEST_CASE(names_do_not_change_what_graphs_are) {
  const auto hash = [](bool named) {
    return compile([=](const Tensor& x) {
             if (named) {
               const NameScope scope("named");
               return exp(x) + 1.0;
             }
             return exp(x) + 1.0;
           })
        .outline(Tensor{1.0})
        .hash;
  };
  BOOST_TEST(hash(true) == hash(false));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
