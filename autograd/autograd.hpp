#pragma once

/// \file
/// Everything of the graph, the chain rule and compiled functions.

/// \namespace xgrad
/// Tensors, ops and the chain rule.

#include "autograd/array/slice.hpp"
#include "autograd/array/xtensor.hpp"
#include "autograd/formula/formula.hpp"
#include "autograd/graph/drawing.hpp"
#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/print.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/loops/cond.hpp"
#include "autograd/loops/scan.hpp"
#include "autograd/ops/debug.hpp"
#include "autograd/ops/eager.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/random.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/ops/watch.hpp"
#include "autograd/ops/xtensor_op.hpp"
#include "autograd/ops/xtensor_operands.hpp"
#include "autograd/plan/compile.hpp"
#include "autograd/provenance/explain.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/checkpoint.hpp"
#include "autograd/transforms/custom_rules.hpp"
#include "autograd/transforms/derivatives.hpp"
#include "autograd/transforms/grad.hpp"
#include "autograd/transforms/vmap.hpp"
