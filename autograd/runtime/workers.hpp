#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>

/// \file
/// The threads that kernels run on.

/// Threads, memory, BLAS and the CPU.
namespace xgrad::runtime {

/// Number of threads that kernels use, the calling one included. Initially XGRAD_THREADS, or else the number of
/// cores this process may run on: those of its affinity, of which hyper-threads share one, or the whole part of its
/// control groups' quota. An XGRAD_THREADS beyond what set_num_threads takes is brought down to that, with a line on the standard error stream.
/// \throws ValueError when XGRAD_THREADS is no number of threads.
int num_threads();

/// Sets the number of threads: 1 or more, at most 64, or 4 per processor where those are more. What other threads are
/// computing goes on with as many as it has; memory of theirs that is counted by threads stays large enough.
/// \throws ValueError for another number, or when a piece of a parallel_for calls it.
void set_num_threads(int count);
bool num_threads_was_set();  ///< whether set_num_threads has been called

/// Calls \p body(context, piece) for every piece in [0, pieces), on all threads, and returns when all are done. Pieces
/// must be independent. Called from inside a piece it runs serially. The exception of the lowest-numbered failing piece
/// is rethrown after all pieces are done.
/// \param most_threads take part: thread_number() is below that, whatever set_num_threads does meanwhile.
void parallel_for(std::int64_t pieces, void (*body)(void* context, std::int64_t piece), void* context,
                  int most_threads = std::numeric_limits<int>::max());

/// parallel_for over any callable.
template <class F>
void parallel_for(std::int64_t pieces, F&& body, int most_threads = std::numeric_limits<int>::max()) {
  using Callable = std::remove_reference_t<F>;
  parallel_for(
      pieces, [](void* context, std::int64_t piece) { (*static_cast<Callable*>(context))(piece); },
      const_cast<void*>(static_cast<const void*>(std::addressof(body))), most_threads);
}

/// How many threads would share out the pieces of a parallel_for that the calling one calls now, if nobody else did: 1 inside a
/// piece, and no more than there were processors for this process when it asked first, for others only stand in each other's way.
int sharing_threads();

/// Which of the threads of a parallel_for the calling one is, inside a piece: 0 for the thread that called parallel_for,
/// 1 to num_threads() - 1 for the workers, which keep their number from call to call. Outside of pieces 0.
/// Pieces that run at the same time in one parallel_for see different numbers; calls of parallel_for from several threads
/// at once have a thread 0 each.
int thread_number();

/// Scratch memory of the calling thread, aligned, at least \p bytes; valid until the thread asks again.
void* thread_scratch(std::size_t bytes);

}  // namespace xgrad::runtime
