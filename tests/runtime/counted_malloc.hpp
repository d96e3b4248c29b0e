#pragma once

/// \file
/// For programs of their own: the C library's malloc, through which operator new goes too, is counted, and can fail.

namespace xgrad::testing {

/// How often memory has been asked for since the last call of this function.
long take_allocation_count();

/// From now on memory runs out once: at request number \p number, counted from 1, of whatever thread. 0: no more.
void fail_at_allocation(long number);

/// Whether it has run out since fail_at_allocation.
bool allocation_has_failed();

}  // namespace xgrad::testing
