#pragma once

/// \file
/// What it costs that threads wait for each other.

namespace xgrad::runtime {

/// A parallel_for on \p threads threads, or as many as there are, in which each waits for all others, though not for ever:
/// the system may give fewer than asked for.
void meet(int threads);

/// Seconds that a meeting of \p threads threads takes, which is what a parallel_for costs beside its pieces: the shortest of
/// those that fit in \p seconds, or in twenty times that where it seems too long, for what others do disturbs that least.
/// Meanwhile each thread stays on a processor of its own, if there are as many: on a busy machine, two on one would wait for
/// each other most of the time.
double meeting_seconds(int threads, double seconds);

}  // namespace xgrad::runtime
