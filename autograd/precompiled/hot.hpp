// The headers that most files of the runtime, the kernels and the data sets read, compiled once. Every file includes what it
// needs all the same.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
