#include "distributed/operations.hpp"

#include <cstddef>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "distributed/collectives.hpp"

namespace xgrad::distributed::detail {

namespace {

/// The kind of effect of all of them: they happen in one order.
constexpr std::string_view collective = "collective";

Spec same(Inputs in) { return {in[0].shape(), in[0].dtype()}; }

Spec of_numbers(std::string_view op, Inputs in) {
  if (!is_floating(in[0].dtype()) && !is_integer(in[0].dtype())) {
    raise<DTypeError>(op, phrase("it adds numbers, got {}; cast the tensor first, as in cast(x, DType::int64)",
                                 to_string(in[0].dtype())));
  }
  return same(in);
}

Shape rows_of(std::string_view op, Inputs in) {
  if (in[0].ndim() == 0) {
    raise<ShapeError>(op, "it works along the first axis, and shape () has none; reshape the tensor to (1,)");
  }
  return in[0].shape();
}

using Collective = void (*)(Connection& connection, const Call& call, const std::byte* in, std::byte* out);

void run(std::string_view op, const Call& call, ConstViews in, Views out, Collective run_on) {
  run_on(Connection::open(op), call, in[0].as<std::byte>(), out[0].as<std::byte>());
}

// x with the first axis behind the second, so that an axis of samples is out of the way.
Tensor swap_first_axes(const Tensor& x) {
  Ints axes;
  for (std::size_t i = 0; i < x.ndim(); ++i) {
    axes.push_back(static_cast<std::int64_t>(i < 2 ? 1 - i : i));
  }
  return transpose(x, axes);
}

struct AllReduce {
  static constexpr std::string_view name = "all_reduce";
  static constexpr std::string_view effect = collective;
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;

  AllReduce without_effect() const { return *this; }  // what is computed again, all ranks compute again
  Spec infer(Inputs in) const { return of_numbers(name, in); }
  void eval(ConstViews in, Views out) const {
    run(name, Call(Kind::all_reduce, *in[0].spec), in, out, detail::all_reduce);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {apply_op(AllReduce(), {ct[0]})}; }
};

struct Broadcast {
  static constexpr std::string_view name = "broadcast";
  static constexpr std::string_view effect = collective;
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;
  std::int64_t root;
  static constexpr auto attributes = fields("root", &Broadcast::root);

  Broadcast without_effect() const { return *this; }
  Spec infer(Inputs in) const { return same(in); }
  void eval(ConstViews in, Views out) const {
    run(name, Call(Kind::broadcast, *in[0].spec, root), in, out, detail::broadcast);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const;
};

/// The sum over ranks, for one of them; zeros for the others. It is there as what a broadcast is transposed, so that all
/// ranks build the same graph.
struct Reduce {
  static constexpr std::string_view name = "reduce";
  static constexpr std::string_view effect = collective;
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;
  std::int64_t root;
  static constexpr auto attributes = fields("root", &Reduce::root);

  Reduce without_effect() const { return *this; }
  Spec infer(Inputs in) const { return of_numbers(name, in); }
  void eval(ConstViews in, Views out) const {
    run(name, Call(Kind::reduce, *in[0].spec, root), in, out, detail::reduce);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {apply_op(Broadcast{root}, {ct[0]})}; }
};

Tensors Broadcast::vjp(const Node&, const Cotangents& ct) const { return {apply_op(Reduce{root}, {ct[0]})}; }

struct AllGather {
  static constexpr std::string_view name = "all_gather";
  static constexpr std::string_view effect = collective;
  static constexpr bool linear = true;
  std::int64_t ranks;
  static constexpr auto attributes = fields("ranks", &AllGather::ranks);

  AllGather without_effect() const { return *this; }
  Spec infer(Inputs in) const {
    Shape shape = rows_of(name, in);
    shape[0] *= ranks;
    return {shape, in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const {
    run(name, Call(Kind::all_gather, *in[0].spec), in, out, detail::all_gather);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const;
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {swap_first_axes(apply_op(*this, {swap_first_axes(in[0])}))};
  }
};

struct ReduceScatter {
  static constexpr std::string_view name = "reduce_scatter";
  static constexpr std::string_view effect = collective;
  static constexpr bool linear = true;
  std::int64_t ranks;
  static constexpr auto attributes = fields("ranks", &ReduceScatter::ranks);

  ReduceScatter without_effect() const { return *this; }
  Spec infer(Inputs in) const {
    Shape shape = rows_of(name, in);
    const DType dtype = of_numbers(name, in).dtype;
    if (shape[0] % ranks != 0) {
      raise<ShapeError>(name, phrase("{} rows cannot be divided among {} ranks; pad the first axis to a multiple of {}",
                                     shape[0], ranks, ranks));
    }
    shape[0] /= ranks;
    return {shape, dtype};
  }
  void eval(ConstViews in, Views out) const {
    run(name, Call(Kind::reduce_scatter, *in[0].spec), in, out, detail::reduce_scatter);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {apply_op(AllGather{ranks}, {ct[0]})}; }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {swap_first_axes(apply_op(*this, {swap_first_axes(in[0])}))};
  }
};

Tensors AllGather::vjp(const Node&, const Cotangents& ct) const { return {apply_op(ReduceScatter{ranks}, {ct[0]})}; }

// One rank alone has what all have together; what is wrong with many ranks is wrong all the same.
template <class Op>
Tensor of_ranks(const Op& op, const Tensor& x, std::int64_t ranks) {
  if (ranks > 1) {
    return apply_op(op, {x});
  }
  op.infer(Inputs(&x, 1));
  return x;
}

}  // namespace

Tensor all_reduce(const Tensor& x, std::int64_t ranks) { return of_ranks(AllReduce(), x, ranks); }

Tensor reduce_scatter(const Tensor& x, std::int64_t ranks) { return of_ranks(ReduceScatter{ranks}, x, ranks); }

Tensor all_gather(const Tensor& x, std::int64_t ranks) { return of_ranks(AllGather{ranks}, x, ranks); }

Tensor broadcast(const Tensor& x, std::int64_t root, std::int64_t ranks) {
  if (root < 0 || root >= ranks) {
    raise<ValueError>("broadcast", phrase("there is no rank {} among {}; the first one is 0", root, ranks));
  }
  return of_ranks(Broadcast{root}, x, ranks);
}

}  // namespace xgrad::distributed::detail
