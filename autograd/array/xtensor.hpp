#pragma once

/// \file
/// The only place that names xtensor's headers: they moved into folders in later releases. Printing, which costs two
/// seconds of compile time, is included where XGRAD_XTENSOR_IO is defined before.

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#ifdef XGRAD_XTENSOR_IO
#include <xtensor/io/xio.hpp>
#endif
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#ifdef XGRAD_XTENSOR_IO
#include <xtensor/xio.hpp>
#endif
#endif
