#pragma once

#include "autograd/runtime/spin_lock.hpp"

/// \file
/// What makes fork() safe: the child has one thread, and finds every lock that the parent's other threads held for ever
/// held, and what it guards half changed. So all locks are taken while the process forks. Not installed.

namespace xgrad::runtime {

/// From the first call on, locks are taken while the process forks, and the child begins without workers. A fork waits
/// until the job that the workers are running has ended. From inside a piece the child must not do more than exit or
/// run another program.
void prepare_for_forks();

/// The lock of a small object of which there are many, to be held for a few instructions. Objects share locks, so that
/// they are few: a thread must never hold two of them.
SpinLock& lock_of(const void* object);

namespace detail {

// Called by the fork's thread, in this order; the latter ones in the reverse order by the parent and by the child.
bool lock_workers();  // false: the calling thread is running a piece
void lock_caches();
void lock_pool();
void unlock_pool();
void unlock_caches();
void unlock_workers();
void forget_workers();  // by the child: its parent's threads are not there

}  // namespace detail

}  // namespace xgrad::runtime
