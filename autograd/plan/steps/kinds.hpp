#pragma once

/// \file
/// The kinds of steps, by name. A kind is one object, whose address tells it from others; step_kind.hpp says what can be
/// asked of it, and the file of its name has the answers.

namespace xgrad::plan {

struct StepKind;

extern const StepKind* const map_step;         ///< elementwise: `formula` over `space`
extern const StepKind* const product_step;     ///< one product of matrices
extern const StepKind* const column_sum_step;  ///< (n, columns) to (columns)
extern const StepKind* const operation_step;   ///< what the operation itself computes
extern const StepKind* const program_step;     ///< runs another plan; the last output is its working memory
extern const StepKind* const loop_step;        ///< runs another plan many times; the last output is working memory
extern const StepKind* const branch_step;      ///< runs one of two plans; the last output is working memory
extern const StepKind* const scalars_step;     ///< `formula` on single `elements` of small tensors
extern const StepKind* const check_step;       ///< throws when a number of the input is NaN or infinite; no output

}  // namespace xgrad::plan
