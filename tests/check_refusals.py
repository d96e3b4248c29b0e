"""What must not compile does not, and the compiler says early what is wrong:  check_refusals.py SOURCE_FOLDER COMPILER...

Each program is one mistake. The key sentence must be among the first lines of the compiler's output: nobody reads on.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
from typing import NamedTuple

LAYER = """
#include "nn/module.hpp"
#include "nn/dense.hpp"
using namespace xgrad;
"""

OP = """
#include "autograd/graph/operation.hpp"
using namespace xgrad;
extern const Tensor x;
"""

LOOP = """
#include "autograd/autograd.hpp"
using namespace xgrad;
extern const Tensor x;
"""

SAVED = """
#include "nn/saved.hpp"
using namespace xgrad;
struct Mine {
  int count = 0;
};
"""


class Refusal(NamedTuple):
    program: str
    words: tuple  # of the key sentence, which every compiler words in its own way
    within: int  # lines of the compiler's output


REFUSALS = {
    "layer without a table": Refusal(
        LAYER
        + """
struct Mine {
  nn::Dense a{4, 4};
  Tensor operator()(const Operand& x) const { return a(x); }
};
nn::Sequential model{Mine()};
""",
        ("a layer names all that holds variables in its table: write `static constexpr auto members = fields(",),
        12,
    ),
    "layer with a member left out": Refusal(
        LAYER
        + """
struct Mine : nn::Layer<Mine> {
  nn::Dense a{4, 4};
  double rate = 0.5;
  nn::Dense b{4, 4};
  static constexpr auto members = fields("a", &Mine::a);
  Tensor operator()(const Operand& x) const { return b(a(x)); }
};
const auto parameters = Mine().parameters();
""",
        ("a layer names all that holds variables in its table: write `static constexpr auto members = fields(",),
        12,
    ),
    "name for PyTorch of no member": Refusal(
        LAYER
        + """
struct Mine : nn::Layer<Mine> {
  nn::Dense a{4, 4};
  static constexpr auto members = fields("a", &Mine::a);
  static constexpr std::array torch_names = {nn::TorchName{"fc", "a"}};
  Tensor operator()(const Operand& x) const { return a(x); }
};
const auto parameters = Mine().parameters();
""",
        ("a row of `torch_names` begins with a name from the table `members`",),
        12,
    ),
    "no layer in a Sequential": Refusal(
        LAYER + "nn::Sequential model(nn::Dense(3, 4), 7, nn::Dense(3, 4));",
        ("a layer has `Tensor operator()(const Operand& x) const`",),
        8,
    ),
    "activation that is an op": Refusal(
        LAYER + "nn::Sequential model(nn::Dense(3, 4), nn::relu);",
        ("relu", "xgrad::nn"),
        2,
    ),
    "loss of one tensor": Refusal(
        """
#include "nn/dense.hpp"
#include "nn/optimizers/adam.hpp"
#include "nn/trainer.hpp"
using namespace xgrad;
const nn::Dense model(3, 4);
nn::Trainer trainer(model, nn::Adam(model.parameters()), [](const Tensor& p) { return p; });
""",
        ("a loss takes predictions and targets: write `[](const Tensor& predictions, const Tensor& targets)",),
        6,
    ),
    "misspelt option": Refusal(
        """
#include "nn/optimizers/adam.hpp"
using namespace xgrad;
nn::Adam adam(nn::Variables{}, {.learning_rat = 0.1});
""",
        ("initializer list", "AdamOptions"),
        12,
    ),
    "step without a slice": Refusal(
        LOOP
        + """
const Tensor last = scan([](const Tensor& carry) { return carry; }, x, x);
""",
        ("the function of a step takes the carry and a slice of xs, or the index, in the structures that they are given in",),
        12,
    ),
    "step that gives no carry": Refusal(
        LOOP
        + """
const auto last = scan([](const Tensors& c, const Tensor&) { return c[0]; }, Tensors{x, x}, 3);
""",
        ("the function of a step returns the carry in the structure that it was given in",),
        12,
    ),
    "while without a carry": Refusal(
        LOOP
        + """
const auto found = while_loop([] { return true; }, [](const Tensor& c) { return c; }, x);
""",
        ("condition and step take the carry in the structure that it is given in",),
        12,
    ),
    "branches of different structures": Refusal(
        LOOP
        + """
const auto y = cond(x, [](const Tensor& c) { return Tensors{c, c}; }, [](const Tensor& c) { return c; }, x);
""",
        ("both branches of cond return the same structure",),
        12,
    ),
    "op without infer": Refusal(
        OP
        + """
struct Twice {
  static constexpr std::string_view name = "twice";
  void eval(ConstViews, Views) const {}
};
const Tensor y = apply_op(Twice(), {x});
""",
        ("an op needs infer: `Spec infer(Inputs in) const",),
        8,
    ),
    "thing that a Saved cannot keep": Refusal(
        SAVED
        + """
void keep(nn::Saved& saved) { saved.put("mine", Mine()); }
""",
        ("what is put into a Saved is a number, a text, a Tensor",),
        6,
    ),
    "thing that a Saved cannot give": Refusal(
        SAVED
        + """
void take(const nn::Saved& saved, Mine& mine) { saved.load("mine", mine); }
""",
        ("what is loaded from a Saved is a number, a text, a Variable",),
        6,
    ),
    "op without eval": Refusal(
        OP
        + """
struct Twice {
  static constexpr std::string_view name = "twice";
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
};
const Tensor y = apply_op(Twice(), {x});
""",
        ("an op needs eval: `void eval(ConstViews in, Views out) const`",),
        8,
    ),
    "op without a name": Refusal(
        OP
        + """
struct Twice {
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews, Views) const {}
};
const Tensor y = apply_op(Twice(), {x});
""",
        ("an op needs a name",),
        8,
    ),
}


def report(source, compiler, name, refusal):
    """The place of the sentence in the compiler's output, and whether it is where it must be."""
    command = [*compiler, "-std=c++20", "-fsyntax-only", "-fdiagnostics-color=never", f"-I{source}", "-x", "c++", "-"]
    result = subprocess.run(command, input=refusal.program, capture_output=True, text=True)
    # Without the user's code, which later versions of GCC quote more often.
    lines = [line for line in result.stderr.splitlines() if not re.match(r"\s*\d* \|", line)]
    found = next((i + 1 for i, line in enumerate(lines) if all(word in line for word in refusal.words)), None)
    good = result.returncode != 0 and found is not None and found <= refusal.within
    text = f"{name}: line {found} of {len(lines)}, expected within {refusal.within}"
    return good, text if good else f"{text}\n{chr(10).join(lines[:40])}"


def main():
    source, *compiler = sys.argv[1:]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda item: report(source, compiler, *item), REFUSALS.items()))
    print(*(text for _, text in results), sep="\n")
    return 0 if all(good for good, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
