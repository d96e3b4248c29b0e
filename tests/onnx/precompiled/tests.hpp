// The headers that most of these tests read, compiled once.
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "onnx/onnx.hpp"
#include "tests/testing.hpp"
