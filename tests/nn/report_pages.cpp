#include "nn/report/report.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "nn/nn.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"
#include "report.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_report_pages)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::count_of;
using testing::full_record;
using testing::has;
using testing::not_a_number;
using testing::scores;

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

BOOST_AUTO_TEST_CASE(records_survive_json) {
  const nn::RunRecord run = full_record();
  const std::string text = run.json();
  BOOST_TEST(nn::RunRecord::from_json(text).json() == text);
  const auto json = nlohmann::json::parse(text);
  BOOST_TEST(json["schema"] == "xgrad-run");
  BOOST_TEST(json["version"] == 1);
  BOOST_TEST(json["epochs"][0]["validation_loss"].get<double>() == 1 / 3.);
  BOOST_TEST(json["epochs"][1]["loss"].get<double>() == 1e-300);
  BOOST_TEST(json["epochs"][1]["validation_loss"].is_null());
  nn::RunRecord odd = run;  // a score of that name does not take the number's place
  odd.epochs[1].set("epoch", 0.5);
  BOOST_TEST(nlohmann::json::parse(odd.json())["epochs"][1]["epoch"] == 2);
  BOOST_TEST(json["classification"]["counts"].get<std::vector<int>>() == (std::vector<int>{3, 1, 2, 4}),
             boost::test_tools::per_element());
  const nn::RunRecord back = nn::RunRecord::from_json(text);
  BOOST_TEST(std::isnan(back.weights[0].updates[0]));
  BOOST_TEST(back.step.kernels[0].gflops == 1.5);
  BOOST_TEST(nn::detail::runs_of_page(nn::detail::page_json({run, back}))[1].json() == text);
  check_throws<ValueError>([] { nn::RunRecord::from_json("{\"schema\":\"xgrad-run\",\"version\":99}"); },
                           {"[read_runs] ", "version 99"});
  check_throws<ValueError>([] { nn::RunRecord::from_json("{\"version\":1}"); }, {"schema"});
  check_throws<ValueError>([] { nn::RunRecord::from_json("[1, 2"); }, {"[read_runs] "});
}

BOOST_AUTO_TEST_CASE(names_are_text_and_nothing_else) {
  const std::string hostile = "</script><script>alert(1)</script><img src=x onerror='alert(2)'>\" & \x01\xff\xc3\xa9";
  nn::RunRecord run = full_record();
  run.title = run.command = run.seed = run.stopped = hostile;
  run.machine.cpu = run.machine.blas = run.machine.kernels = hostile;
  run.options = {{hostile, hostile}};
  run.epochs.front().set(hostile, 1);
  run.weights.front().name = run.units.front().layer = run.classification.data = hostile;
  run.classification.classes = {hostile, hostile};
  run.classification.mistakes.front().png = hostile;
  run.network.input = hostile;
  run.network.layers.front() = {hostile, hostile, hostile, 1, 1};
  run.step.kernels.front().layer = run.step.kernels.front().name = run.step.kernels.front().computes = hostile;
  run.step.memory_map = hostile;
  for (const std::vector<nn::RunRecord>& runs : {std::vector{run}, std::vector{run, run}}) {
    const std::string page = nn::report_page(runs);
    BOOST_TEST(!has(page, "<script>"));
    BOOST_TEST(count_of(page, "<script") == 1u);
    BOOST_TEST(count_of(page, "</script") == 1u);
    BOOST_TEST(!has(page, "<img src=x"));
    BOOST_TEST(!has(page, "\x01"));
    BOOST_TEST(!has(page, "\xff"));
    BOOST_TEST(has(page, "&lt;/script&gt;&lt;script&gt;alert(1)"));
    BOOST_TEST(has(page, "é"));
  }
  testing::TemporaryFolder place;
  nn::write_report(place.folder / "a.html", run);
  const nn::RunRecord back = nn::read_runs(place.folder / "a.html").front();
  BOOST_TEST(back.classification.classes.front().starts_with("</script><script>alert(1)</script>"));
}

BOOST_AUTO_TEST_CASE(a_page_needs_nothing_else) {
  const std::string page = nn::report_page({full_record()});
  BOOST_TEST(page.starts_with("<!DOCTYPE html>"));
  for (const char* id : {"glance", "curves", "classification", "weights", "network", "time"}) {
    BOOST_TEST(has(page, "<section id=\"" + std::string(id) + "\">"));
    BOOST_TEST(has(page, "<a href=\"#" + std::string(id) + "\">"));
  }
  BOOST_TEST(!has(page, "http://"));
  BOOST_TEST(!has(page, "https://"));
  BOOST_TEST(!has(page, "<link"));
  BOOST_TEST(has(page, "prefers-color-scheme:dark"));
  BOOST_TEST(count_of(page, "<svg") == count_of(page, "role=\"img\" aria-label=\""));
  BOOST_TEST(has(page, "somebody said so"));
  BOOST_TEST(has(page, "a CPU; 4 processors; 2 threads"));
  BOOST_TEST(has(page, "data:image/png;base64,aGVsbG8="));

  const std::string empty = nn::report_page({nn::RunRecord()});  // nothing to say: no sections but the first
  BOOST_TEST(count_of(empty, "<section") == 1u);
}

BOOST_AUTO_TEST_CASE(of_several_runs_only_what_differs_is_shown) {
  nn::RunRecord a = full_record();
  a.running = false;
  a.options = {{"batch_size", "64"}, {"learning_rate", "0.1"}, {"momentum", "0.9"}};
  nn::RunRecord b = a;
  b.title = "another";
  b.options = {{"batch_size", "64"}, {"learning_rate", "0.2"}};
  const std::string page = nn::report_page({a, b});
  BOOST_TEST(has(page, "Options that differ"));
  BOOST_TEST(has(page, "<th scope=\"row\">learning_rate</th><td>0.1</td><td>0.2</td>"));
  BOOST_TEST(has(page, "<th scope=\"row\">momentum</th><td>0.9</td><td></td>"));
  BOOST_TEST(!has(page, "<th scope=\"row\">batch_size</th>"));
  BOOST_TEST(has(page, "another, validation"));
  BOOST_TEST(has(page, "<section id=\"time-2\">"));
}

BOOST_AUTO_TEST_CASE(one_epoch_and_many_fit_on_a_page) {
  nn::RunRecord run;
  run.epochs = {scores(0.5, 0.6)};
  const std::string one = nn::report_page({run});
  BOOST_TEST(has(one, "<circle class=\"dot k0\""));
  BOOST_TEST(has(one, "<circle class=\"dot k1\""));
  run.epochs.clear();
  for (int i = 0; i < 20000; ++i) {
    run.epochs.push_back(scores(1.0 / (1 + i), 1.5 / (1 + i)));
  }
  run.epochs.resize(200);
  BOOST_TEST(nn::report_page({run}).size() < 400'000u);
  BOOST_TEST(has(nn::report_page({run}), "(logarithmic)"));
  BOOST_TEST(run.best_epoch() == 199);
}

BOOST_AUTO_TEST_CASE(a_score_may_be_of_some_epochs_alone) {
  nn::RunRecord run;
  for (int epoch = 1; epoch <= 10; ++epoch) {
    run.epochs.emplace_back().set("loss", 2 - 0.1 * epoch);
  }
  run.epochs[2].set("validation_loss", 0.9);
  run.epochs[5].set("validation_loss", 0.5);
  run.epochs[8].set("validation_loss", 0.6);
  BOOST_TEST(run.best_by() == "validation_loss");
  BOOST_TEST(run.best_epoch() == 5);
  const nn::RunRecord back = nn::RunRecord::from_json(run.json());
  BOOST_TEST(!back.epochs[0].contains("validation_loss"));
  const std::string page = nn::report_page({back});
  BOOST_TEST(!has(page, "class=\"bad\""));
  BOOST_TEST(!has(page, "diverged"));
  // Epoch e of 10 is at 54 + (e - 1) / 9 * 392.
  const std::size_t line = page.find("<path class=\"line k1\" d=\"M141.1 ");
  BOOST_REQUIRE(line != std::string::npos);
  const std::string path = page.substr(line, page.find("/>", line) - line);
  BOOST_TEST(has(path, "L271.8 "));
  BOOST_TEST(has(path, "L402.4 "));
  BOOST_TEST(count_of(path, "M") == 1u);
  BOOST_TEST(has(page, "<th scope=\"row\">2</th><td>1.8</td><td>–</td>"));
  BOOST_TEST(has(page, "<th scope=\"row\">3</th><td>1.7</td><td>0.9</td>"));
  BOOST_TEST(has(page, "validation: from 0.9 in epoch 3 to 0.6 in epoch 9, between 0.5 and 0.9"));

  nn::RunRecord late;  // of a loop that begins to tell its loss in the second epoch
  late.epochs.emplace_back().set("accuracy", 0.5);
  late.epochs.push_back(scores(2, 3));
  late.epochs.push_back(scores(1, 2));
  BOOST_TEST(!has(nn::report_page({late}), "class=\"bad\""));
  BOOST_TEST(!has(nn::report_page({late}), "not a finite number"));
}

BOOST_AUTO_TEST_CASE(words_on_losses_hold_for_all_epochs) {
  const auto page_of = [](const std::vector<std::pair<int, double>>& validation, int epochs) {
    nn::RunRecord run;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      run.epochs.emplace_back().set("loss", 2.0 / epoch);
    }
    for (const auto& [epoch, loss] : validation) {
      run.epochs[static_cast<std::size_t>(epoch - 1)].set("validation_loss", loss);
    }
    return nn::report_page({run});
  };
  BOOST_TEST(has(page_of({{2, 1}, {4, 0.5}, {6, 0.7}, {8, 0.75}}, 9), "least in epoch 4 and has risen by 50.0\u00a0%"));
  BOOST_TEST(has(page_of({{2, 1}, {4, 0.9}, {6, 0.8}, {8, 0.7}}, 8), "least in the last epoch: "));
  BOOST_TEST(has(page_of({{2, 1}, {4, 0.9}, {6, 0.8}, {8, 0.7}}, 9), "least in the last epoch that has one: "));

  const auto page_of_losses = [](const std::vector<double>& losses) {
    nn::RunRecord run;
    for (const double loss : losses) {
      run.epochs.emplace_back().set("loss", loss);
    }
    return nn::report_page({run});
  };
  const std::string back = page_of_losses({3, not_a_number, not_a_number, 2, 1});
  BOOST_TEST(has(back, "not a finite number in epoch 2 and 1 more, and is one again in the end"));
  BOOST_TEST(!has(back, "diverged"));
  BOOST_TEST(
      has(page_of_losses({not_a_number, 3, not_a_number, not_a_number}), "from epoch 3 on: training has diverged"));
}

BOOST_AUTO_TEST_CASE(every_value_is_seen) {
  const nn::detail::LineChart chart{
      .title = "a", .series = {{.name = "b", .values = {1, not_a_number, {}, 2, {}, infinity, not_a_number, 3}}}};
  const std::string html = chart.html();
  BOOST_TEST(count_of(html, "<circle class=\"dot k0\" cx=\"") - count_of(html, "r=\"3.5\"") == 3u);
  BOOST_TEST(count_of(html, "class=\"bad\"") == 2u);  // one for each gap
  BOOST_TEST(!has(html, "<path class=\"line"));
  BOOST_TEST(count_of(html, "<td>not finite</td>") == 3u);
  BOOST_TEST(count_of(html, "<td>–</td>") == 2u);
  nn::detail::EpochValues many;  // of which a few are drawn, with the least and the largest
  for (int i = 0; i < 30000; ++i) {
    many.push_back(i % 3 == 0 ? std::optional(i == 15000 ? 9.0 : i == 21000 ? -5.0 : std::sin(i)) : std::nullopt);
  }
  const std::string drawn = nn::detail::LineChart{.title = "a", .series = {{.name = "b", .values = many}}}.html();
  const std::size_t begin = drawn.find("<path class=\"line k0\"");
  const std::string path = drawn.substr(begin, drawn.find("/>", begin) - begin);
  BOOST_TEST(count_of(path, "L") > 300u);
  BOOST_TEST(count_of(path, "L") < 600u);
  BOOST_TEST(has(drawn, "between -5 and 9"));
  BOOST_TEST(has(path, "L250.0 "));  // epoch 15001 of 30000
}

BOOST_AUTO_TEST_CASE(numbers_are_not_rounded_to_what_they_are_not) {
  using nn::detail::duration_text;
  using nn::detail::number_text;
  BOOST_TEST(number_text(0.99996) == "0.99996");
  BOOST_TEST(number_text(-1.00002) == "-1.00002");
  BOOST_TEST(number_text(1999.96) == "1999.96");
  BOOST_TEST(number_text(99999.7) == "99999.7");
  BOOST_TEST(number_text(0.123456) == "0.1235");
  BOOST_TEST(number_text(123456) == "123456");
  BOOST_TEST(number_text(0.1 * 3 / 0.3) == "1");  // 1.0000000000000002
  BOOST_TEST(number_text(0) == "0");
  BOOST_TEST(number_text(infinity) == "–");
  BOOST_TEST(duration_text(0.9994) == "999 ms");
  BOOST_TEST(duration_text(0.9997) == "1 s");
  BOOST_TEST(duration_text(0.9997e-3) == "1 ms");
  BOOST_TEST(duration_text(0.9994e-3) == "999 µs");
  BOOST_TEST(duration_text(std::nextafter(0.9995, 0)) != "1e+03 ms");
  BOOST_TEST(duration_text(std::nextafter(0.9995e-3, 0)) != "1e+03 µs");
}

BOOST_AUTO_TEST_CASE(a_run_is_in_an_epoch_that_there_is) {
  nn::RunRecord run;
  run.running = true;
  run.planned_epochs = 3;
  run.epochs.resize(2);
  BOOST_TEST(has(nn::report_page({run}), "runs: epoch 3 of 3<"));
  run.epochs.resize(3);  // the last epoch is over, and the run not quite
  BOOST_TEST(has(nn::report_page({run}), "runs: epoch 3 of 3<"));
  run.planned_epochs = 0;  // nobody knows
  BOOST_TEST(has(nn::report_page({run}), "runs: epoch 4<"));
}

BOOST_AUTO_TEST_CASE(a_hundred_classes_fit_on_a_page) {
  nn::RunRecord run;
  nn::Classification& c = run.classification;
  for (int i = 0; i < 100; ++i) {
    c.classes.push_back("class " + std::to_string(i));
    for (int j = 0; j < 100; ++j) {
      c.counts.push_back(i == j ? 80 : (i * 7 + j * 3) % 5 == 0 ? 1 : 0);
    }
  }
  c.counts[1 * 100 + 3] = 9;
  const std::string page = nn::report_page({run});
  BOOST_TEST(page.size() < 1'000'000u);
  BOOST_TEST(has(page, "<th scope=\"row\">class 1</th><td>class 3</td><td>9</td>"));
}

BOOST_AUTO_TEST_CASE(calibration_is_as_defined) {
  // Confidences 0.95, 0.95, 0.65, 0.55, of which the second and the last are wrong.
  const Tensor probabilities = xt::xarray<double>{{0.95, 0.05}, {0.95, 0.05}, {0.35, 0.65}, {0.55, 0.45}};
  const datasets::Dataset data(zeros({4, 3}), Tensor{0, 1, 1, 1});
  const nn::Classification c = nn::classify(probabilities, data, {.class_names = {"no"}});
  BOOST_TEST(c.calibration_error == (2 * std::abs(0.5 - 0.95) + std::abs(1 - 0.65) + std::abs(0 - 0.55)) / 4,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.classes == (std::vector<std::string>{"no", "1"}), boost::test_tools::per_element());
  BOOST_TEST(c.mistakes.size() == 2u);
  BOOST_TEST(c.mistakes[0].sample == 1);
  BOOST_TEST(c.mistakes[0].confidence == 0.95);
  BOOST_TEST(c.mistakes[0].png.empty());
  // Logits say the same as their probabilities.
  const nn::Classification same = nn::classify(log(probabilities) + 3, data);
  BOOST_TEST(same.calibration_error == c.calibration_error, boost::test_tools::tolerance(1e-9));
  check_throws<ShapeError>([&] { nn::classify(ones({3, 2}), data); }, {"[classify] ", "(3, 2)", "report_pages.cpp:"});
}

BOOST_AUTO_TEST_CASE(logits_may_be_infinite) {
  // Confidences 1/2, 1, 1, of which the second alone is right.
  const Tensor logits =
      xt::xarray<double>{{infinity, 0, infinity}, {-infinity, 2, -infinity}, {0, infinity, -infinity}};
  const datasets::Dataset data(zeros({3, 3}), Tensor{1, 1, 0});
  const nn::Classification c = nn::classify(logits, data);
  BOOST_TEST(c.calibration_error == (0.5 + 2 * 0.5) / 3, boost::test_tools::tolerance(1e-12));
  BOOST_REQUIRE(c.mistakes.size() == 2u);
  BOOST_TEST(c.mistakes[0].sample == 2);
  BOOST_TEST(c.mistakes[0].confidence == 1);
  BOOST_TEST(c.mistakes[1].confidence == 0.5);
  nn::RunRecord run;
  run.classification = c;
  BOOST_TEST(!has(nn::report_page({run}), "nan"));
  const Tensor nothing = xt::xarray<double>{{0, 1, 2}, {-infinity, -infinity, -infinity}, {0, 1, 2}};
  check_throws<ValueError>([&] { nn::classify(nothing, data); }, {"[classify] ", "row 1", "report_pages.cpp:"});
  const Tensor no_number = xt::xarray<double>{{0, 1, 2}, {0, not_a_number, 0}, {0, 1, 2}};
  check_throws<ValueError>([&] { nn::classify(no_number, data); }, {"NaN", "row 1"});
}

BOOST_AUTO_TEST_CASE(updates_and_dead_units_are_as_defined) {
  const nn::Sequential model(nn::Dense(2, 2), nn::ReLU());
  const nn::Variables variables = model.parameters();
  variables[0].assign(Tensor(xt::xarray<float>{{3, 0}, {0, 4}}));
  variables[1].assign(Tensor(xt::xarray<float>{0, -100}));  // the second unit is below 0 whatever comes
  nn::LayerProbe probe(model, Tensor(xt::xarray<float>{{1, 1}, {2, 2}}));
  nn::RunRecord run;
  run.epochs.emplace_back();
  probe.after_epoch(run);  // of a step that was not looked at
  BOOST_TEST(run.weights[0].norms[0] == 5);
  BOOST_TEST(std::isnan(run.weights[0].updates[0]));
  BOOST_TEST(run.units[0].dead[0] == 0.5);
  run.epochs.emplace_back();
  probe.before_step();
  variables[0].assign(Tensor(xt::xarray<float>{{0, 0}, {0, 4}}));
  probe.after_epoch(run);
  BOOST_TEST(run.weights[0].norms[1] == 4);
  BOOST_TEST(run.weights[0].updates[1] == 0.75);
  BOOST_TEST(run.units[0].dead[1] == 1);
}

BOOST_AUTO_TEST_CASE(axes_have_round_numbers) {
  const auto near = [](const nn::detail::Ticks& ticks, const std::vector<double>& expected) {
    bool all = ticks.at.size() == expected.size();
    for (std::size_t i = 0; all && i < expected.size(); ++i) {
      all = std::abs(ticks.at[i] - expected[i]) <= 1e-12 * std::abs(expected[i]);
    }
    return all;
  };
  BOOST_TEST(near(nn::detail::linear_ticks(0.13, 0.51), {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}));
  BOOST_TEST(near(nn::detail::linear_ticks(-3, 12), {-4, -2, 0, 2, 4, 6, 8, 10, 12}));
  BOOST_TEST(near(nn::detail::linear_ticks(1, 10, true), {2, 4, 6, 8, 10}));
  BOOST_TEST(near(nn::detail::logarithmic_ticks(0.003, 0.2), {0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2}));
  BOOST_TEST(near(nn::detail::logarithmic_ticks(2e-5, 30), {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100}));
  for (const double value : {0.0, 1e-30, 1e-3, 1.0, 7e30}) {  // of one value, too
    for (const nn::detail::Ticks& ticks :
         {nn::detail::linear_ticks(value, value), nn::detail::logarithmic_ticks(value + 1e-9, value + 1e-9)}) {
      BOOST_TEST(ticks.first < ticks.last);
      BOOST_TEST(ticks.at.size() >= 2u);
      BOOST_TEST(ticks.at.size() <= 12u);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
