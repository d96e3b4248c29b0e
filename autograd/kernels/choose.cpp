#include "autograd/kernels/choose.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::kernels {

namespace baseline {
void add_kernels(KernelSet& set);
}
namespace avx2 {
void add_kernels(KernelSet& set);
}
namespace avx512 {
void add_kernels(KernelSet& set);
}
namespace neon {
void add_kernels(KernelSet& set);
}

namespace {

using runtime::InstructionSet;

struct CompiledSet {
  InstructionSet instructions;
  void (*add_kernels)(KernelSet& set);
};

/// What the library was compiled for, as the build says, each set including the one before.
constexpr CompiledSet compiled_sets[] = {
#ifdef XGRAD_HAS_BASELINE
    {InstructionSet::baseline, baseline::add_kernels},
#endif
#ifdef XGRAD_HAS_AVX2
    {InstructionSet::avx2, avx2::add_kernels},
#endif
#ifdef XGRAD_HAS_AVX512
    {InstructionSet::avx512, avx512::add_kernels},     {InstructionSet::avx512_bf16, avx512::add_kernels},
    {InstructionSet::amx, avx512::add_kernels},
#endif
#ifdef XGRAD_HAS_NEON
    {InstructionSet::neon, neon::add_kernels},
#endif
};

/// `baseline, avx2, avx512, avx512_bf16 or amx`.
std::string compiled_names() {
  std::string names;
  for (const CompiledSet& each : compiled_sets) {
    const char* separator = &each == std::begin(compiled_sets)     ? ""
                            : &each + 1 == std::end(compiled_sets) ? " or "
                                                                   : ", ";
    names += separator;
    names += runtime::to_string(each.instructions);
  }
  return names;
}

InstructionSet wanted_instruction_set() {
  const char* text = std::getenv("XGRAD_ISA");
  if (text == nullptr || *text == '\0') {
    return std::rbegin(compiled_sets)->instructions;
  }
  for (const CompiledSet& each : compiled_sets) {
    if (std::string_view(text) == runtime::to_string(each.instructions)) {
      return each.instructions;
    }
  }
  raise<ValueError>(
      "instruction_set",
      phrase("the environment variable XGRAD_ISA is `{}`; set it to {}, which the library has, or unset it", text,
             compiled_names()));
}

KernelSet choose() {
  const InstructionSet supported = runtime::supported_instruction_set();
  const InstructionSet wanted = wanted_instruction_set();
  const bool wants_slow_pairs =
      wanted == InstructionSet::avx512_bf16 && supported == InstructionSet::avx512 && runtime::has_bfloat16_pairs();
  const InstructionSet limit = wants_slow_pairs ? wanted : std::min(wanted, supported);
  const auto chosen = std::find_if(std::rbegin(compiled_sets), std::rend(compiled_sets),
                                   [limit](const CompiledSet& each) { return each.instructions <= limit; });
  if (chosen == std::rend(compiled_sets)) {
    raise<ValueError>(
        "instruction_set",
        phrase("the library was compiled for machines with {} alone, and this one has {}; configure its build "
               "with -Dinstruction_sets=all",
               compiled_names(), runtime::to_string(supported)));
  }
  KernelSet set{};
  set.name = runtime::to_string(chosen->instructions);
  chosen->add_kernels(set);
  return set;
}

/// Whether products by special instructions have the bits that they have by vectors: as with OpenBLAS's kernels, what the CPU
/// says of itself is tried before it is relied on.
bool agree(const ProductKernels& special, const ProductKernels& by_vectors) {
  constexpr std::int64_t size = 72;  // whole tiles, and parts of one
  std::vector<float> factors(2 * size * size);
  std::uint32_t state = 1;
  for (float& each : factors) {
    state = state * 1664525 + 1013904223;
    each = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31F;
  }
  const auto product = [&](const ProductKernels& kernels) {
    std::vector<float> result(size * size);
    const ProductJob job{size,
                         size,
                         size,
                         {factors.data(), size, false},
                         {factors.data() + size * size, size, false},
                         result.data(),
                         size,
                         1,
                         false,
                         false,
                         2};
    std::vector<std::byte> scratch(kernels.scratch_bytes(job));
    kernels.multiply(job, scratch.data());
    return result;
  };
  return product(special) == product(by_vectors);
}

}  // namespace

const KernelSet& chosen_kernels() {
  static const KernelSet set = choose();
  return set;
}

const RoundedProducts& rounded_products() {
  static const RoundedProducts chosen = [] {
    const KernelSet& set = chosen_kernels();
    const auto is = [&](InstructionSet instructions) {
      return set.name == std::string_view(runtime::to_string(instructions));
    };
    if (is(InstructionSet::amx) && runtime::request_tiles() && agree(set.tiled_product, set.rounded_product)) {
      return RoundedProducts{set.tiled_product, "AMX"};
    }
    if (is(InstructionSet::avx512_bf16) && runtime::has_bfloat16_pairs() &&
        agree(set.dotted_product, set.rounded_product)) {
      return RoundedProducts{set.dotted_product, "AVX-512 BF16"};
    }
    return RoundedProducts{set.rounded_product, ""};
  }();
  return chosen;
}

const char* instruction_set() { return chosen_kernels().name; }

}  // namespace xgrad::kernels
