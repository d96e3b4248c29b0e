"""The checks of the tree say no where they should: they are tried on small trees, right and wrong ones."""

import pathlib
import sys
import tempfile

import check_includes

GROUND, ABOVE = "autograd/runtime/ground.hpp", "autograd/ops/above.hpp"
INCLUDE_TREES = {
    "downwards is right": ({ABOVE: [GROUND], GROUND: []}, None),
    "a header beside it, by its name alone, is right": ({"tests/ops/rows.cpp": ["rows.hpp"], "tests/ops/rows.hpp": []}, None),
    "upwards": ({GROUND: [ABOVE], ABOVE: []}, f"{GROUND}:2: autograd/runtime includes {ABOVE}"),
    "out of a room into its hall": (
        {"autograd/plan/run/bind.cpp": ["autograd/plan/plan.hpp"], "autograd/plan/plan.hpp": []},
        "autograd/plan is no room below it",
    ),
    "into what users include": ({ABOVE: ["autograd/autograd.hpp"], "autograd/autograd.hpp": []}, "autograd is no room below"),
    "below, but not what it stands on": ({"datasets/csv.cpp": [ABOVE], ABOVE: []}, "datasets/csv.cpp:2: datasets includes"),
    "a circle": (
        {"nn/a.hpp": ["nn/b.hpp"], "nn/b.hpp": ["nn/c.hpp"], "nn/c.hpp": ["nn/a.hpp"]},
        "nn/a.hpp -> nn/b.hpp -> nn/c.hpp -> nn/a.hpp",
    ),
}


def errors_of_includes(tree):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, includes in tree.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("#pragma once\n" + "".join(f'#include "{name}"\n' for name in includes))
        return check_includes.errors_in(root)


def main():
    wrong = 0
    for name, (tree, expected) in INCLUDE_TREES.items():
        errors = errors_of_includes(tree)
        as_expected = expected in errors[0] if expected and len(errors) == 1 else not expected and not errors
        if not as_expected:
            print(f"{name}: expected {expected or 'no error'}, got {errors}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
