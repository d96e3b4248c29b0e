#include "distributed/world.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "distributed/collectives.hpp"
#include "distributed/connection.hpp"
#include "distributed/operations.hpp"
#include "distributed/threads.hpp"

namespace xgrad::distributed {

namespace {

/// The ranks of the World that is open, as others know them. It may outlive the World, and says so then.
class MpiRanks final : public nn::Ranks {
 public:
  MpiRanks(std::int64_t size, std::int64_t rank) : size_(size), rank_(rank) {}

  std::int64_t size() const override { return size_; }
  std::int64_t rank() const override { return rank_; }

  Tensor all_reduce(const Operand& x) const override {
    return of(x, [&](const Tensor& tensor) { return detail::all_reduce(tensor, size_); });
  }
  Tensor reduce_scatter(const Operand& x) const override {
    return of(x, [&](const Tensor& tensor) { return detail::reduce_scatter(tensor, size_); });
  }
  Tensor all_gather(const Operand& x) const override {
    return of(x, [&](const Tensor& tensor) { return detail::all_gather(tensor, size_); });
  }
  Tensor broadcast(const Operand& x, std::int64_t root) const override {
    return of(x, [&](const Tensor& tensor) { return detail::broadcast(tensor, root, size_); });
  }

  std::vector<std::string> exchange(const std::string& own) const override {
    return detail::exchange(detail::Connection::open("exchange"), own);
  }
  std::vector<std::string> gather(const std::string& own) const override {
    return detail::gather(detail::Connection::open("gather"), own);
  }
  [[noreturn]] void abort(const std::string& reason) const override { detail::Connection::abort(reason); }

 private:
  template <class F>
  static Tensor of(const Operand& x, const F& collective) {
    const SourceScope scope(x);
    return located(x.where(), [&] { return collective(x.tensor()); });
  }

  std::int64_t size_;
  std::int64_t rank_;
};

}  // namespace

World::World(int& argc, char**& argv, WorldOptions options, std::source_location where) {
  located(where, [&] {
    if (options.timeout <= std::chrono::milliseconds(0)) {
      raise<ValueError>("world", phrase("the timeout is {} ms; give more than 0", options.timeout.count()));
    }
    connection_ = std::make_unique<detail::Connection>(argc, argv, options.timeout);
    connection_->set_crowded(detail::divide_processors());
  });
  ranks_ = std::make_shared<MpiRanks>(connection_->size(), connection_->rank());
}

World::~World() = default;

void World::barrier() const { detail::Connection::open("barrier").meet(detail::Call(detail::Kind::barrier)); }

}  // namespace xgrad::distributed
