#include "programs.hpp"

#include <functional>
#include <utility>

#include "tests/testing.hpp"

namespace xgrad::testing {

namespace {

constexpr DType f64 = DType::float64;

using Carries = Tensors;
using StepFunction = std::function<std::pair<Tensors, Tensors>(const Tensors& carries, const Tensors& slices)>;

// Last carries, then results.
Tensors run_scan(Written written, const StepFunction& step, const Tensors& init, const Tensors& xs,
                 bool reverse = false, std::int64_t memory = ScanOptions().memory) {
  if (written == Written::looped) {
    auto [last, results] = scan(step, init, xs, {.reverse = reverse, .memory = memory});
    last.insert(last.end(), results.begin(), results.end());
    return last;
  }
  const std::int64_t steps = xs[0].shape()[0];
  Tensors carries = init;
  std::vector<Tensors> rows;
  for (std::int64_t i = 0; i < steps; ++i) {
    Tensors slices;
    for (const Tensor& x : xs) {
      slices.push_back(x[reverse ? steps - 1 - i : i]);
    }
    auto [next, results] = step(carries, slices);
    carries = next;
    rows.resize(results.size());
    for (std::size_t k = 0; k < results.size(); ++k) {
      rows[k].insert(reverse ? rows[k].begin() : rows[k].end(), results[k]);
    }
  }
  for (const Tensors& each : rows) {
    carries.push_back(stack(each));
  }
  return carries;
}

Tensor run_fori(Written written, std::int64_t steps, const std::function<Tensor(const Tensor&, const Tensor&)>& step,
                const Tensor& init) {
  if (written == Written::looped) {
    return fori(steps, step, init);
  }
  Tensor carry = init;
  for (std::int64_t i = 0; i < steps; ++i) {
    carry = step(Tensor(i), carry);
  }
  return carry;
}

Tensor run_while(Written written, const std::function<Tensor(const Tensor&)>& condition,
                 const std::function<Tensor(const Tensor&)>& step, const Tensor& init, std::int64_t most) {
  if (written == Written::looped) {
    return while_loop(condition, step, init, {.max_steps = most}).carry;
  }
  Tensor carry = init;
  for (std::int64_t i = 0; i < most; ++i) {
    carry = where(condition(carry), step(carry), carry);
  }
  return carry;
}

Tensor run_cond(Written written, const Tensor& predicate, const std::function<Tensor(const Tensor&)>& first,
                const std::function<Tensor(const Tensor&)>& second, const Tensor& x) {
  return written == Written::looped ? cond(predicate, first, second, x) : where(predicate, first(x), second(x));
}

// One number that depends on every element of all of them.
Tensor number_of(const Tensors& tensors) {
  Tensor total = zeros({}, f64);
  for (const Tensor& tensor : tensors) {
    if (is_floating(tensor.dtype())) {
      total = total + sum(sin(1.3 * tensor));
    }
  }
  return total;
}

Tensor cell(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    const Tensor next = tanh(matmul(h[0], in[1]) + x[0]);
    return std::pair(Tensors{next}, Tensors{next, square(next) + in[0]});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

Tensor last_carry_alone(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    return std::pair(Tensors{sin(matmul(h[0], in[1]) * x[0])}, Tensors{});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

Tensor backwards(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    return std::pair(Tensors{h[0] * cos(x[0])}, Tensors{h[0] + x[0]});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}, true));
}

Tensor by_index(Written written, const Tensors& in) {
  return number_of({run_fori(
      written, 5,
      [&](const Tensor& i, const Tensor& c) { return c * 0.9 + take(in[2], remainder(i, 4)) * cast(i, f64); }, in[0])});
}

// Products with slices leave the loop, and cotangents of both weights are products behind it.
Tensor tall_products(Written written, const Tensors& in) {
  const Tensor rows = stack({in[2], in[2] * 0.5});  // (2, 4, 3)
  const auto step = [&](const Tensors& h, const Tensors& x) {
    const Tensor next = tanh(matmul(x[0], in[1]) + matmul(h[0], in[1] * 0.5) + in[0]);
    return std::pair(Tensors{next}, Tensors{matmul(square(x[0]), transpose(in[1]))});
  };
  return number_of(run_scan(written, step, {broadcast_to(in[0], {4, 3})}, {rows}));
}

Tensor swapped_carries(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& c, const Tensors& x) {
    return std::pair(Tensors{c[1], c[0] + sin(c[1]) * x[0], c[2]}, Tensors{c[2] * x[0]});
  };
  return number_of(run_scan(written, step, {in[0], cos(in[0]), exp(in[0])}, {in[2]}));
}

Tensor sums_in_place(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& c, const Tensors& x) {
    return std::pair(Tensors{c[0] + outer(x[0], x[0]), c[1] + x[0]}, Tensors{square(x[0])});
  };
  return number_of(run_scan(written, step, {in[1], in[0]}, {in[2]}));
}

Tensor integer_carry(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& c, const Tensors& x) {
    const Tensor scaled = take(in[1], c[0]) * x[0] + c[1];
    return std::pair(Tensors{remainder(c[0] + 2, 3), tanh(scaled)}, Tensors{cast(c[0], f64) * scaled, c[0]});
  };
  return number_of(run_scan(written, step, {Tensor(1), in[0]}, {in[2]}));
}

Tensor loop_in_loop(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    const auto inner = [&](const Tensors& c, const Tensors& row) {
      return std::pair(Tensors{tanh(c[0] * row[0] + x[0] + h[0])}, Tensors{c[0] * h[0]});
    };
    const Tensors found = run_scan(written, inner, {h[0] + in[0]}, {in[1]});
    return std::pair(Tensors{found[0]}, Tensors{sum(found[1], 0)});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

Tensor branch_in_loop(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    const Tensor next = run_cond(
        written, sum(x[0]) > 0, [&](const Tensor& v) { return sin(v) * x[0]; },
        [&](const Tensor& v) { return matmul(v, in[1]); }, h[0]);
    return std::pair(Tensors{next}, Tensors{next});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

Tensor branch(Written written, const Tensors& in) {
  return number_of({run_cond(
      written, sum(in[0]) > 0, [&](const Tensor& v) { return matmul(in[2], v); },
      [&](const Tensor& v) {
        return sum(in[1]) * in[2][{all(), 0}] * sum(v);
      },
      in[0])});
}

Tensor until_large(Written written, const Tensors& in) {
  return number_of({run_while(
      written, [](const Tensor& c) { return sum(square(c)) < 20; },
      [&](const Tensor& c) { return c * 1.5 + matmul(c, in[1]) * 0.1 + 0.2; }, in[0], 9)});
}

Tensor until_steps_are_used_up(Written written, const Tensors& in) {
  return number_of({run_while(
      written, [](const Tensor& c) { return sum(square(c)) < 1e6; }, [&](const Tensor& c) { return sin(c) + in[2][1]; },
      in[0], 3)});
}

Tensor never_begun(Written written, const Tensors& in) {
  return number_of({run_while(
      written, [](const Tensor& c) { return sum(c) > 1e6; }, [&](const Tensor& c) { return sin(c) * in[0]; }, in[0],
      4)});
}

Tensor loop_in_while(Written written, const Tensors& in) {
  return number_of({run_while(
      written, [](const Tensor& c) { return sum(square(c)) < 15; },
      [&](const Tensor& c) {
        return run_fori(
            written, 2, [&](const Tensor&, const Tensor& d) { return d * 1.2 + sin(matmul(d, in[1])) * 0.3 + 0.1; }, c);
      },
      in[0], 7)});
}

Tensor zero_steps(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    return std::pair(Tensors{tanh(matmul(h[0], in[1]) + x[0])}, Tensors{});
  };
  return number_of(run_scan(written, step, {in[0] * 2.0}, {in[2][range(0, 0)]}));
}

Tensor one_step(Written written, const Tensors& in) {
  const auto step = [&](const Tensors& h, const Tensors& x) {
    return std::pair(Tensors{tanh(matmul(h[0], in[1]) + x[0])}, Tensors{h[0] * x[0]});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2][range(0, 1)]}));
}

Tensor checkpointed_step(Written written, const Tensors& in) {
  const auto inside = checkpoint([&](const Tensor& h, const Tensor& x) { return sin(matmul(tanh(h), in[1])) + x; });
  const auto step = [&](const Tensors& h, const Tensors& x) {
    const Tensor next = inside(h[0], x[0]);
    return std::pair(Tensors{next}, Tensors{next * in[0]});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

Tensor checkpointed_loop(Written written, const Tensors& in) {
  const auto whole = checkpoint([&](const Tensor& a, const Tensor& w) {
    return number_of(run_scan(
        written,
        [&](const Tensors& h, const Tensors& x) { return std::pair(Tensors{tanh(matmul(h[0], w) + x[0])}, Tensors{}); },
        {a}, {in[2]}));
  });
  return whole(in[0], in[1]);
}

Tensor compiled_step(Written written, const Tensors& in) {
  const auto inside = compile([](const Tensor& h, const Tensor& x) { return tanh(h * 1.1) + x; });
  const auto step = [&](const Tensors& h, const Tensors& x) {
    return std::pair(Tensors{inside(h[0], x[0])}, Tensors{matmul(h[0], in[1])});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

// A step of which the residuals are outputs of operations that have several, and constants of some size.
Tensor operations_of_all_kinds(Written written, const Tensors& in) {
  const Tensor weights = random_tensor({3, 30}, -1, 1, 5);
  const auto step = [&](const Tensors& h, const Tensors& x) {
    const Tensor wide = matmul(h[0], weights);
    const Tensor chosen = sort(wide)[range(3, 6)];
    const Tensor next = softmax(chosen + x[0]) * logsumexp(h[0]) + concatenate({h[0][range(1, 3)], x[0][range(0, 1)]});
    return std::pair(Tensors{next}, Tensors{cumsum(next, 0)});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

Tensor custom_rules(Written written, const Tensors& in) {
  const auto doubled = custom_vjp(
      [](const Tensor& x) { return sin(x); },
      [](const Tensors& arguments, const Tensor&, const Tensor& ct) { return Tensors{2.0 * ct * cos(arguments[0])}; });
  const auto step = [&](const Tensors& h, const Tensors& x) {
    return std::pair(Tensors{doubled(h[0] * x[0]) + in[0]}, Tensors{});
  };
  return number_of(run_scan(written, step, {in[0]}, {in[2]}));
}

// Steps short enough for several to run in one go, and some over.
Tensor many_short_steps(Written written, const Tensors& in) {
  const Tensor many = concatenate({in[2], in[2] * 0.5, -in[2], sin(in[2]), in[2][range(0, 3)]});  // (19, 3)
  const auto step = [&](const Tensors& c, const Tensors& x) {
    const Tensor next = sin(c[0] + x[0]) + in[0] * 0.1;
    return std::pair(Tensors{next, c[1] + square(x[0]), c[1] * 0.5 + c[2]}, Tensors{next, c[0] * x[0], c[2]});
  };
  return number_of(run_scan(written, step, {in[0], in[0] * 2.0, cos(in[0])}, {many}));
}

Tensor many_short_steps_backwards(Written written, const Tensors& in) {
  const Tensor many = concatenate({in[2], in[2] * 0.5, -in[2], sin(in[2]), in[2][range(0, 1)]});  // (17, 3)
  const auto step = [&](const Tensors& c, const Tensors& x) {
    return std::pair(Tensors{tanh(c[0] * 0.9 + x[0] * in[1][0])}, Tensors{c[0]});
  };
  return number_of(run_scan(written, step, {in[0]}, {many}, true));
}

Tensor many_short_steps_by_index(Written written, const Tensors& in) {
  return number_of({run_fori(
      written, 21, [&](const Tensor& i, const Tensor& c) { return c * 0.8 + sin(cast(i, f64) * in[0]); }, in[0])});
}

template <std::int64_t memory>
Tensor within_memory(Written written, const Tensors& in) {
  const Tensor many = concatenate({in[2], in[2] * 0.5, -in[2], sin(in[2]), in[2][range(0, 3)]});  // (19, 3)
  const auto step = [&](const Tensors& c, const Tensors& x) {
    const Tensor next = tanh(matmul(c[0], in[1]) + x[0]);
    return std::pair(Tensors{next, c[1] + 1}, Tensors{next * cast(c[1], f64), x[0] * c[0]});
  };
  return number_of(run_scan(written, step, {in[0], Tensor(2)}, {many}, memory % 2 == 1, memory));
}

template <std::int64_t memory>
Tensor index_within_memory(Written written, const Tensors& in) {
  const auto step = [&](const Tensor& c, const Tensor& i) { return sin(c * in[0]) + cast(i, f64) * 0.1; };
  if (written == Written::looped) {
    return number_of({scan(step, in[0], 23, {.memory = memory})});
  }
  Tensor c = in[0];
  for (std::int64_t i = 0; i < 23; ++i) {
    c = step(c, Tensor(i));
  }
  return number_of({c});
}

}  // namespace

const std::vector<LoopProgram>& loop_programs() {
  static const std::vector<LoopProgram> programs{
      {"a_cell_with_results", cell},
      {"the_last_carry_alone", last_carry_alone},
      {"backwards", backwards},
      {"by_index", by_index},
      {"products_of_several_rows", tall_products},
      {"swapped_carries", swapped_carries},
      {"sums_that_grow_in_place", sums_in_place},
      {"an_integer_carry", integer_carry},
      {"a_loop_in_a_loop", loop_in_loop},
      {"a_branch_in_a_loop", branch_in_loop},
      {"a_branch", branch},
      {"until_something_is_large", until_large},
      {"until_the_steps_are_used_up", until_steps_are_used_up},
      {"a_condition_that_is_false_at_first", never_begun},
      {"a_loop_in_a_while", loop_in_while},
      {"zero_steps", zero_steps},
      {"one_step", one_step},
      {"a_checkpointed_step", checkpointed_step},
      {"a_checkpointed_loop", checkpointed_loop},
      {"a_compiled_step", compiled_step},
      {"operations_of_all_kinds", operations_of_all_kinds},
      {"custom_rules", custom_rules, false},
      {"many_short_steps", many_short_steps},
      {"many_short_steps_backwards", many_short_steps_backwards},
      {"many_short_steps_by_index", many_short_steps_by_index},
      {"within_enough_memory", within_memory<1'000'000>},
      {"within_two_levels", within_memory<600>},
      {"within_two_levels_backwards", within_memory<601>},
      {"within_three_levels", within_memory<420>},
      {"by_index_within_two_levels", index_within_memory<300>},
      {"by_index_within_three_levels", index_within_memory<230>},
  };
  return programs;
}

Tensors loop_arguments(unsigned seed) {
  return {random_tensor({3}, -1, 1, 3 * seed), random_tensor({3, 3}, -1, 1, 3 * seed + 1),
          random_tensor({4, 3}, -1, 1, 3 * seed + 2)};
}

}  // namespace xgrad::testing
