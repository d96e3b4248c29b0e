#include "autograd/loops/scan.hpp"

#include "autograd/loops/body.hpp"
#include "autograd/loops/loop.hpp"
#include "autograd/loops/segments.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

namespace {

// The place where a step made \p carry, for what is wrong with it.
void require_kept(std::string_view op, std::size_t number, const Tensor& before, const Tensor& after) {
  if (!after.defined()) {
    raise<ValueError>(op, "the function returned an empty tensor; return tensors that were computed");
  }
  const Spec first{before.shape(), before.dtype()};
  const Spec next{after.shape(), after.dtype()};
  if (first == next) {
    return;
  }
  const std::string message =
      phrase("carry {} is {} before a step and {} after it; a carry keeps its shape and dtype: ", number,
             to_string(first), to_string(next));
  located(after.node().location(), [&] {
    if (first.shape != next.shape) {
      raise<ShapeError>(op, message + "begin with one of the shape that the step gives, or reshape what it gives");
    }
    raise<DTypeError>(op, message + phrase("cast what the step gives to {}", to_string(first.dtype)));
  });
}

void require_carries(std::string_view op, const Tensors& init, const Tensors& next) {
  if (init.size() != next.size()) {
    raise<ValueError>(op, phrase("the step was given {} carries and returns {}; it returns as many as it is given",
                                 init.size(), next.size()));
  }
  for (std::size_t i = 0; i < init.size(); ++i) {
    require_kept(op, i, init[i], next[i]);
  }
}

void require_some(std::string_view op, const Tensors& init) {
  if (init.empty()) {
    raise<ValueError>(
        op, "there is no carry; give at least one tensor, as vmap is for steps that do not depend on each other");
  }
}

// The number of steps that the slices are for.
std::int64_t common_steps(std::string_view op, const Tensors& xs) {
  if (xs.empty()) {
    raise<ValueError>(op, "there are no slices; give tensors that have a slice for each step, or the number of steps");
  }
  for (const Tensor& x : xs) {
    if (x.ndim() == 0) {
      raise<ShapeError>(op,
                        phrase("xs has a tensor of shape (), which has no slices; give it an axis of steps in front"));
    }
    if (x.shape()[0] != xs[0].shape()[0]) {
      raise<ShapeError>(op, phrase("xs has {} slices in a tensor of shape {} and {} in one of shape {}; they must be "
                                   "equally many",
                                   xs[0].shape()[0], to_string(xs[0].shape()), x.shape()[0], to_string(x.shape())));
    }
  }
  return xs[0].shape()[0];
}

// Index, carries and slices, as a step sees them.
std::vector<Spec> arguments_of(const Tensors& init, const Tensors& xs) {
  std::vector<Spec> specs{{{}, DType::int64}};
  for (const Spec& spec : specs_of(init)) {
    specs.push_back(spec);
  }
  for (Spec spec : specs_of(xs)) {
    spec.shape.erase(0);
    specs.push_back(spec);
  }
  return specs;
}

}  // namespace

Tensors scan(std::string_view op, const Step& step, const Tensors& init, const Tensors& xs, std::int64_t steps,
             bool by_index, const ScanOptions& options, const std::source_location& where) {
  return located(where, [&] {
    require_some(op, init);
    if (by_index && steps < 0) {
      raise<ValueError>(op, phrase("the number of steps is {}; give 0 or more", steps));
    }
    Loop loop;
    loop.steps = by_index ? steps : common_steps(op, xs);
    Body body(op, arguments_of(init, xs));
    loop.reverse = options.reverse;
    const Tensors& arguments = body.arguments();
    Tensors outputs;
    {
      const RecorderScope scope(body);
      const StepTensors next = step(part(arguments, 1, init.size()),
                                    by_index ? part(arguments, 0, 1) : part(arguments, 1 + init.size(), xs.size()));
      require_carries(op, init, next.carries);
      outputs = next.carries;
      outputs.insert(outputs.end(), next.results.begin(), next.results.end());
    }
    body.finish(outputs, Invariants::outside);
    loop.body = body.program(body.captured());
    loop.carries = static_cast<std::int64_t>(init.size());
    loop.slices = static_cast<std::int64_t>(xs.size());
    const LoopInputs inputs{init, xs, body.captured(), Tensor()};
    const bool limited = options.memory != ScanOptions().memory;
    LoopOutputs made =
        limited ? make_loop_within(op, loop, inputs, options.memory, where) : make_loop(loop, inputs, where);
    made.carries.insert(made.carries.end(), made.results.begin(), made.results.end());
    return made.carries;
  });
}

namespace {

Tensor checked_condition(const Tensor& condition) {
  if (!condition.defined()) {
    raise<ValueError>("while_loop", "the condition is an empty tensor; return one that was computed");
  }
  const Spec spec{condition.shape(), condition.dtype()};
  const std::string message = phrase("the condition is {}; it must be boolean(), one truth value: ", to_string(spec));
  located(condition.node().location(), [&] {
    if (!spec.shape.empty()) {
      raise<ShapeError>("while_loop", message + "reduce it by any() or all()");
    }
    if (spec.dtype != DType::boolean) {
      raise<DTypeError>("while_loop", message + "compare it, as in x > 0");
    }
  });
  return condition;
}

}  // namespace

// The condition is a carry, computed at the end of each step, so that everything that can be done with steps can be done with
// it.
Tensors while_loop(const std::function<Tensor(const Tensors&)>& condition,
                   const std::function<Tensors(const Tensors&)>& step, const Tensors& init, const WhileOptions& options,
                   const std::source_location& where) {
  return located(where, [&] {
    require_some("while_loop", init);
    if (options.max_steps < 0) {
      raise<ValueError>("while_loop", phrase("max_steps is {}; give 0 or more", options.max_steps));
    }
    Body test("while_loop", specs_of(init));
    {
      const RecorderScope scope(test);
      test.finish({checked_condition(condition(test.arguments()))}, Invariants::inside);
    }
    const Ref<const SubProgram> goes_on = test.program(test.captured());
    const auto condition_of = [&](Tensors values) {
      values.insert(values.end(), test.captured().begin(), test.captured().end());
      return goes_on->call(values)[0];
    };
    Tensors carries{condition_of(init)};
    carries.insert(carries.end(), init.begin(), init.end());
    Body body("while_loop", arguments_of(carries, {}));
    Tensors next;
    {
      const RecorderScope scope(body);
      next = step(part(body.arguments(), 2, init.size()));
      require_carries("while_loop", init, next);
      next.insert(next.begin(), condition_of(next));
    }
    body.finish(next, Invariants::outside);
    Loop loop;
    loop.steps = options.max_steps;
    loop.stops = true;
    loop.carries = static_cast<std::int64_t>(carries.size());
    loop.body = body.program(body.captured());
    const LoopOutputs made = make_loop(loop, {carries, {}, body.captured(), Tensor()}, where);
    Tensors results = part(made.carries, 1, init.size());
    results.push_back(made.count);
    results.push_back(logical_not(made.carries[0]));
    return results;
  });
}

}  // namespace xgrad::detail
