#include "autograd/formula/formula.hpp"

#include <memory>
#include <mutex>
#include <vector>

#include "autograd/formula/builder.hpp"
#include "autograd/formula/code.hpp"
#include "autograd/formula/derivatives.hpp"
#include "autograd/formula/kinds.hpp"
#include "autograd/formula/parts.hpp"
#include "autograd/formula/pieces.hpp"
#include "autograd/formula/text.hpp"
#include "autograd/runtime/cache.hpp"
#include "autograd/runtime/fork.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad {

/// What the handles of a formula share: its program and what follows from it.
struct Formula::Shared {
  /// A derivative, once it has been found. The table below keeps the formula: some formulas are their own derivatives, and
  /// would keep themselves alive. When the table has forgotten it, it is found again.
  struct Slot {
    enum class State : std::uint8_t { unknown, zero, known };
    State state = State::unknown;
    bool simplified = false;
    std::weak_ptr<const Shared> formula;
    std::vector<std::uint32_t> arguments;  // never changes once known
  };

  Shared(Program p, std::string_view n)
      : name(n),
        program(std::move(p)),
        hash(runtime::combine_hashes(runtime::hash_text(n), detail::hash_of(detail::in_order_of_results(program)))) {}

  /// \throws ValueError when truth values and numbers are mixed up.
  void complete() {
    kinds = detail::infer_kinds(program);
    if (program.steps.size() <= detail::longest_program) {
      code = detail::assemble(program);
    }
    partials = std::make_unique<Slot[]>(program.input_count);
  }

  std::size_t bytes() const {
    return sizeof(Shared) + name.size() + program.constants.size() * sizeof(double) +
           program.steps.size() * sizeof(Program::Step) + code.code.size() * sizeof(kernels::Instruction) +
           program.input_count * sizeof(Slot);
  }

  std::string name;
  Program program;
  std::uint64_t hash;
  detail::FormulaKinds kinds;
  detail::MapCode code;
  std::unique_ptr<Slot[]> partials;
  mutable std::unique_ptr<const std::vector<detail::FormulaPiece>> pieces;  // never changes once known
};

namespace {

struct HashOfFormula {
  std::size_t operator()(const auto* formula) const { return formula->hash; }
};

struct SameFormula {
  bool operator()(const auto* a, const auto* b) const {
    return a == b || (a->hash == b->hash && a->name == b->name && a->program == b->program);
  }
};

}  // namespace

// Equal formulas are one object, so a formula written inside a loop keeps the derivatives found in its first round.
std::shared_ptr<const Formula::Shared> Formula::share(Program program, std::string_view name) {
  using Table = runtime::Cache<const Shared*, std::shared_ptr<const Shared>, HashOfFormula, SameFormula>;
  static auto& table = *new Table(4096, std::size_t{64} << 20);  // never destroyed, as formulas in static variables
  const auto shared = std::make_shared<Shared>(std::move(program), name);
  if (const auto known = table.find(shared.get())) {
    return *known;
  }
  shared->complete();
  return table.insert(shared.get(), shared, shared->bytes());
}

bool Formula::same(const Formula& a, const Formula& b) { return SameFormula()(a.shared_.get(), b.shared_.get()); }

Formula::Formula(Program program, std::string_view name) : shared_(share(std::move(program), name)) {}

const std::string& Formula::name() const { return shared_->name; }
const Program& Formula::program() const { return shared_->program; }
std::uint64_t Formula::hash() const { return shared_->hash; }
const detail::FormulaKinds& Formula::kinds() const { return shared_->kinds; }
const detail::MapCode& Formula::code() const { return shared_->code; }

std::optional<Partial> Formula::partial(std::size_t input) const {
  Shared::Slot& slot = shared_->partials[input];
  {
    const std::lock_guard lock(runtime::lock_of(shared_.get()));
    if (slot.state == Shared::Slot::State::zero) {
      return std::nullopt;
    }
    if (auto formula = slot.formula.lock()) {
      return Partial{Formula(std::move(formula)), slot.arguments, slot.simplified};
    }
  }
  auto derivative = detail::differentiate(program(), input);
  if (!derivative) {
    const std::lock_guard lock(runtime::lock_of(shared_.get()));
    slot.state = Shared::Slot::State::zero;
    return std::nullopt;
  }
  Formula formula(std::move(derivative->program));
  const std::lock_guard lock(runtime::lock_of(shared_.get()));
  if (slot.state == Shared::Slot::State::unknown) {
    slot.state = Shared::Slot::State::known;
    slot.simplified = derivative->simplified;
    slot.arguments = std::move(derivative->arguments);
  }
  slot.formula = formula.shared_;
  return Partial{std::move(formula), slot.arguments, slot.simplified};
}

const std::vector<detail::FormulaPiece>& Formula::pieces() const {
  {
    const std::lock_guard lock(runtime::lock_of(shared_.get()));
    if (shared_->pieces) {
      return *shared_->pieces;
    }
  }
  // Under no lock, as a child of a fork would wait for it for ever. Of two threads, the first one's are kept.
  auto pieces = std::make_unique<std::vector<detail::FormulaPiece>>();
  for (detail::ProgramPiece& piece : detail::cut(program(), detail::longest_piece)) {
    pieces->push_back({Formula(std::move(piece.program), name()), std::move(piece.inputs), std::move(piece.outputs)});
  }
  const std::lock_guard lock(runtime::lock_of(shared_.get()));
  if (!shared_->pieces) {
    shared_->pieces = std::move(pieces);
  }
  return *shared_->pieces;
}

namespace {

struct DerivativeKey {
  Formula formula;
  bool forward;
  std::vector<bool> given;
  std::vector<bool> wanted;
  friend bool operator==(const DerivativeKey&, const DerivativeKey&) = default;
};

struct HashOfDerivative {
  std::size_t operator()(const DerivativeKey& key) const {
    std::uint64_t hash = runtime::combine_hashes(key.formula.hash(), key.forward);
    for (const std::vector<bool>* list : {&key.given, &key.wanted}) {
      for (const bool each : *list) {
        hash = runtime::combine_hashes(hash, each);
      }
    }
    return hash;
  }
};

std::shared_ptr<const detail::FormulaDerivative> find_derivative(const DerivativeKey& key) {
  using Found = std::shared_ptr<const detail::FormulaDerivative>;
  static auto& table = *new runtime::Cache<DerivativeKey, Found, HashOfDerivative>(4096, std::size_t{64} << 20);
  if (const auto known = table.find(key)) {
    return *known;
  }
  const Program& program = key.formula.program();
  detail::DerivativeProgram derivative =
      key.forward ? detail::push_forward(program, key.given) : detail::pull_back(program, key.given, key.wanted);
  const std::size_t bytes = derivative.program.steps.size() * sizeof(Program::Step);
  return table.insert(
      key,
      std::make_shared<const detail::FormulaDerivative>(detail::FormulaDerivative{
          Formula(std::move(derivative.program)), std::move(derivative.arguments), std::move(derivative.places)}),
      bytes);
}

}  // namespace

std::shared_ptr<const detail::FormulaDerivative> Formula::pullback(const std::vector<bool>& given,
                                                                   const std::vector<bool>& wanted) const {
  return find_derivative({*this, false, given, wanted});
}

std::shared_ptr<const detail::FormulaDerivative> Formula::pushforward(const std::vector<bool>& given) const {
  return find_derivative({*this, true, given, {}});
}

void Formula::record(Call call, const void* f, std::size_t input_count, std::string_view name) {
  detail::FormulaBuilder builder;
  std::vector<Scalar> inputs;
  for (std::size_t i = 0; i < input_count; ++i) {
    inputs.push_back(builder.add_input());
  }
  const Scalar result = call(f, inputs.data());
  shared_ = share(builder.finish(std::span(&result, 1)), name);
}

std::string to_string(const Formula& formula) { return detail::to_string(formula.program()); }

}  // namespace xgrad
