"""Runs those cases of tests/tests that an emulator of another CPU can, within minutes:  emulated.py BUILD EMULATOR...

The last line counts them, as that of run_tests.py does.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "script"))

import run_tests  # noqa: E402

# How the paths of cases that are left out begin, and why.
ALIKE = "long graphs, large memory, much text: minutes, for code that is the same on every CPU"
WAITING = "threads that wait for each other, more than there are processors: minutes, as an emulated wait is long"
LONG_DOUBLE = "compares with long double, which has 113 digits on aarch64, all of them by software, which is emulated"
TIME = "wants things to happen within a certain time, or measures it"
LEFT_OUT = {
    "datasets_schema_training/": ALIKE,
    "formula_long_formulas/": ALIKE,
    "formula_long_maps/": ALIKE,
    "long_plans/": ALIKE,
    "loops_random_loops/": ALIKE,
    "nn_npz/deflated_entries_are_read": ALIKE,
    "plan_cache/plans_that_are_kept_hold_no_memory": ALIKE,
    "plan_evaluate/a_chain_of_a_million_nodes": ALIKE,
    "plan_evaluate/a_long_training_loop_does_not_grow": ALIKE,
    "plan_memory/": ALIKE,
    "plan_random_plans/": ALIKE,
    "plan_scalars/random_graphs_have_the_same_bits_with_the_pass_and_without": ALIKE,
    "transforms_custom_rules/checkpoint_keeps_less_in_memory": ALIKE,
    "transforms_hard_cases/a_long_chain_is_differentiated_in_both_modes": ALIKE,
    "nn_determinism/": WAITING,
    "nn_resume/": WAITING,
    "nn_trainer_rank": WAITING,
    "plan_threads/compiled_": WAITING,
    "nn_trainer/ctrl_c_ends_training": TIME,
    "plan_scaling": TIME,
    "ops_accuracy/": LONG_DOUBLE,
    "ops_table/values/digamma": LONG_DOUBLE,
    "ops_table/values/polygamma": LONG_DOUBLE,
}


def is_wanted(case):
    return not case.startswith(tuple(LEFT_OUT))


def main():
    build, *emulator = sys.argv[1:]
    program = str(pathlib.Path(build) / "tests" / "tests")
    count = run_tests.run_unit_tests([*emulator, program], is_wanted)
    sys.stdout.flush()
    print(count)
    return 0 if count.failed == 0 and count.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
