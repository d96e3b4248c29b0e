// The headers that most files of the library of ONNX files read, compiled once. Every file includes what it needs all the
// same.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/call.hpp"
