#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "datasets/csv_writer.hpp"
#include "datasets/schema.hpp"
#include "nn/nn.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

/// \file
/// From a table to predictions, against what is possible: the records come from known probabilities.

BOOST_AUTO_TEST_SUITE(datasets_schema_training)

namespace {

using namespace xgrad;
using namespace xgrad::datasets;

/// Records whose outcome depends on known probabilities; the best that anybody can do is to say the likelier one.
class Population {
 public:
  /// \param interacts whether one column changes what another one means, which no linear model can express.
  Population(bool interacts, unsigned seed) : interacts_(interacts), engine_(seed) {}

  /// \return the share of records whose outcome is the likelier one.
  double write(const std::filesystem::path& path, int count) {
    CsvWriter table(path, {"income", "region", "joined", "active", "outcome"});
    int likelier = 0;
    for (int i = 0; i < count; ++i) {
      const double income = uniform(-2, 2);
      const int region = static_cast<int>(uniform(0, 4));
      const int day = static_cast<int>(uniform(1, 29));
      const bool active = uniform(0, 1) < 0.5;
      const double slope = interacts_ && active ? -3 : 3;
      const double logit = slope * income + (region - 1.5) + 0.1 * (day - 15);
      const bool outcome = uniform(0, 1) < 1 / (1 + std::exp(-logit));
      likelier += outcome == (logit > 0);
      const std::string date = "2024-02-" + std::string(day < 10 ? "0" : "") + std::to_string(day);
      table.record(40'000 + 10'000 * income, std::string(1, static_cast<char>('A' + region)), date,
                   active ? "yes" : "no", outcome ? "good" : "bad");
    }
    table.publish();
    return static_cast<double>(likelier) / count;
  }

 private:
  double uniform(double low, double high) { return std::uniform_real_distribution<>(low, high)(engine_); }

  bool interacts_;
  std::mt19937 engine_;
};

double accuracy(const Tensor& logits, const Array& labels) {
  const Tensor says = cast(reshape(logits, {-1}) > 0.0, DType::int64);
  return mean(cast(says == Tensor(labels), DType::float64)).item<double>();
}

/// The best linear model, by Newton's method on the log-likelihood: no learning rate and no chance in it.
Tensor logistic_regression(const Dataset& train, const Array& features) {
  const auto with_one = [](const Array& x) {
    const Tensor wide = cast(Tensor(x), DType::float64);
    return concatenate({wide, ones({wide.shape(0), 1}, DType::float64)}, 1).detach();
  };
  const Tensor x = with_one(train.features());
  const Tensor y = cast(reshape(Tensor(train.targets()), {-1, 1}), DType::float64);
  Tensor w = zeros({x.shape(1), 1}, DType::float64);
  const Tensor ridge = 1e-6 * eye(x.shape(1), x.shape(1), DType::float64);  // categories add up to 1
  for (int i = 0; i < 20; ++i) {
    const Tensor p = sigmoid(matmul(x, w));
    const Tensor hessian = matmul(transpose(x), x * (p * (1.0 - p))) + ridge;
    w = (w - linalg::solve(hessian, matmul(transpose(x), p - y) + 1e-6 * w)).detach();
  }
  return matmul(with_one(features), w);
}

Tensor network(const Dataset& train, const Array& features) {
  nn::Sequential model(nn::Dense(train.features().shape()[1], 32), nn::Tanh(), nn::Dense(32, 1));
  model.initialize(random::Key(1));
  const auto loss = [](const Tensor& logits, const Tensor& labels) {
    return nn::binary_cross_entropy_with_logits(reshape(logits, {-1}), cast(labels, DType::float32));
  };
  nn::Trainer trainer(model, nn::AdamW(model.parameters(), {.learning_rate = 3e-3, .weight_decay = 0.01}), loss,
                      {.batches = {.batch_size = 64}});
  trainer.fit(train, {.epochs = 25, .progress = nn::Progress::quiet});
  return model(features);
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_can_be_known_is_learned, testing::TemporaryFolder) {
  for (const bool interacts : {false, true}) {
    Population population(interacts, 7);
    population.write(folder / "train.csv", 8000);
    const double best = population.write(folder / "test.csv", 8000);
    const Schema schema = Schema::fit(folder / "train.csv", {.target = "outcome"});
    BOOST_TEST((schema.class_names() == std::vector<std::string>{"bad", "good"}));
    const Dataset train = schema.read(folder / "train.csv");
    const Dataset test = schema.read(folder / "test.csv");
    const double linear = accuracy(logistic_regression(train, test.features()), test.targets());
    const double learned = accuracy(network(train, test.features()), test.targets());
    BOOST_TEST_MESSAGE("best possible " << best << ", logistic regression " << linear << ", network " << learned);
    BOOST_TEST(learned > best - 0.01);
    BOOST_TEST(learned > linear - 0.01);
    if (interacts) {
      BOOST_TEST(linear < best - 0.1);  // it takes more than a line
    }
  }
}

BOOST_FIXTURE_TEST_CASE(tables_are_written_as_they_are_read, testing::TemporaryFolder) {
  const std::vector<std::vector<std::string>> records = {
      {"plain", "with \"quotes\"", "a,b"}, {"", " edges ", "two\nlines"}, {"\xc3\xa9", "x", "\r"}};
  for (const char* name : {"table.csv", "table.csv.gz"}) {
    CsvWriter table(folder / name, {"a", "b", "c"});
    for (const auto& record : records) {
      table.write(record);
    }
    BOOST_TEST(!std::filesystem::exists(folder / name));
    testing::check_throws<ValueError>([&] { table.record("one", 2); }, {"[CsvWriter] ", "2 fields", "3 columns"});
    table.publish();
    const Schema schema = Schema::fit(folder / name, {.kept = {"a", "b", "c"}});
    const TableRows rows = schema.read_rows(folder / name);
    BOOST_REQUIRE(rows.kept.size() == 3u);
    BOOST_TEST((rows.kept[0] == records[0]));
    BOOST_TEST((rows.kept[1] == std::vector<std::string>{"", "edges", "two\nlines"}));  // spaces around do not count
  }
  {
    CsvWriter numbers(folder / "numbers.csv", {"x", "y", "n"});
    numbers.record(0.1F, 1.0 / 3, 7);
  }
  BOOST_TEST(!std::filesystem::exists(folder / "numbers.csv"));
}

BOOST_AUTO_TEST_SUITE_END()
