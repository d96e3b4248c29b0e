#pragma once

/// \file
/// How many threads a rank uses. Not installed.

namespace xgrad::distributed::detail {

/// Gives the kernels of each rank of a machine an equal part of the cores that its ranks may use, unless ranks have
/// processors of their own, or the number of threads was chosen by XGRAD_THREADS or set_num_threads. All ranks have to call it.
/// \return whether there are more ranks on the machine than processors for them.
bool divide_processors();

}  // namespace xgrad::distributed::detail
