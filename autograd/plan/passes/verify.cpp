#include <fmt/format.h>

#include "autograd/plan/passes/passes.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::plan {

namespace {

class Verifier {
 public:
  Verifier(const Draft& draft, std::string_view pass) : draft_(draft), pass_(pass), ready_(draft.values.size()) {}

  void run() {
    for (ValueId id = 0; id < draft_.values.size(); ++id) {
      const Value& value = draft_.values[id];
      require(value.memory <= id && value.whole <= id, "an alias comes before its value", id);
      ready_[id] = value.source != Value::Source::computed;
    }
    for (const Step& step : draft_.steps) {
      for (const ValueId input : step.inputs) {
        require(is_ready(input), "a step reads a value that is not there yet", input);
      }
      check(step);
      for (const ValueId output : step.outputs) {
        require(!ready_[output], "a value is computed twice", output);
        ready_[output] = true;
      }
    }
    for (const ValueId output : draft_.outputs) {
      require(is_ready(output), "an output is not computed", output);
    }
  }

 private:
  bool is_ready(ValueId id) const {
    for (; !ready_[id]; id = draft_.values[id].whole) {
      if (draft_.values[id].whole == id) {
        return false;
      }
    }
    return true;
  }

  void check(const Step& step) const {
    if (step.kind == Step::Kind::map) {
      const Program& program = step.formula.program;
      require(program.input_count == step.inputs.size(), "a formula's inputs are not the step's", 0);
      require(program.results.size() == step.outputs.size(), "a formula's results are not the step's outputs", 0);
      for (const ValueId input : step.inputs) {
        require(broadcasts_to(draft_.spec(input).shape, step.space), "a map's input does not fit its space", input);
      }
      std::size_t known = program.first_step();
      for (const Program::Step& each : program.steps) {
        for (const std::uint32_t operand : detail::operands_of(each)) {
          require(operand < known, "a formula uses a number that is not there yet", 0);
        }
        ++known;
      }
    } else if (step.kind == Step::Kind::product) {
      const Product& p = step.product;
      const auto size = [&](ValueId id) { return draft_.spec(id).shape.element_count(); };
      require(size(step.inputs[0]) == p.m * p.k && size(step.inputs[1]) == p.k * p.n &&
                  size(step.outputs[0]) == p.m * p.n * p.k_slabs,
              "the sizes of a product do not fit", step.outputs[0]);
    }
  }

  void require(bool holds, std::string_view what, ValueId id) const {
    if (!holds) {
      raise<Error>("plan", phrase("after the pass `{}`, {} (value {}); this is a mistake in xgrad, please report "
                                  "it, and switch the pass off meanwhile",
                                  pass_, what, id));
    }
  }

  const Draft& draft_;
  std::string_view pass_;
  std::vector<bool> ready_;
};

}  // namespace

void verify(const Draft& draft, std::string_view pass) { Verifier(draft, pass).run(); }

}  // namespace xgrad::plan
