// The headers that most files of training, reports and explanations read, compiled once. Every file includes what it needs all the same.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/plan/compile.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/layer.hpp"
#include "nn/saved.hpp"
#include "nn/trainer.hpp"
