#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// Processes that train together, as the Trainer sees them.

namespace xgrad::nn {

/// What a rank throws that cannot go on because another one cannot: it says which, and what that one threw.
class RankError : public Error {
 public:
  using Error::Error;
};

/// Several processes, called ranks, that run the same program on parts of the data. What connects them is a library of its
/// own: `distributed::World` is one, on MPI. The functions that give tensors make operations that stand in plans, in the
/// order of the program; all ranks have to call the same ones in the same order, with equal shapes and dtypes.
class Ranks {
 public:
  virtual ~Ranks() = default;

  virtual std::int64_t size() const = 0;        ///< how many ranks there are
  virtual std::int64_t rank() const = 0;        ///< which one this is, from 0
  bool is_root() const { return rank() == 0; }  ///< whether this one speaks for all: it prints and writes files

  /// The sum of \p x over all ranks, for each of them. Two neighbours are added first, then pairs of neighbours, and so on:
  /// (x0 + x1) + (x2 + x3), the same bits on every rank. Its vjp is all_reduce, for what is differentiated is the sum over
  /// ranks of what each returns.
  virtual Tensor all_reduce(const Operand& x) const = 0;
  /// The part of all_reduce(x) that belongs to this rank: \p x is (n,), n a multiple of size(), the result (n / size(),).
  virtual Tensor reduce_scatter(const Operand& x) const = 0;
  /// All ranks' \p x, one after the other: (m, ...) to (size() m, ...).
  virtual Tensor all_gather(const Operand& x) const = 0;
  /// What \p x is on rank \p root.
  virtual Tensor broadcast(const Operand& x, std::int64_t root = 0) const = 0;

  /// The texts (any bytes, of any lengths) of all ranks, in their order. At once, not an operation.
  virtual std::vector<std::string> exchange(const std::string& own) const = 0;
  /// The same for the root alone: others get no texts. All ranks call it. For what others have no memory for.
  virtual std::vector<std::string> gather(const std::string& own) const {
    std::vector<std::string> all = exchange(own);
    return is_root() ? all : std::vector<std::string>();
  }
  /// Ends all ranks, after \p reason was printed: for what one of them cannot tell the others in time.
  [[noreturn]] virtual void abort(const std::string& reason) const = 0;
};

}  // namespace xgrad::nn
