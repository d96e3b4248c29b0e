#pragma once

/// \file
/// Everything of the graph, the chain rule and compiled functions.

/// \namespace xgrad
/// Tensors, ops and the chain rule.

#include "autograd/check_grads.hpp"
#include "autograd/custom_rules.hpp"
#include "autograd/derivatives.hpp"
#include "autograd/error.hpp"
#include "autograd/formula.hpp"
#include "autograd/graph.hpp"
#include "autograd/linalg.hpp"
#include "autograd/operation.hpp"
#include "autograd/ops.hpp"
#include "autograd/plan/compile.hpp"
#include "autograd/random.hpp"
#include "autograd/slice.hpp"
#include "autograd/tensor.hpp"
#include "autograd/transforms.hpp"
#include "autograd/variable.hpp"
#include "autograd/vmap.hpp"
#include "autograd/xtensor_op.hpp"
