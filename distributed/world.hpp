#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "nn/ranks.hpp"

/// \file
/// The processes of an MPI program.

/// Programs that run as several processes, on MPI.
namespace xgrad::distributed {

namespace detail {

class Connection;

}  // namespace detail

/// Options of a World.
struct WorldOptions {
  /// How long a rank waits for another one before it prints which one is missing, and where, and ends all of them. What one
  /// rank does alone, such as writing files, has to be done within this time.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

/// All processes, called ranks, that `mpirun -n N program` has started; one rank where the program was started without it.
///
///     int main(int argc, char** argv) {
///       distributed::World world(argc, argv);
///       ...
///       gradient = world.all_reduce(gradient);
///
/// It begins MPI and ends it; there is one in a program, to be made at the beginning of main. All ranks have to call the same
/// functions below in the same order, with tensors of equal shapes and dtypes: they compare what they are about to do, and
/// where it differs all of them throw. A rank that does not come is noticed after the timeout. When an exception leaves the
/// World on one rank, the end of that rank's program ends all of them.
///
/// The functions that give tensors make operations that stand in plans, and in loops. They run where the program has them:
/// at once, or in each call of a compiled function; on the thread that made the World. What is differentiated is the sum
/// over ranks of what each returns, to any order; vmap and forward mode work as well.
///
/// Where XGRAD_THREADS is not set and set_num_threads was not called, kernels get the cores of this machine divided by
/// the ranks on it.
class World {
 public:
  /// Begins MPI, with the arguments of main, of which it may take some away.
  /// \throws ValueError when there is a World already, or was one, or the timeout is not positive.
  World(int& argc, char**& argv, WorldOptions options = {},
        std::source_location where = std::source_location::current());
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// Waits for all ranks to come here, and ends MPI.
  ~World();

  std::int64_t size() const { return ranks_->size(); }  ///< how many ranks there are
  std::int64_t rank() const { return ranks_->rank(); }  ///< which one this is, from 0
  bool is_root() const { return ranks_->is_root(); }  ///< whether this is rank 0, which prints and writes files for all

  /// The sum of \p x over all ranks, for each of them, the same bits on each: (x0 + x1) + (x2 + x3), neighbours first, then
  /// pairs of neighbours, and so on; the last of an odd number waits for the next round. Its vjp is all_reduce.
  /// \throws DTypeError for boolean and uint8.
  Tensor all_reduce(const Operand& x) const { return ranks_->all_reduce(x); }
  /// The rows of all_reduce(x) that belong to this rank: (n, ...) to (n / size(), ...). Its vjp is all_gather.
  /// \throws DTypeError for boolean and uint8. \throws ShapeError when size() does not divide n.
  Tensor reduce_scatter(const Operand& x) const { return ranks_->reduce_scatter(x); }
  /// The rows of all ranks, one after the other: (m, ...) to (size() m, ...), of any dtype. Its vjp is reduce_scatter.
  /// \throws ShapeError for a tensor without axes.
  Tensor all_gather(const Operand& x) const { return ranks_->all_gather(x); }
  /// What \p x is on rank \p root, of any dtype. Its vjp is the sum of the cotangents on that rank, and 0 on others.
  /// \throws ValueError when there is no rank \p root.
  Tensor broadcast(const Operand& x, std::int64_t root = 0) const { return ranks_->broadcast(x, root); }

  /// The texts of all ranks, any bytes of any lengths, in their order. At once, not an operation.
  std::vector<std::string> exchange(const std::string& own) const { return ranks_->exchange(own); }
  /// Returns when all ranks have come here. At once, not an operation.
  void barrier() const;
  /// Ends all ranks, after \p reason was printed.
  [[noreturn]] void abort(const std::string& reason) const { ranks_->abort(reason); }

  /// What a Trainer takes: `nn::TrainerOptions{.world = world}`. It works for as long as the World is there.
  operator std::shared_ptr<const nn::Ranks>() const { return ranks_; }

 private:
  std::unique_ptr<detail::Connection> connection_;
  std::shared_ptr<const nn::Ranks> ranks_;
};

}  // namespace xgrad::distributed
