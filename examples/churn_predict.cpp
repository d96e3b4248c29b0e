// What a model that churn.cpp has trained says of other customers:  churn_predict [FOLDER]
//
// Reads FOLDER/next_week.csv, which has no outcome and may have its columns in another order; writes FOLDER/predictions.csv.

#include <cstdio>
#include <filesystem>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "churn.hpp"

using namespace xgrad;
namespace fs = std::filesystem;

namespace {

void run(const fs::path& folder) {
  const auto schema = datasets::Schema::load(folder / "schema.json");
  nn::Sequential model = make_churn_model(schema);
  model.load_state(nn::read_state(folder / "model"));

  datasets::CsvWriter predictions(folder / "predictions.csv", {"customer", "probability"});
  long count = 0;
  // A part at a time: the file may be larger than memory.
  schema.read_rows(folder / "next_week.csv", 256, [&](const datasets::TableRows& rows) {
    const Array probabilities = sigmoid(model(rows.features)).array();
    for (std::size_t i = 0; i < rows.kept.size(); ++i) {
      predictions.record(rows.kept[i][0], probabilities.data<float>()[i]);
      ++count;
    }
  });
  predictions.publish();
  std::printf("%ld customers in %s\n", count, (folder / "predictions.csv").c_str());
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(count > 1 ? fs::path(arguments[1]) : fs::temp_directory_path() / "xgrad-churn");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\nTrain a model first, by churn.\n", error.what());
    return 1;
  }
}
