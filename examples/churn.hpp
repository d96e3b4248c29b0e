#pragma once

#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

// What churn.cpp trains and churn_predict.cpp uses: one output, the logit of leaving.
inline xgrad::nn::Sequential make_churn_model(const xgrad::datasets::Schema& schema) {
  using namespace xgrad;
  return nn::Sequential(nn::Dense(schema.feature_count(), 16), nn::ReLU(), nn::Dense(16, 1));
}
