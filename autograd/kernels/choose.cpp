#include "autograd/kernels/choose.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
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
#if defined(__x86_64__)
namespace avx2 {
void add_kernels(KernelSet& set);
}
namespace avx512 {
void add_kernels(KernelSet& set);
}
#endif

namespace {

using runtime::InstructionSet;

InstructionSet wanted_instruction_set() {
  const char* text = std::getenv("XGRAD_ISA");
  if (text == nullptr || *text == '\0') {
    return InstructionSet::amx;
  }
  for (const InstructionSet set :
       {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::amx}) {
    if (std::string_view(text) == runtime::to_string(set)) {
      return set;
    }
  }
  raise<ValueError>("instruction_set", phrase("the environment variable XGRAD_ISA is `{}`; set it to baseline, "
                                              "avx2, avx512 or amx, or unset it",
                                              text));
}

/// Whether products by tiles have the bits that they have by vectors: as with OpenBLAS's kernels, what the CPU says of itself
/// is tried before it is relied on.
bool tiles_agree(const KernelSet& set) {
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
  return product(set.tiled_product) == product(set.rounded_product);
}

KernelSet choose() {
  const InstructionSet chosen = std::min(wanted_instruction_set(), runtime::supported_instruction_set());
  KernelSet set{};
  set.name = runtime::to_string(chosen);
  switch (chosen) {
#if defined(__x86_64__)
    case InstructionSet::amx:
      avx512::add_kernels(set);
      if (tiles_agree(set)) {
        set.rounded_product = set.tiled_product;
      } else {
        set.name = runtime::to_string(InstructionSet::avx512);
      }
      break;
    case InstructionSet::avx512: avx512::add_kernels(set); break;
    case InstructionSet::avx2: avx2::add_kernels(set); break;
#endif
    default: baseline::add_kernels(set); break;
  }
  return set;
}

}  // namespace

const KernelSet& chosen_kernels() {
  static const KernelSet set = choose();
  return set;
}

const char* instruction_set() { return chosen_kernels().name; }

}  // namespace xgrad::kernels
