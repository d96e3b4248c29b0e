#pragma once

#include "autograd/array/xtensor.hpp"

/// \file
/// How xtensor prints arrays.

#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif
