#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "nn/nn.hpp"
#include "tests/dot.hpp"
#include "tests/testing.hpp"

/// \file
/// What plans say about themselves.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_reports)

namespace {

using testing::check_throws;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A small network, its step and its plan.
struct Example {
  nn::Sequential model{nn::Dense(300, 200), nn::ReLU(), nn::Dense(200, 10)};
  nn::Adam adam{model.parameters()};
  Tensor images = random::normal(random::Key(1), {128, 300}).detach();
  Tensor labels = remainder(arange(128, DType::int64), 10).detach();

  Example() { model.initialize(random::Key(2)); }
  Plan plan(const PlanOptions& options = {}) {
    const auto step = compile(
        [&](const Tensor& x, const Tensor& y) {
          const Tensor loss = nn::cross_entropy(model(x), y);
          adam.minimize(loss);
          return loss;
        },
        {.plan = options});
    return step.plan(images, labels);
  }
};

/// The nodes that a drawing declares, and those that its edges name.
std::pair<std::set<std::string>, std::set<std::string>> nodes_of(const std::string& dot) {
  std::set<std::string> declared;
  std::set<std::string> named;
  std::istringstream lines(dot);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    std::string third;
    words >> first >> second >> third;
    if (second == "->") {
      named.insert({first, third});
    } else if (first.starts_with("k")) {
      declared.insert(first);
    }
  }
  return {declared, named};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_text_names_formulas_shapes_places_and_lines_of_the_users) {
  const Variable w(random::normal(random::Key(1), {4, 3}) * 1.0, "w");
  const auto step = compile([&](const Tensor& x) {
    const Tensor y = tanh(matmul(x, w)) * 0.5 + 1.0;
    w.assign(w * 0.9);
    return y;
  });
  const std::string text = step.plan(ones({2, 4})).text();
  BOOST_TEST_CONTEXT(text) {
    BOOST_TEST(text.starts_with("phase 0\n"));
    BOOST_TEST(contains(text, "matmul (2, 4) x (4, 3)"));
    BOOST_TEST(contains(text, "tanh+multiply+add"));
    BOOST_TEST(contains(text, "(a) -> tanh(a) * 0.5 + 1"));
    BOOST_TEST(contains(text, "float32(2, 3) [output 0]"));
    BOOST_TEST(contains(text, "[over argument 1]"));
    BOOST_TEST(contains(text, "matmul at reports.cpp:"));
    BOOST_TEST(contains(text, "\nreturn %"));
  }
  std::ostringstream printed;
  printed << step.plan(ones({2, 4}));
  BOOST_TEST(printed.str() == text);
}

BOOST_AUTO_TEST_CASE(the_memory_map_adds_up) {
  Example example;
  const std::string map = example.plan().memory_map();
  std::istringstream lines(map);
  std::string line;
  std::getline(lines, line);
  BOOST_TEST(contains(line, "offset"));
  std::size_t end = 0;
  int values = 0;
  while (std::getline(lines, line) && !line.starts_with("arena")) {
    std::istringstream words(line);
    std::size_t offset = 0;
    std::size_t bytes = 0;
    words >> offset >> bytes;
    BOOST_TEST(offset % 64 == 0u);
    end = std::max(end, offset + (bytes + 63) / 64 * 64);
    ++values;
  }
  BOOST_TEST(values > 3);
  BOOST_TEST(end > 10000u);
  std::ostringstream total;
  total.precision(1);
  total << std::fixed << "arena " << static_cast<double>(end) / 1e3 << " kB, scratch per thread ";
  BOOST_TEST(line.starts_with(total.str()), line << " should start with " << total.str());
  PlanOptions without;
  without.passes.reuse = false;
  BOOST_TEST(example.plan(without).peak_bytes() > example.plan().peak_bytes());
}

BOOST_AUTO_TEST_CASE(the_drawing_has_formulas_layers_and_what_is_written) {
  Example example;
  const std::string text = to_dot(example.plan());
  const testing::ReadDot dot = testing::read_dot(text);
  if (const auto complaints = testing::complaints_of_graphviz(text)) {
    BOOST_TEST(*complaints == "");
  }
  BOOST_TEST_CONTEXT(text) {
    const std::string first = dot.boxes.at(dot.box("matmul (128, 300) x (300, 200)"));
    BOOST_TEST(contains(first, "\nin 0 Dense\nreads argument 0, weight\n"));
    const std::string activation = dot.box("-> relu(a + b");
    BOOST_TEST(contains(dot.boxes.at(activation), "add+relu\n"));
    BOOST_TEST(contains(dot.boxes.at(activation), "in 1 ReLU\n"));
    const std::string second = dot.box("matmul (128, 200) x (200, 10)");
    BOOST_TEST(contains(dot.arrow(activation, second).value_or("none"), "(128, 200)"));
    BOOST_TEST(contains(dot.boxes.at(dot.box("writes 0.weight.second_moment,")), "0.weight.first_moment, weight\n"));
    BOOST_TEST(contains(text, "in cross_entropy, backward"));
    BOOST_TEST(contains(text, "in adam, update"));
    BOOST_TEST(dot.boxes.contains(dot.box("result 0")));
    // As many boxes as kernels, and the result.
    const std::string lines = example.plan().text();
    const auto kernels = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '#'));
    BOOST_TEST(dot.boxes.size() == kernels + 1);
  }
}

BOOST_AUTO_TEST_CASE(the_drawing_is_valid_dot) {
  Example example;
  const Variable w(Tensor{1.0, 2.0}, "w");
  const auto with_checkpoint = compile([&](const Tensor& x) {
    const auto f = checkpoint([&](const Tensor& t) { return sum(sin(exp(t * w))); });
    return grad(f(x), {x, w});
  });
  for (const Plan& plan : {example.plan(), with_checkpoint.plan(Tensor{1.0, 2.0})}) {
    const std::string dot = to_dot(plan);
    BOOST_TEST(dot.starts_with("digraph plan {\n"));
    BOOST_TEST(dot.ends_with("}\n"));
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < dot.size(); ++i) {
      quoted = quoted != (dot[i] == '"' && dot[i - 1] != '\\');
      depth += quoted ? 0 : (dot[i] == '{') - (dot[i] == '}');
      BOOST_TEST_REQUIRE(depth >= 0);
    }
    BOOST_TEST(depth == 0);
    BOOST_TEST(!quoted);
    const auto [declared, named] = nodes_of(dot);
    BOOST_TEST(!declared.empty());
    BOOST_TEST(std::includes(declared.begin(), declared.end(), named.begin(), named.end()), dot);
  }
}

BOOST_AUTO_TEST_CASE(a_profile_measures_every_kernel) {
  Example example;
  const Plan plan = example.plan();
  const std::vector<double> before = testing::elements(example.model.parameters()[0]);
  const Profile profile = plan.profile({example.images, example.labels}, 7);
  BOOST_TEST(testing::elements(example.model.parameters()[0]) != before);  // assigned each time
  BOOST_TEST(profile.repetitions == 7);
  BOOST_TEST(profile.threads == runtime::num_threads());
  BOOST_TEST(profile.seconds > 0);
  double shares = 0;
  for (const KernelTime& kernel : profile.kernels) {
    shares += kernel.share;
    BOOST_TEST(kernel.calls % 7 == 0);
    BOOST_TEST(kernel.seconds >= 0);
    BOOST_TEST(kernel.source.starts_with(kernel.name));
  }
  BOOST_TEST(shares == 1, boost::test_tools::tolerance(1e-9));
  std::map<std::uint32_t, std::int64_t> pieces;
  for (const KernelEvent& event : profile.events) {
    BOOST_TEST_REQUIRE(event.kernel < profile.kernels.size());
    BOOST_TEST(event.begin_ns <= event.end_ns);
    BOOST_TEST(event.begin_ns >= 0);
    BOOST_TEST(event.thread >= 0);
    BOOST_TEST(event.thread < profile.threads);
    ++pieces[event.kernel];
  }
  for (const auto& [kernel, count] : pieces) {  // events are those of one repetition
    BOOST_TEST(count * 7 == profile.kernels[kernel].calls);
  }
  const auto product = std::find_if(profile.kernels.begin(), profile.kernels.end(),
                                    [](const KernelTime& kernel) { return kernel.name == "matmul"; });
  BOOST_TEST_REQUIRE((product != profile.kernels.end()));
  BOOST_TEST(product->gflops * product->seconds == 2e-9 * 128 * 300 * 200, boost::test_tools::tolerance(1e-9));
  check_throws<ValueError>([&] { plan.profile({example.images, example.labels}, 0); }, {"[profile]", "1 or more"});
  check_throws<ValueError>([&] { plan.profile({example.images}); }, {"1 arguments"});
}

BOOST_AUTO_TEST_CASE(profiled_kernels_say_what_they_read_and_assign) {
  const Variable factor(random::normal(random::Key(1), {300, 200}), "factor");
  const Variable total(zeros({128, 200}), "total");
  const auto step = compile([&](const Tensor& unused, const Tensor& x) {
    const Tensor product = matmul(x, factor);
    total.assign(total + product * 2);
    return cumsum(product, 0) + unused;
  });
  const Tensor x = ones({128, 300});
  const Tensor unused = ones({});
  const Plan plan = step.plan(unused, x);
  BOOST_TEST(plan.assigned().size() == 1u);
  BOOST_TEST(plan.assigned().front().same_as(total));
  const Profile profile = plan.profile({unused, x}, 2);
  std::uint32_t product = 0, writers = 0, readers = 0;
  for (std::uint32_t i = 0; i < profile.kernels.size(); ++i) {
    product = profile.kernels[i].name == "matmul" ? i : product;
  }
  const KernelTime& matmul = profile.kernels[product];
  BOOST_TEST(contains(matmul.computes, "(128, 300) x (300, 200)"));
  BOOST_TEST(matmul.arguments == std::vector<std::uint32_t>{1}, boost::test_tools::per_element());
  BOOST_TEST_REQUIRE(matmul.variables.size() == 1u);
  BOOST_TEST(matmul.variables.front().same_as(factor));
  for (const KernelTime& kernel : profile.kernels) {
    readers += static_cast<std::uint32_t>(std::count(kernel.reads.begin(), kernel.reads.end(), product));
    for (const Variable& variable : kernel.variables) {
      writers += variable.same_as(total) ? 1 : 0;
    }
  }
  BOOST_TEST(readers >= 1u);
  BOOST_TEST(writers == 1u);
}

BOOST_AUTO_TEST_CASE(the_table_of_a_profile_begins_with_the_slowest) {
  Example example;
  const Profile profile = example.plan().profile({example.images, example.labels}, 3);
  const std::string table = to_string(profile);
  std::istringstream lines(table);
  std::string line;
  std::getline(lines, line);
  BOOST_TEST(contains(line, "share"));
  double last = std::numeric_limits<double>::infinity();
  std::size_t rows = 0;
  while (std::getline(lines, line) && !contains(line, "per run")) {
    const double microseconds = std::stod(line);
    BOOST_TEST(microseconds <= last);
    last = microseconds;
    ++rows;
  }
  BOOST_TEST(rows == profile.kernels.size());
  BOOST_TEST(contains(line, "mean of 3 runs"));
}

BOOST_AUTO_TEST_CASE(a_chrome_trace_is_json_with_the_keys_that_viewers_need) {
  Example example;
  const Profile profile = example.plan().profile({example.images, example.labels}, 2);
  const std::string path = (std::filesystem::temp_directory_path() / "xgrad_chrome_trace_test.json").string();
  profile.write_chrome_trace(path);
  std::ifstream file(path);
  const nlohmann::json trace = nlohmann::json::parse(file);
  std::remove(path.c_str());
  const auto& events = trace.at("traceEvents");
  BOOST_TEST(events.size() == profile.events.size());
  for (const auto& event : events) {
    BOOST_TEST(event.at("ph") == "X");
    BOOST_TEST(event.at("name").is_string());
    BOOST_TEST(event.at("cat") == "kernel");
    BOOST_TEST(event.at("ts").get<double>() >= 0);
    BOOST_TEST(event.at("dur").get<double>() >= 0);
    BOOST_TEST(event.at("pid").is_number_integer());
    BOOST_TEST(event.at("tid").is_number_integer());
    BOOST_TEST(event.at("args").at("source").is_string());
  }
  check_throws<FileError>([&] { profile.write_chrome_trace("/nowhere/trace.json"); }, {"/nowhere/trace.json"});
  const Profile quoted{{{"say \"hi\"", "say \"hi\" at a\\b.cpp:1", 1, 1.0, 1.0, 0.0, 0.0}}, {{0, 0, 0, 10}}, 1.0, 1, 1};
  quoted.write_chrome_trace(path);
  std::ifstream again(path);
  BOOST_TEST(nlohmann::json::parse(again).at("traceEvents").at(0).at("name") == "say \"hi\"");
  std::remove(path.c_str());
}

BOOST_AUTO_TEST_CASE(check_finite_names_the_operation_at_fault) {
  const auto step = compile([](const Tensor& x) { return sum(log(x - 1.0) * 2.0); },
                            {.plan = {.check_finite = true, .verify = true}});
  BOOST_TEST(step(Tensor{2.0, 3.0}).item() == 2 * std::log(2), boost::test_tools::tolerance(1e-15));
  check_throws<ValueError>([&] { step(Tensor{2.0, 1.0}); }, {"[log]", "NaN or infinite", "reports.cpp:"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
