#include <utility>

#include "autograd/graph/lists.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/loops/body.hpp"
#include "autograd/loops/branch.hpp"
#include "autograd/loops/loop.hpp"
#include "autograd/loops/mapped_program.hpp"
#include "autograd/ops/ops.hpp"

/// \file
/// Loops for many samples at once. Where samples differ in the number of their steps, the loop runs as long as one of them
/// does, and those that have finished keep their carries.

namespace xgrad {

namespace detail {

namespace {

// `batched` as far as it is one, else the same for all samples.
Tensor for_all_samples(const Tensor& tensor, bool batched, std::int64_t size) {
  if (batched) {
    return tensor;
  }
  Shape shape = tensor.shape();
  shape.insert(0, size);
  return broadcast_to(tensor, shape);
}

class Mapped {
 public:
  Mapped(const Loop& loop, const Node& node, const BatchedInputs& in)
      : loop_(loop), node_(node), in_(in), body_(*loop.body), given_(inputs_of(loop, in.tensors)) {
    find_flags();
  }

  Tensors run() {
    const bool differ = loop_.stops ? batched_[1] : loop_.counted && in_.batched.back();
    return differ ? each_for_itself() : all_alike();
  }

 private:
  // Which inputs of the program differ between samples: those carries, too, that come to do so in some step.
  void find_flags() {
    batched_.assign(body_.inputs().size(), false);
    for (std::size_t i = 0; i + 1 < batched_.size(); ++i) {
      batched_[1 + i] = in_.batched[i];
    }
    batched_ = after_all_steps(loop_, batched_, false);
    outputs_batched_ = depending_outputs(body_, batched_, false);
    for (std::size_t i = 0; i < loop_.carry_count(); ++i) {
      outputs_batched_[i] = batched_[1 + i];
    }
  }

  bool needs_result(std::size_t i) const {
    const std::size_t output = loop_.first_result() + i;
    return in_.needed[output] || output < loop_.shown_outputs();
  }

  // The inputs of the new loop: samples on axis 0 of carries and what is captured, on axis 1 of what slices are taken from.
  LoopInputs batched_inputs() const {
    LoopInputs inputs = given_;
    for (std::size_t i = 0; i < inputs.init.size(); ++i) {
      if (batched_[1 + i]) {
        inputs.init[i] = for_all_samples(given_.init[i], in_.batched[i], in_.size);
      }
    }
    for (std::size_t i = 0; i < inputs.xs.size(); ++i) {
      if (in_.batched[loop_.carry_count() + i]) {
        inputs.xs[i] = swapaxes(given_.xs[i], 0, 1);
      }
    }
    return inputs;
  }

  std::vector<Spec> batched_specs() const {
    std::vector<Spec> specs = specs_of(body_.inputs());
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (batched_[i]) {
        specs[i].shape.insert(0, in_.size);
      }
    }
    return specs;
  }

  Tensors all_alike() {
    MappedOutputs outputs;
    for (std::size_t i = 0; i < body_.outputs().size(); ++i) {
      if (i < loop_.carry_count() || needs_result(i - loop_.carry_count())) {
        kept_.push_back(i);
        outputs.batched.push_back(outputs_batched_[i]);
      }
    }
    outputs.numbers = kept_;
    Loop all = loop_;
    all.body = mapped_program(body_, batched_, in_.size, outputs);
    const LoopOutputs made = make_loop(all, batched_inputs(), node_.location());
    return results_of(made.carries, made.results, made.count, false);
  }

  // The outputs of the node. Those of the loop are the kept outputs of the program.
  Tensors results_of(const Tensors& carries, const Tensors& results, const Tensor& count, bool count_is_batched) const {
    Tensors all(node_.output_count());
    for (std::size_t i = 0; i < carries.size(); ++i) {
      all[i] = for_all_samples(carries[i], outputs_batched_[i], in_.size);
    }
    if (loop_.stops) {
      all[loop_.carry_count()] = for_all_samples(count, count_is_batched, in_.size);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::size_t number = kept_[loop_.carry_count() + i];
      all[loop_.first_result() + number - loop_.carry_count()] =
          outputs_batched_[number] ? swapaxes(results[i], 0, 1) : for_all_samples(results[i], false, in_.size);
    }
    return all;
  }

  // A step of one sample that goes on, and of one that has finished.
  std::pair<Ref<const SubProgram>, Ref<const SubProgram>> steps() {
    Tensors goes_on;
    Tensors has_finished;
    for (std::size_t i = 0; i < body_.outputs().size(); ++i) {
      const Tensor& output = body_.outputs()[i];
      if (i < loop_.carry_count()) {
        has_finished.push_back(body_.inputs()[1 + i]);
      } else if (needs_result(i - loop_.carry_count())) {
        has_finished.push_back(zeros(output.shape(), output.dtype()));
      } else {
        continue;
      }
      goes_on.push_back(output);
      kept_.push_back(i);
    }
    return {Ref<const SubProgram>(new SubProgram(body_.inputs(), goes_on, body_.effects())),
            Ref<const SubProgram>(new SubProgram(body_.inputs(), has_finished))};
  }

  // Every carry differs, for samples stop at different times.
  Tensors each_for_itself() {
    std::fill_n(batched_.begin() + 1, loop_.carry_count(), true);
    outputs_batched_.assign(body_.outputs().size(), true);
    const auto [goes_on, has_finished] = steps();
    Tensors old;
    for (const Spec& spec : batched_specs()) {
      old.push_back(placeholder(spec, "loop", nullptr));
    }
    LoopInputs inputs = batched_inputs();
    const Spec counts{{in_.size}, DType::int64};
    const Tensor count = placeholder(counts, "loop", nullptr);  // of a loop that stops a carry, else captured
    const Tensor active = loop_.stops ? old[1] : less(old[0], count);
    const Tensors next = choose_for_each("while_loop", goes_on, has_finished, active, old, batched_, in_.size);
    Tensors program_inputs{old[0]};
    Tensors program_outputs;
    if (loop_.stops) {
      program_inputs.push_back(placeholder({{}, DType::boolean}, "loop", nullptr));
      program_outputs.push_back(any(next[0]));
      inputs.init.insert(inputs.init.begin(), any(inputs.init[0]));
      inputs.init.push_back(zeros(counts.shape, counts.dtype));
    } else {
      inputs.captured.push_back(for_all_samples(given_.count, in_.batched.back(), in_.size));
      inputs.count = in_.size == 0 ? zeros({}, DType::int64) : amax(inputs.captured.back());
    }
    append(program_inputs, part_of(old, 1, loop_.carry_count()));
    append(program_outputs, part_of(next, 0, loop_.carry_count()));
    if (loop_.stops) {
      program_inputs.push_back(count);
      program_outputs.push_back(count + cast(active, DType::int64));
    }
    append(program_inputs, part_of(old, 1 + loop_.carry_count(), old.size() - 1 - loop_.carry_count()));
    if (!loop_.stops) {
      program_inputs.push_back(count);
    }
    append(program_outputs, part_of(next, loop_.carry_count(), next.size() - loop_.carry_count()));
    Loop all = loop_;
    all.body = Ref<const SubProgram>(new SubProgram(program_inputs, program_outputs));
    const LoopOutputs made = make_loop(all, inputs, node_.location());
    const Tensors carries = part_of(made.carries, loop_.stops ? 1 : 0, loop_.carry_count());
    return results_of(carries, made.results, loop_.stops ? made.carries.back() : Tensor(), true);
  }

  const Loop& loop_;
  const Node& node_;
  const BatchedInputs& in_;
  const SubProgram& body_;
  const LoopInputs given_;
  Flags batched_;                  // per input of the program
  Flags outputs_batched_;          // per output of the program
  std::vector<std::size_t> kept_;  // outputs of the program that the new one has
};

}  // namespace

}  // namespace detail

Tensors Loop::vmap(const Node& node, const BatchedInputs& in) const { return detail::Mapped(*this, node, in).run(); }

}  // namespace xgrad
