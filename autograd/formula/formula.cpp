#include "autograd/formula/formula.hpp"

#include <mutex>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "autograd/formula/builder.hpp"
#include "autograd/formula/code.hpp"
#include "autograd/formula/derivatives.hpp"
#include "autograd/formula/kinds.hpp"
#include "autograd/formula/text.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad {

/// What the handles of a formula share: its program and what follows from it.
struct Formula::Shared {
  struct Slot {
    std::once_flag once;
    std::optional<Formula> formula;
    std::vector<std::uint32_t> arguments;
  };

  Shared(Program p, std::string_view n)
      : name(n),
        program(std::move(p)),
        hash(runtime::combine_hashes(runtime::hash_text(n), detail::hash_of(program))) {}

  std::string name;
  Program program;
  std::uint64_t hash;
  detail::FormulaKinds kinds;
  detail::MapCode code;
  std::unique_ptr<Slot[]> partials;
};

std::shared_ptr<const Formula::Shared> Formula::share(Program program, std::string_view name) {
  constexpr std::size_t most_steps = 4096;
  if (program.steps.size() > most_steps) {
    raise<ValueError>("formula", fmt::format("more than {} steps; split it into several formulas", most_steps));
  }
  auto shared = std::make_shared<Shared>(std::move(program), name);
  static std::mutex mutex;
  static auto& known = *new std::unordered_multimap<std::uint64_t, std::shared_ptr<const Shared>>;
  constexpr std::size_t most = 4096;
  {
    const std::lock_guard lock(mutex);
    const auto [first, last] = known.equal_range(shared->hash);
    for (auto each = first; each != last; ++each) {
      if (each->second->program == shared->program && each->second->name == name) {
        return each->second;
      }
    }
  }
  shared->kinds = detail::infer_kinds(shared->program);
  shared->code = detail::assemble(shared->program);
  shared->partials = std::make_unique<Shared::Slot[]>(shared->program.input_count);
  const std::lock_guard lock(mutex);
  if (known.size() < most) {
    known.emplace(shared->hash, shared);
  }
  return shared;
}

bool Formula::same(const Formula& a, const Formula& b) {
  return a.hash() == b.hash() && a.name() == b.name() && a.program() == b.program();
}

Formula::Formula(Program program, std::string_view name) : shared_(share(std::move(program), name)) {}

const std::string& Formula::name() const { return shared_->name; }
const Program& Formula::program() const { return shared_->program; }
std::uint64_t Formula::hash() const { return shared_->hash; }
const detail::FormulaKinds& Formula::kinds() const { return shared_->kinds; }
const detail::MapCode& Formula::code() const { return shared_->code; }

std::optional<Partial> Formula::partial(std::size_t input) const {
  Shared::Slot& slot = shared_->partials[input];
  std::call_once(slot.once, [&] {
    if (auto derivative = detail::differentiate(program(), input)) {
      slot.formula.emplace(std::move(derivative->program));
      slot.arguments = std::move(derivative->arguments);
    }
  });
  return slot.formula ? std::optional(Partial{*slot.formula, slot.arguments}) : std::nullopt;
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
