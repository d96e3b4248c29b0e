#include "nn/saved.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_saved)

namespace nn_saved {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

struct Files : testing::TemporaryFolder {
  std::filesystem::path at = folder / "run.safetensors";

  nn::Saved through_a_file(const nn::Saved& saved) const {
    nn::write_saved(at, saved);
    return nn::read_saved(at);
  }
};

// An object of the user's.
struct Counter {
  int count = 0;
  std::string word;

  void save(nn::Saved& saved) const {
    saved.put("count", count);
    saved.put("word", word);
  }
  void load(const nn::Saved& saved) {
    saved.load("count", count);
    saved.load("word", word);
  }
};

}  // namespace nn_saved

using namespace nn_saved;

BOOST_FIXTURE_TEST_CASE(numbers_and_texts_come_back_as_they_were, Files) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  nn::Saved saved;
  saved.put("least", std::numeric_limits<std::int64_t>::min());
  saved.put("most", std::numeric_limits<std::int64_t>::max());
  saved.put("yes", true);
  saved.put("tenth", 0.1);
  saved.put("third", 1.0F / 3);
  saved.put("three", 3.0);
  saved.put("minus zero", -0.0);
  saved.put("tiny", 5e-324);
  saved.put("huge", std::numeric_limits<double>::max());
  saved.put("inf", inf);
  saved.put("-inf", -inf);
  saved.put("nan", std::nan(""));
  saved.put("text", "\"quoted\"\n\tüñ\\");
  saved.put("empty", std::string());
  const nn::Saved found = through_a_file(saved);
  BOOST_TEST(found.integer("least") == std::numeric_limits<std::int64_t>::min());
  BOOST_TEST(found.integer("most") == std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(found.number("tenth") == 0.1);
  BOOST_TEST(found.number("three") == 3);
  BOOST_TEST(std::signbit(found.number("minus zero")));
  BOOST_TEST(found.number("tiny") == 5e-324);
  BOOST_TEST(found.number("huge") == std::numeric_limits<double>::max());
  BOOST_TEST(found.number("inf") == inf);
  BOOST_TEST(found.number("-inf") == -inf);
  BOOST_TEST(std::isnan(found.number("nan")));
  BOOST_TEST(found.text("text") == "\"quoted\"\n\tüñ\\");
  BOOST_TEST(found.text("empty").empty());
  bool yes = false;
  float third = 0;
  found.load("yes", yes);
  found.load("third", third);
  BOOST_TEST(yes);
  BOOST_TEST(third == 1.0F / 3);
}

BOOST_FIXTURE_TEST_CASE(whole_objects_come_back, Files) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  nn::Sequential model(nn::Dense(2, 3), nn::BatchNorm(3));
  nn::Adam adam(model.parameters());
  nn::ExponentialMovingAverage average(model.parameters());
  nn::GradientAccumulator gradients(model.parameters());
  adam.minimize(sum(model(ones({4, 2}))));
  average.update();
  gradients.add(sum(square(model(ones({4, 2})))), 4);
  nn::Saved part;
  part.put("a", 1);

  nn::Saved saved;
  saved.put("model", model);
  saved.put("adam", adam);
  saved.put("average", average);
  saved.put("gradients", gradients);
  saved.put("w", w);
  saved.put("tensor", w * 2);
  saved.put("array", (w * 3).array());
  saved.put("state", nn::State{{"x", ones({1}).array()}});
  saved.put("counter", Counter{3, "three"});
  saved.put("part", part);
  const nn::Saved found = through_a_file(saved);

  nn::Sequential other = model.clone();
  other.initialize(random::Key(9));
  nn::Adam adam_of_other(other.parameters(), {.learning_rate = 7});
  nn::ExponentialMovingAverage average_of_other(other.parameters());
  nn::GradientAccumulator gradients_of_other(other.parameters());
  found.load("model", other);
  found.load("adam", adam_of_other);
  found.load("average", average_of_other);
  found.load("gradients", gradients_of_other);
  const auto check_same = [](const auto& a, const auto& b) {
    const nn::State x = nn::detail::state_of(a.named_variables());
    const nn::State y = nn::detail::state_of(b.named_variables());
    BOOST_TEST(x.size() == y.size());
    for (const auto& [name, array] : x) {
      BOOST_TEST((elements(Tensor(array)) == elements(Tensor(y.at(name)))), name);
    }
  };
  check_same(model, other);
  check_same(adam, adam_of_other);
  check_same(average, average_of_other);
  check_same(gradients, gradients_of_other);
  BOOST_TEST(adam_of_other.learning_rate().item() == 0.001);

  w.assign(zeros({2}, DType::float64));
  found.load("w", w);
  check_elements(w, {2}, {1, 2});
  Tensor tensor;
  found.load("tensor", tensor);
  check_elements(tensor, {2}, {2, 4});
  Array array;
  found.load("array", array);
  check_elements(Tensor(array), {2}, {3, 6});
  nn::State state;
  found.load("state", state);
  BOOST_TEST(state.contains("x"));
  Counter counter;
  found.load("counter", counter);
  BOOST_TEST(counter.count == 3);
  BOOST_TEST(counter.word == "three");
  BOOST_TEST(found.part("part").integer("a") == 1);
}

BOOST_FIXTURE_TEST_CASE(lbfgs_goes_on_as_it_would_have, Files) {
  const auto make = [] { return Variable(Tensor{-1.2, 1.0}, "w"); };
  const auto rosenbrock = [](const Variable& w) {
    return [w] { return 100 * square(w.read()[1] - square(w.read()[0])) + square(1 - w.read()[0]); };
  };
  const Variable w = make();
  nn::LBFGS lbfgs({w}, {.max_iterations = 5});
  lbfgs.minimize(rosenbrock(w));
  nn::Saved saved;
  saved.put("lbfgs", lbfgs);
  saved.put("w", w);
  const nn::Saved found = through_a_file(saved);
  lbfgs.minimize(rosenbrock(w));

  const Variable v = make();
  nn::LBFGS other({v}, {.max_iterations = 5});
  found.load("w", v);
  found.load("lbfgs", other);
  other.minimize(rosenbrock(v));
  BOOST_TEST(elements(v) == elements(w), boost::test_tools::per_element());
  BOOST_TEST(other.evaluations() == lbfgs.evaluations());
  BOOST_TEST(other.iterations() == lbfgs.iterations());

  nn::LBFGS of_three({Variable(zeros({3}, DType::float64), "v")});
  check_throws<ShapeError>([&] { of_three.load_state(lbfgs.state()); }, {"[lbfgs] ", "direction", "saved.cpp:"});
  nn::State state = lbfgs.state();
  state.erase("scale");
  check_throws<ValueError>([&] { other.load_state(state); }, {"[lbfgs] ", "lacks 'scale'"});
  state = lbfgs.state();
  state.emplace("more", ones({}).array());
  check_throws<ValueError>([&] { other.load_state(state); }, {"[lbfgs] ", "`more`"});
}

BOOST_AUTO_TEST_CASE(metrics_keep_what_they_have_counted) {
  const auto check = [](nn::Metric whole, nn::Metric first, nn::Metric second, const Tensor& predictions,
                        const Tensor& targets) {
    nn::Saved saved;
    BOOST_TEST(first.keeps_itself());
    first.update(predictions, targets);
    first.save(saved);
    second.load(saved);
    for (const Tensor& more : {predictions, predictions * 0.5}) {
      whole.update(more, targets);
    }
    second.update(predictions * 0.5, targets);
    BOOST_TEST(whole.value() == second.value());
  };
  const Tensor scores = testing::random_tensor({9, 3});
  const Tensor labels = remainder(arange(9, DType::int64), 3);
  check(nn::Accuracy(), nn::Accuracy(), nn::Accuracy(), scores, labels);
  check(nn::F1(3), nn::F1(3), nn::F1(3), scores, labels);
  check(nn::R2(), nn::R2(), nn::R2(), scores, testing::random_tensor({9, 3}, -2, 2, 5));
  check(nn::ExplainedVariance(), nn::ExplainedVariance(), nn::ExplainedVariance(), scores,
        testing::random_tensor({9, 3}, -2, 2, 5));
  nn::Saved of_three;
  nn::F1(3).save(of_three);
  check_throws<ValueError>([&] { nn::F1(4).load(of_three); }, {"[confusion_matrix] ", "(3, 3)", "4 classes"});
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  nn::Saved saved;
  saved.put("a", 300);
  saved.put("part/b", 1.5);
  check_throws<ValueError>([&] { saved.put("a", 2); }, {"[saved] ", "`a` already", "saved.cpp:"});
  check_throws<ValueError>([&] { saved.put("part", 2); }, {"`part` already"});
  check_throws<ValueError>([&] { saved.put("", 2); }, {"empty"});
  check_throws<ValueError>([&] { saved.integer("b"); }, {"no integer `b`", "there are: a", "saved.cpp:"});
  check_throws<ValueError>([&] { saved.state("model"); }, {"no state `model`"});
  std::int8_t small = 0;
  check_throws<ValueError>([&] { saved.load("a", small); }, {"`a` is out of the range", "std::int64_t"});
  check_throws<ValueError>([&] { saved.put("large", std::uint64_t{1} << 63); }, {"`large` is out of the range"});
  nn::State none{{"x", ones({1}).array()}};
  saved.put("none", nn::State());
  saved.load("none", none);
  BOOST_TEST(none.empty());
  BOOST_TEST(saved.contains("part"));
  BOOST_TEST(!saved.contains("par"));
}

BOOST_FIXTURE_TEST_CASE(files_of_another_kind_are_refused, Files) {
  const auto refused = [&](const nn::Metadata& metadata, std::initializer_list<std::string_view> words) {
    nn::write_safetensors(at, {}, metadata);
    check_throws<FileError>([&] { nn::read_saved(at); }, words);
  };
  refused({}, {"[read_saved] ", "run.safetensors", "checkpoint", "another kind", "saved.cpp:"});
  refused({{"xgrad", "{}"}}, {"another kind"});
  for (const std::string values :
       {"", "{}", "[]", "3", R"({"format":"1"})", R"({"format":1,"integers":{"a":1.5}})",
        R"({"format":1,"integers":{"a":"1"}})", R"({"format":1,"numbers":{"a":"1"}})",
        R"({"format":1,"texts":{"a":1}})", R"({"format":1,"texts":{"a":"x","a":"y"}})", R"({"format":1,"more":{}})",
        R"({"format":1,"numbers":{"a":null}})", R"({"format":1,"numbers":{"":1}})", R"({"format":1,"numbers":[[[[[)"}) {
    refused({{"xgrad", values}, {"xgrad.checksum", "0"}}, {"integers, numbers and texts"});
  }
  nn::write_saved(at, nn::Saved());
  check_throws<FileError>([&] { nn::read_safetensors(at); }, {"[read_safetensors] ", "read_saved", "saved.cpp:"});
  refused({{"xgrad", R"({"format":2,"later":[]})"}, {"xgrad.checksum", "0"}}, {"format 1", "later version"});
  refused({{"xgrad", R"({"format":1})"}, {"xgrad.checksum", "0"}}, {"the checksum `0`"});
  check_throws<ValueError>(
      [&] {
        nn::Saved saved;
        saved.put("\xff", 1);
        nn::write_saved(at, saved);
      },
      {"[write_saved] ", "UTF-8"});
}

BOOST_AUTO_TEST_SUITE_END()
