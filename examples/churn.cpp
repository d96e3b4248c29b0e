// Which customers will leave? A model of a table with missing fields, words, dates and amounts, for use by another program.
//
//     churn [FOLDER]          trains, and writes FOLDER/model and FOLDER/schema.json
//     churn_predict [FOLDER]  reads both, and says what it thinks of the customers of the week after
//
// Without customers of your own, FOLDER/customers.csv, some are made up.

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "churn.hpp"

using namespace xgrad;
namespace fs = std::filesystem;

namespace {

// Who pays much, is new or comes from one place tends to leave; some fields are missing.
class Customers {
 public:
  explicit Customers(unsigned seed) : engine_(seed) {}

  void write(const fs::path& path, int count, bool with_outcome) {
    std::vector<std::string> names = {"customer", "age", "plan", "since", "monthly", "paperless"};
    if (with_outcome) {
      names.push_back("churned");
    }
    datasets::CsvWriter table(path, names);
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> fields = one(i);
      if (!with_outcome) {
        fields.pop_back();
      }
      table.write(fields);
    }
    table.publish();
  }

 private:
  double uniform(double low, double high) { return std::uniform_real_distribution<>(low, high)(engine_); }
  std::string or_missing(const std::string& field) { return uniform(0, 1) < 0.05 ? "" : field; }

  std::vector<std::string> one(int number) {
    const int age = static_cast<int>(uniform(18, 80));
    const int plan = static_cast<int>(uniform(0, 3));
    const int year = static_cast<int>(uniform(2015, 2025));
    const double monthly = 10 + 20 * plan + uniform(0, 30);
    const bool paperless = uniform(0, 1) < 0.5;
    const double logit = -1.5 + 0.05 * (monthly - 45) + 0.4 * (year - 2020) - 0.02 * (age - 40) + (plan == 1 ? 1.5 : 0);
    const bool leaves = uniform(0, 1) < 1 / (1 + std::exp(-logit));
    char amount[32];
    std::snprintf(amount, sizeof(amount), "%.2f", monthly);
    const char* plans[] = {"basic", "plus", "family"};
    return {"c" + std::to_string(number), or_missing(std::to_string(age)),
            or_missing(plans[plan]),      or_missing(std::to_string(year) + "-06-15"),
            or_missing(amount),           paperless ? "yes" : "no",
            leaves ? "yes" : "no"};
  }

  std::mt19937 engine_;
};

bool run(const fs::path& folder) {
  fs::create_directories(folder);
  if (!fs::exists(folder / "customers.csv")) {
    Customers customers(1);
    customers.write(folder / "customers.csv", 3000, true);
    customers.write(folder / "next_week.csv", 500, false);
  }

  // What the columns are is found out from the fields; what is to be predicted, and what is no feature, has to be said.
  const auto schema = datasets::Schema::fit(folder / "customers.csv", {.target = "churned", .kept = {"customer"}});
  std::printf("features:");
  for (const std::string& name : schema.feature_names()) {
    std::printf(" %s", name.c_str());
  }
  std::printf("\n");
  const auto [train, test] = datasets::split(schema.read(folder / "customers.csv"), {.fraction = 0.2});

  nn::Sequential model = make_churn_model(schema);
  model.initialize(random::Key(0));
  const auto loss = [](const Tensor& logits, const Tensor& labels) {
    return nn::binary_cross_entropy_with_logits(reshape(logits, {-1}), cast(labels, DType::float32));
  };
  nn::Trainer trainer(model, nn::AdamW(model.parameters(), {.learning_rate = 3e-3}), loss,
                      {.batches = {.batch_size = 32}});
  trainer.fit(train, {.epochs = 20, .progress = nn::Progress::quiet});

  const Tensor says = cast(reshape(model(test.features()), {-1}) > 0.0f, DType::int64);
  const double accuracy = mean(cast(says == Tensor(test.targets()), DType::float32)).item();
  std::printf("accuracy on customers that it has not seen: %.3f\n", accuracy);

  nn::write_state(folder / "model", model.state());
  schema.write(folder / "schema.json");
  std::printf("%s\n", accuracy > 0.75 ? "check: better than guessing" : "check failed: no better than guessing");
  return accuracy > 0.75;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count > 1 ? fs::path(arguments[1]) : fs::temp_directory_path() / "xgrad-churn") ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
