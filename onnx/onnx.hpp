#pragma once

#include "onnx/load.hpp"
#include "onnx/save.hpp"
#include "onnx/version.hpp"

/// \file
/// What users include: models as ONNX files, and back. Needs `libxgrad-onnx` beside `libxgrad`.
