#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/datasets/temporary_folder.hpp"
#include "tests/golden/comparison.hpp"

BOOST_AUTO_TEST_SUITE(golden_verdicts)

namespace {

using nlohmann::json;
using xgrad::golden::Verdict;

/// x · y, and what follows from it.
json product() {
  return json::parse(R"([{
    "op": "multiply", "attrs": {},
    "inputs": [{"shape": [2], "data": [2, 3]}, {"shape": [2], "data": [5, 7]}],
    "output": {"shape": [2], "data": [10, 21]},
    "cotangent": {"shape": [2], "data": [1, 2]},
    "vjp": [{"shape": [2], "data": [5, 14]}, {"shape": [2], "data": [2, 6]}],
    "tangents": [{"shape": [2], "data": [1, 1]}, {"shape": [2], "data": [1, -1]}],
    "jvp": {"shape": [2], "data": [7, 4]},
    "directions": [{"shape": [2], "data": [1, 0]}, {"shape": [2], "data": [0.5, 1]}],
    "vjp2": [{"shape": [2], "data": [0.5, 2]}, {"shape": [2], "data": [1, 0]}]
  }])");
}

json steps_of_sgd() {
  return json::parse(R"([{
    "optimizer": "sgd", "config": {"lr": 0.5}, "function": "(1-w0)^2 + 5(w1-w0^2)^2 + 0.1(w2 w0)^2",
    "start": [0, 0.25, 1], "trajectory": [[1, -1, 1], [-19.1, 9, 0.9]]
  }])");
}

json linear_schedule() {
  return json::parse(R"([{
    "schedule": "linear", "config": {"start_factor": 1.0, "end_factor": 0.0, "steps": 4}, "base_lr": 0.1,
    "lr": [0.1, 0.075, 0.05, 0.025, 0, 0]
  }])");
}

/// The first case of a kind of layer in the file of recurrent layers.
json recurrent(std::string_view layer) {
  std::ifstream file(std::string(XGRAD_SOURCE_ROOT) + "/tests/golden/data/recurrent.json");
  const json cases = json::parse(file);
  const auto found =
      std::find_if(cases.begin(), cases.end(), [&](const json& entry) { return entry["layer"] == layer; });
  return json::array({*found});
}

std::vector<Verdict> compare_text(const std::string& text) {
  const xgrad::testing::TemporaryFolder folder;
  const auto path = folder.folder / "cases.json";
  xgrad::testing::write_bytes(path, text);
  return xgrad::golden::compare_file(path);
}

void check_agrees(const json& cases) {
  for (const Verdict& verdict : compare_text(cases.dump())) {
    BOOST_TEST(verdict.agrees(), verdict.subject << ": " << verdict.disagreement);
  }
}

/// Whether there is one verdict, on one line, which says \p part.
void check_disagrees(const std::string& text, std::string_view part) {
  const std::vector<Verdict> verdicts = compare_text(text);
  BOOST_TEST_REQUIRE(verdicts.size() == 1);
  const std::string& disagreement = verdicts[0].disagreement;
  BOOST_TEST(disagreement.find(part) != std::string::npos, "`" << disagreement << "` should contain `" << part << "`");
  BOOST_TEST(disagreement.find('\n') == std::string::npos);
}

using Change = std::function<void(json& entry)>;

void check_disagrees(json cases, const Change& change, std::string_view part) {
  change(cases[0]);
  check_disagrees(cases.dump(), part);
}

}  // namespace

BOOST_AUTO_TEST_CASE(right_values_agree) {
  check_agrees(product());
  check_agrees(steps_of_sgd());
  check_agrees(linear_schedule());
}

BOOST_AUTO_TEST_CASE(each_number_counts) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"/inputs/0/data/0", "value"},       {"/inputs/1/data/1", "value"},
      {"/output/data/0", "value"},         {"/cotangent/data/0", "vjp[0]"},
      {"/vjp/0/data/1", "vjp[0]"},         {"/vjp/1/data/0", "vjp[1]"},
      {"/tangents/1/data/0", "jvp"},       {"/jvp/data/0", "jvp"},
      {"/directions/0/data/0", "vjp2[1]"}, {"/vjp2/0/data/0", "vjp2[0]"},
      {"/directions/1/data/0", "vjp2[0]"}, {"/vjp2/1/data/0", "vjp2[1]"},
  };
  for (const auto& [number, part] : changes) {
    const auto nudge = [&](json& entry) {
      json& x = entry[json::json_pointer(number)];
      x = x.get<double>() * (1 + 1e-7);
    };
    check_disagrees(product(), nudge, part + " ");
  }
  check_disagrees(
      steps_of_sgd(), [](json& entry) { entry["trajectory"][1][2] = 0.91; }, "step 2 ");
  check_disagrees(
      steps_of_sgd(), [](json& entry) { entry["config"]["lr"] = 0.4; }, "step 1 ");
  check_disagrees(
      linear_schedule(), [](json& entry) { entry["lr"][5] = 1e-9; }, "learning rate ");
}

BOOST_AUTO_TEST_CASE(each_number_of_a_recurrent_layer_counts) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"/output/data/0", ": output "},
      {"/hn/data/1", ": hn "},
      {"/cn/data/2", ": cn "},
      {"/output/data/3", ", compiled output "},
      {"/input/data/0", "grads.weight_ih_l0 "},
      {"/h0/data/0", "grads.weight_hh_l0 "},
      {"/c0/data/0", "grads.c0 "},
      {"/weights/weight_ih_l0/data/5", "output "},
      {"/weights/bias_hh_l0/data/5", "output "},
      {"/cotangent/data/0", "grads.input "},
      {"/grads/input/data/0", ": grads.input "},
      {"/grads/h0/data/0", ": grads.h0 "},
      {"/grads/weight_hh_l0/data/7", ": grads.weight_hh_l0 "},
      {"/grads/bias_ih_l0/data/7", ", compiled grads.bias_ih_l0 "},
      {"/directions/weight_ih_l0/data/3", ": vjp2 "},
      {"/vjp2/data/0", ", compiled vjp2 "},
  };
  check_agrees(recurrent("lstm"));
  for (const auto& [number, part] : changes) {
    const auto nudge = [&](json& entry) {
      json& x = entry[json::json_pointer(number)];
      x = x.get<double>() + 1e-6;
    };
    check_disagrees(recurrent("lstm"), nudge, part);
  }
}

BOOST_AUTO_TEST_CASE(recurrent_layers_are_read_strictly) {
  check_disagrees(
      recurrent("gru"), [](json& entry) { entry["layer"] = "mamba"; }, "[mamba] the layer is not known");
  check_disagrees(
      recurrent("gru"), [](json& entry) { entry["layer"] = "lstm"; }, "[load_torch_state]");
  check_disagrees(
      recurrent("rnn_tanh"), [](json& entry) { entry["layer"] = "rnn_relu"; }, "compiled output ");
  check_disagrees(
      recurrent("gru"), [](json& entry) { entry["layers"] = 2; }, "`layers` is not known");
  check_disagrees(
      recurrent("gru"),
      [](json& entry) {
        entry["lengths"] = {5, 3};
      },
      "[gru] lengths have shape (2,)");
  check_disagrees(
      recurrent("gru"),
      [](json& entry) {
        entry["lengths"] = {5, 3, 6};
      },
      "[gru] the length of sample 2");
  check_disagrees(
      recurrent("gru"), [](json& entry) { entry["grads"].erase("h0"); }, "[grads] should have an array like each");
  check_disagrees(
      recurrent("gru"), [](json& entry) { entry["directions"]["c0"] = entry["h0"]; }, "[directions] should have");
  check_disagrees(
      recurrent("lstm"), [](json& entry) { entry["cn"] = nullptr; }, "should have `hn`, and for an lstm `cn`");
  const json cases = recurrent("gru");
  for (const char* key : {"input_size", "batch_first", "lengths", "weights", "input", "output", "cotangent", "grads",
                          "directions", "vjp2"}) {
    check_disagrees(
        cases, [&](json& entry) { entry.erase(key); }, "`" + std::string(key) + "` is missing");
  }
}

BOOST_AUTO_TEST_CASE(a_recurrent_layer_may_begin_with_zeros_and_have_no_biases) {
  json cases = recurrent("gru");
  json& entry = cases[0];
  for (json* arrays : {&entry["weights"], &entry["grads"], &entry["directions"]}) {
    arrays->erase("bias_ih_l0");
    arrays->erase("bias_hh_l0");
    arrays->erase("h0");
  }
  entry["h0"] = nullptr;
  check_disagrees(cases.dump(), "relative error");  // computed, and other numbers than with what is gone
}

BOOST_AUTO_TEST_CASE(shapes_and_dtypes_count) {
  check_disagrees(
      product(),
      [](json& entry) {
        entry["output"]["shape"] = {2, 1};
      },
      "value has shape (2,), not (2, 1)");
  check_disagrees(
      product(), [](json& entry) { entry["output"]["dtype"] = "int64"; }, "value is float64, not int64");
  check_disagrees(
      product(), [](json& entry) { entry["inputs"][0]["data"] = {2}; }, "elements of shape (2,)");
  check_disagrees(
      product(), [](json& entry) { entry["vjp"][0] = nullptr; }, "[vjp] should have an array");
  check_disagrees(
      product(), [](json& entry) { entry["vjp"].erase(1); }, "[vjp] should have an array");
}

BOOST_AUTO_TEST_CASE(what_is_not_known_disagrees) {
  check_disagrees(
      product(), [](json& entry) { entry["op"] = "convolve"; }, "[convolve] the op is not known");
  check_disagrees(
      product(), [](json& entry) { entry["op"] = "exp"; }, "[exp] takes 1 inputs, the case has 2");
  check_disagrees(
      product(), [](json& entry) { entry["attrs"]["alpha"] = 2; }, "`alpha` is not known");
  check_disagrees(
      product(), [](json& entry) { entry["jvp2"] = 0; }, "`jvp2` is not known");
  check_disagrees(
      steps_of_sgd(), [](json& entry) { entry["optimizer"] = "gradient_flow"; }, "the optimizer is not known");
  check_disagrees(
      steps_of_sgd(), [](json& entry) { entry["config"]["rho"] = 1; }, "`rho` is not known");
  check_disagrees(
      steps_of_sgd(), [](json& entry) { entry["function"] = "w0"; }, "the function is not known");
  check_disagrees(
      linear_schedule(), [](json& entry) { entry["schedule"] = "sawtooth"; }, "the schedule is not known");
}

BOOST_AUTO_TEST_CASE(attributes_of_another_type_disagree) {
  const auto with = [](const char* op, const json& attributes) {
    json cases = product();
    cases[0]["op"] = op;
    cases[0]["inputs"].erase(1);
    cases[0]["attrs"] = attributes;
    for (const char* key : {"vjp", "tangents", "directions", "vjp2"}) {
      cases[0][key].erase(1);
    }
    return cases.dump();
  };
  check_disagrees(with("gelu", {{"approximate", "cubic"}}), "`approximate` is \"cubic\", known is none, tanh");
  check_disagrees(with("gelu", {{"approximate", true}}), "`approximate` is true, should be a text");
  check_disagrees(with("elu", {{"alpha", "1"}}), "`alpha` is \"1\", should be a number");
  check_disagrees(with("sum", {{"keepdims", 1}}), "`keepdims` is 1, should be true or false");
  check_disagrees(with("sum", {{"axes", 0.5}}), "[axes] should be a list of integers");
  check_disagrees(with("expand_dims", {{"axis", 0.5}}), "[axis] should be an integer, is 0.5");
  check_disagrees(with("expand_dims", json::object()), "`axis` is missing");
  check_disagrees(with("expand_dims", {{"axis", 7}}), "[expand_dims]");
}

BOOST_AUTO_TEST_CASE(missing_keys_disagree) {
  const json cases = product();
  for (const auto& [key, value] : cases[0].items()) {
    check_disagrees(
        product(), [&](json& entry) { entry.erase(key); }, "`" + key + "` is missing");
  }
}

BOOST_AUTO_TEST_CASE(broken_files_disagree) {
  check_disagrees("", "parse error");
  check_disagrees(product().dump().substr(1), "parse error");
  check_disagrees("{}", "should be a list of cases");
  check_disagrees("[7]", "should be an object, is 7");
  BOOST_TEST(compare_text("[]").empty());
  BOOST_TEST(!xgrad::golden::compare_file("no_such_folder/unary.json").at(0).agrees());
}

BOOST_AUTO_TEST_SUITE_END()
