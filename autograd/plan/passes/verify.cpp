#include <optional>

#include "autograd/plan/passes/passes.hpp"
#include "autograd/plan/steps/step_kind.hpp"
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
      if (const std::optional<Fault> fault = step.kind->find_fault(draft_, step)) {
        require(false, fault->what, fault->value);
      }
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
