#include "autograd/loops/branch.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "autograd/graph/substitute.hpp"
#include "autograd/loops/body.hpp"
#include "autograd/loops/mapped_program.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/transforms/subprograms.hpp"

namespace xgrad {

namespace detail {

namespace {

using BothPrograms = std::array<Ref<const SubProgram>, 2>;

// The derivatives of two programs: of the same inputs or outputs in both, with zeros where only the other one has them.
struct BothDerivatives {
  BothPrograms programs;  // null: there are none
  std::vector<std::size_t> of;
};

BothDerivatives both_of(const std::array<Derivative, 2>& each, std::span<const Spec> specs, const Tensors& inputs) {
  BothDerivatives both;
  std::set_union(each[0].of.begin(), each[0].of.end(), each[1].of.begin(), each[1].of.end(),
                 std::back_inserter(both.of));
  for (std::size_t k = 0; k < 2 && !both.of.empty(); ++k) {
    Tensors outputs;
    for (const std::size_t i : both.of) {
      const auto found = std::find(each[k].of.begin(), each[k].of.end(), i);
      outputs.push_back(found == each[k].of.end()
                            ? zeros(specs[i].shape, derivative_dtype(specs[i].dtype))
                            : each[k].program->outputs()[static_cast<std::size_t>(found - each[k].of.begin())]);
    }
    both.programs[k] =
        Ref<const SubProgram>(new SubProgram(each[k].program ? each[k].program->inputs() : inputs, outputs));
  }
  return both;
}

Tensors placeholders_like(std::span<const Spec> specs) {
  Tensors placeholders;
  for (const Spec& spec : specs) {
    placeholders.push_back(placeholder(spec, "cond", nullptr));
  }
  return placeholders;
}

BothDerivatives vjps_of(const SubProgram& if_true, const SubProgram& if_false, const Node& node, const Cotangents& ct,
                        Tensors& inputs) {
  Flags wanted;
  Flags has_cotangent;
  for (std::size_t i = 1; i < node.inputs().size(); ++i) {
    wanted.push_back(ct.wanted(i));
    inputs.push_back(node.input(i));
  }
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    has_cotangent.push_back(ct[i].defined());
    if (ct[i].defined()) {
      inputs.push_back(ct[i]);
    }
  }
  std::vector<Spec> specs = specs_of(if_true.inputs());
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (ct[i].defined()) {
      specs.push_back({if_true.outputs()[i].shape(), derivative_dtype(if_true.outputs()[i].dtype())});
    }
  }
  return both_of({vjp_of(if_true, has_cotangent, wanted), vjp_of(if_false, has_cotangent, wanted)}, specs,
                 placeholders_like(specs));
}

BothDerivatives jvps_of(const SubProgram& if_true, const SubProgram& if_false, const Node& node, const Tangents& t,
                        Tensors& inputs, Flags& has_tangent) {
  std::vector<Spec> specs = specs_of(if_true.inputs());
  for (std::size_t i = 1; i < node.inputs().size(); ++i) {
    inputs.push_back(node.input(i));
  }
  for (std::size_t i = 1; i < node.inputs().size(); ++i) {
    has_tangent.push_back(t[i].defined());
    if (t[i].defined()) {
      inputs.push_back(t[i]);
      specs.push_back({specs[i - 1].shape, derivative_dtype(specs[i - 1].dtype)});
    }
  }
  return both_of({jvp_of(if_true, has_tangent), jvp_of(if_false, has_tangent)}, specs_of(if_true.outputs()),
                 placeholders_like(specs));
}

Tensors with_front(const Tensor& first, const Tensors& rest) {
  Tensors all{first};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

// Both programs for all samples, and what was chosen.
Ref<const SubProgram> chosen_of(const SubProgram& if_true, const SubProgram& if_false, const Flags& batched,
                                std::int64_t size) {
  const Ref<const SubProgram> first = vmap_of(if_true, batched, size);
  const Ref<const SubProgram> second = vmap_of(if_false, batched, size);
  const Tensor which = placeholder({{size}, DType::boolean}, "cond", nullptr);
  const Tensors others = second->apply(first->inputs());
  Tensors outputs;
  for (std::size_t i = 0; i < others.size(); ++i) {
    Shape shape{size};
    while (shape.ndim() < others[i].ndim()) {
      shape.push_back(1);
    }
    outputs.push_back(where(reshape(which, shape), first->outputs()[i], others[i]));
  }
  return Ref<const SubProgram>(new SubProgram(with_front(which, first->inputs()), outputs));
}

}  // namespace

Tensors choose_for_each(std::string_view op, const Ref<const SubProgram>& if_true,
                        const Ref<const SubProgram>& if_false, const Tensor& which, const Tensors& inputs,
                        const std::vector<bool>& batched, std::int64_t size) {
  if (!effect_of(op, {if_true.get(), if_false.get()}).empty()) {
    raise<ValueError>(op,
                      "there is an effect that happens for some samples and not for others, but what it is a part of "
                      "runs for all samples; leave the effect out, or move it behind");
  }
  const std::vector<int> flags(batched.begin(), batched.end());
  return apply_op_all(EachBranch{if_true, if_false, flags, size, chosen_of(*if_true, *if_false, batched, size)},
                      with_front(which, inputs));
}

}  // namespace detail

using namespace detail;

std::string_view Branch::effect() const { return effect_of(name, {if_true.get(), if_false.get()}); }

Branch Branch::without_effect() const { return {without_effects(*if_true), without_effects(*if_false)}; }

Specs Branch::infer(Inputs) const { return specs_of(if_true->outputs()); }

void Branch::eval(ConstViews in, Views out) const {
  const bool which = *in[0].as<bool>();
  run(which ? *if_true : *if_false, in.subspan(1), out);
}

Tensors Branch::vjp(const Node& node, const Cotangents& ct) const {
  Tensors inputs{node.input(0)};
  const BothDerivatives both = vjps_of(*if_true, *if_false, node, ct, inputs);
  Tensors gradients(node.inputs().size());
  if (both.programs[0]) {
    const Tensors found = apply_op_all(Branch{both.programs[0], both.programs[1]}, inputs);
    for (std::size_t i = 0; i < found.size(); ++i) {
      gradients[1 + both.of[i]] = found[i];
    }
  }
  return gradients;
}

Tensors Branch::jvp(const Node& node, const Tangents& t) const {
  Tensors inputs{node.input(0)};
  Flags has_tangent;
  const BothDerivatives both = jvps_of(*if_true, *if_false, node, t, inputs, has_tangent);
  Tensors tangents(node.output_count());
  if (both.programs[0]) {
    const Tensors found = apply_op_all(Branch{both.programs[0], both.programs[1]}, inputs);
    for (std::size_t i = 0; i < found.size(); ++i) {
      tangents[both.of[i]] = found[i];
    }
  }
  return tangents;
}

Tensors Branch::vmap(const Node&, const BatchedInputs& in) const {
  const Flags batched(in.batched.begin() + 1, in.batched.end());
  const Tensors inputs(in.tensors.begin() + 1, in.tensors.end());
  if (in.batched[0]) {
    return choose_for_each("cond", if_true, if_false, in[0], inputs, batched, in.size);
  }
  return apply_op_all(Branch{mapped_program(*if_true, batched, in.size), mapped_program(*if_false, batched, in.size)},
                      in.tensors);
}

Flags EachBranch::flags_of_inputs() const { return Flags(batched.begin(), batched.end()); }

Specs EachBranch::infer(Inputs) const { return specs_of(chosen->outputs()); }

Tensors EachBranch::vjp(const Node& node, const Cotangents& ct) const {
  Tensors inputs;
  const BothDerivatives both = vjps_of(*if_true, *if_false, node, ct, inputs);
  Tensors gradients(node.inputs().size());
  if (both.programs[0]) {
    Flags flags = flags_of_inputs();
    flags.resize(inputs.size(), true);  // cotangents have samples
    const Tensors found =
        choose_for_each("cond", both.programs[0], both.programs[1], node.input(0), inputs, flags, size);
    for (std::size_t i = 0; i < found.size(); ++i) {
      gradients[1 + both.of[i]] = flags[both.of[i]] ? found[i] : sum(found[i], 0);
    }
  }
  return gradients;
}

Tensors EachBranch::jvp(const Node& node, const Tangents& t) const {
  Tensors inputs;
  Flags has_tangent;
  const BothDerivatives both = jvps_of(*if_true, *if_false, node, t, inputs, has_tangent);
  Tensors tangents(node.output_count());
  if (both.programs[0]) {
    Flags flags = flags_of_inputs();
    for (std::size_t i = 0; i < batched.size(); ++i) {
      if (has_tangent[i]) {
        flags.push_back(batched[i] != 0);
      }
    }
    const Tensors found =
        choose_for_each("cond", both.programs[0], both.programs[1], node.input(0), inputs, flags, size);
    for (std::size_t i = 0; i < found.size(); ++i) {
      tangents[both.of[i]] = found[i];
    }
  }
  return tangents;
}

// Samples of samples are as many samples.
Tensors EachBranch::vmap(const Node& node, const BatchedInputs& in) const {
  // An input with both axes of samples as one.
  const auto flattened = [&](std::size_t i, bool has_samples) {
    Shape aligned = node.input(i).shape();  // with an axis of size 1 for samples that it does not have
    if (!has_samples) {
      aligned.insert(0, 1);
    }
    aligned.insert(0, in.batched[i] ? in.size : 1);
    Shape all = aligned;
    all[0] = in.size;
    all[1] = size;
    Shape joined = all;
    joined.erase(0);
    joined[0] = in.size * size;
    return reshape(broadcast_to(reshape(in[i], aligned), all), joined);
  };
  Tensors inputs;
  Flags flags;
  for (std::size_t i = 1; i < in.tensors.size(); ++i) {
    const bool has_samples = batched[i - 1] != 0;
    flags.push_back(has_samples || in.batched[i]);
    inputs.push_back(flags.back() ? flattened(i, has_samples) : in[i]);
  }
  Tensors results = choose_for_each("cond", if_true, if_false, flattened(0, true), inputs, flags, in.size * size);
  for (Tensor& result : results) {
    Shape shape = result.shape();
    shape[0] = size;
    shape.insert(0, in.size);
    result = reshape(result, shape);
  }
  return results;
}

}  // namespace xgrad
