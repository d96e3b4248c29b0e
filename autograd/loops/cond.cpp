#include "autograd/loops/cond.hpp"

#include <algorithm>
#include <string>

#include "autograd/loops/body.hpp"
#include "autograd/loops/branch.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

namespace {

void require_truth(const Tensor& predicate) {
  const Spec spec{predicate.shape(), predicate.dtype()};
  const std::string message = phrase("the predicate is {}; it must be boolean(), one truth value: ", to_string(spec));
  if (!spec.shape.empty()) {
    raise<ShapeError>("cond", message + "reduce it by any() or all(), or choose elementwise with where()");
  }
  if (spec.dtype != DType::boolean) {
    raise<DTypeError>("cond", message + "compare it, as in x > 0");
  }
}

std::string lengths_text(const Results& results) {
  std::string text;
  for (const std::size_t length : results.lengths) {
    text += phrase("{}{}", text.empty() ? "" : " and ", length);
  }
  return text.empty() ? "no length" : text;
}

Tensors tensors_of_results(const Results& results) {
  Tensors tensors;
  for (std::size_t i = 0; i < results.tensors.size(); ++i) {
    tensors.push_back(results.tensors[i]);
  }
  return tensors;
}

void require_alike(const Results& if_true, const Results& if_false) {
  const Tensors first = tensors_of_results(if_true);
  const Tensors second = tensors_of_results(if_false);
  if (first.size() != second.size() || if_true.lengths != if_false.lengths) {
    raise<ValueError>("cond",
                      phrase("the branches return {} and {} tensors, in lists of {} and {}; they return lists of the "
                             "same lengths",
                             first.size(), second.size(), lengths_text(if_true), lengths_text(if_false)));
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Spec one{first[i].shape(), first[i].dtype()};
    const Spec other{second[i].shape(), second[i].dtype()};
    if (one == other) {
      continue;
    }
    const std::string message =
        phrase("result {} is {} in the first branch and {} in the second; ", i, to_string(one), to_string(other));
    located(second[i].node().location(), [&] {
      if (one.shape != other.shape) {
        raise<ShapeError>("cond", message + "both give the same shape");
      }
      raise<DTypeError>("cond", message + phrase("cast one of them, as in cast(y, DType::{})", to_string(one.dtype)));
    });
  }
}

// What both branches capture.
Tensors united(const Tensors& first, const Tensors& second) {
  Tensors all = first;
  for (const Tensor& tensor : second) {
    if (std::none_of(first.begin(), first.end(), [&](const Tensor& known) { return known.same_as(tensor); })) {
      all.push_back(tensor);
    }
  }
  return all;
}

}  // namespace

Tensors cond(const Tensor& predicate, const BranchFunction& if_true, const BranchFunction& if_false,
             const Tensors& operands, const std::source_location& where) {
  return located(where, [&] {
    require_truth(predicate);
    const auto trace = [&](Body& body, const BranchFunction& f) {
      const RecorderScope scope(body);
      Results results = f(body.arguments());
      body.finish(tensors_of_results(results), Invariants::inside);
      return results;
    };
    Body first("cond", specs_of(operands));
    Body second("cond", specs_of(operands));
    const Results one = trace(first, if_true);
    require_alike(one, trace(second, if_false));
    if (one.tensors.size() == 0) {
      raise<ValueError>("cond", "the branches return no tensors; return at least one");
    }
    const Tensors captured = united(first.captured(), second.captured());
    Tensors inputs{predicate};
    inputs.insert(inputs.end(), operands.begin(), operands.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    return apply_op_all(Branch{first.program(captured), second.program(captured)}, inputs, where);
  });
}

}  // namespace xgrad::detail
