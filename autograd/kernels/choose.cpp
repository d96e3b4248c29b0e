#include "autograd/kernels/choose.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

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
    return InstructionSet::avx512;
  }
  for (const InstructionSet set : {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
    if (std::string_view(text) == runtime::to_string(set)) {
      return set;
    }
  }
  raise<ValueError>("instruction_set", phrase("the environment variable XGRAD_ISA is `{}`; set it to baseline, "
                                              "avx2 or avx512, or unset it",
                                              text));
}

KernelSet choose() {
  const InstructionSet chosen = std::min(wanted_instruction_set(), runtime::supported_instruction_set());
  KernelSet set{};
  set.name = runtime::to_string(chosen);
  switch (chosen) {
#if defined(__x86_64__)
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
