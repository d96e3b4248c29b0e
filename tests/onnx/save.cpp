#include "onnx/save.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "onnx/elements.hpp"
#include "onnx/model_file.hpp"
#include "tests/onnx/cases.hpp"
#include "tests/onnx/loop_cases.hpp"
#include "tests/onnx/network_cases.hpp"
#include "tests/onnx/validity.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_save)

namespace {

using onnx::any_size;
using Names = std::vector<std::string>;

/// A place for a file, and what is in it.
struct Saved {
  testing::FolderInMemory folder;
  std::filesystem::path path = folder.path() / "model.onnx";

  onnx::proto::ModelProto model() const {
    testing::check_valid(path);
    return onnx::read_model("load", path);
  }
  /// The operators of all nodes, in order.
  Names operators() const {
    const auto written = model();
    Names names;
    for (const auto& node : written.graph().node()) {
      names.push_back(node.op_type());
    }
    return names;
  }
};

template <class List>
Names names_in(const List& list) {
  Names names;
  for (const auto& each : list) {
    names.push_back(each.name());
  }
  return names;
}

void check_names(const Names& actual, const Names& expected) {
  BOOST_CHECK_EQUAL_COLLECTIONS(actual.begin(), actual.end(), expected.begin(), expected.end());
}

std::string here(int line) {
  return std::string(__FILE__).substr(std::string(__FILE__).rfind('/') + 1) + ":" + std::to_string(line);
}

struct Own {
  static constexpr std::string_view name = "own";
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews, Views) const {}
};

// Those of a name that the table has are told from them by attributes or shapes.
struct OwnTranspose : Own {
  static constexpr std::string_view name = "transpose";
};
struct OwnAlias : Own {
  static constexpr std::string_view name = "alias";
  Spec infer(Inputs) const { return {{2}, DType::float32}; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_layer_has_its_parameters_by_path) {
  const nn::Sequential model(nn::Dense(4, 3), nn::ReLU(), nn::BatchNorm(3));
  const Saved saved;
  const onnx::Signature signature = onnx::save(saved.path, model, {.input = {{any_size, 4}}});
  const auto written = saved.model();
  BOOST_TEST(written.ir_version() == 8);
  BOOST_TEST(onnx::opset_of(written) == 17);
  BOOST_TEST(written.producer_name() == "xgrad");
  BOOST_TEST(!written.producer_version().empty());
  check_names(signature.inputs, {"input"});
  check_names(signature.outputs, {"output"});
  check_names(names_in(written.graph().input()), {"input"});
  check_names(names_in(written.graph().output()), {"output"});
  const auto state = model.state();
  int parameters = 0;
  for (const auto& tensor : written.graph().initializer()) {
    if (const auto named = state.find(tensor.name()); named != state.end()) {
      ++parameters;
      const Tensor expected(named->second);
      testing::check_elements(Tensor(onnx::to_array("load", tensor)), expected.shape(), testing::elements(expected));
    }
  }
  BOOST_TEST(parameters == 6);  // all but the number of batches, which inference does not read
  const auto& shape = written.graph().input(0).type().tensor_type().shape();
  BOOST_TEST(shape.dim(0).dim_param() == "batch");
  BOOST_TEST(shape.dim(1).dim_value() == 4);
  BOOST_TEST(written.graph().output(0).type().tensor_type().shape().dim(0).dim_param() == "batch");
}

BOOST_AUTO_TEST_CASE(a_buffer_is_written_once) {
  const Variable weight(testing::random_tensor({3, 3}), "weight");
  const Variable twin = weight.clone();
  const Saved saved;
  onnx::save(saved.path, [&](const Tensor& x) { return matmul(matmul(matmul(x, weight), weight), twin); },
             {{{2, 3}, DType::float64}});
  check_names(names_in(saved.model().graph().initializer()), {"weight"});
}

BOOST_AUTO_TEST_CASE(a_step_takes_old_contents_and_gives_new_ones) {
  const nn::Dense model(4, 3);
  const Variable rate(0.1F, "rate");
  const Tensor before = model.weight().read();
  const Saved saved;
  const auto step = [&](const Tensor& x) {
    const Tensor loss = mean(square(model(x)));
    for (const Variable& each : model.parameters()) {
      each.assign(each - rate * grad(loss, each.read()));
    }
    return loss;
  };
  const onnx::Signature signature = onnx::save(saved.path, step, {{{any_size, 4}}}, {.output_names = {"loss"}});
  check_names(signature.inputs, {"input", "weight", "bias"});
  check_names(signature.outputs, {"loss", "weight.new", "bias.new"});
  BOOST_TEST(signature.updated.size() == 2U);
  BOOST_TEST(signature.updated[0].variable.same_as(model.weight()));
  BOOST_TEST(model.weight().read().same_as(before));
  const auto written = saved.model();
  check_names(names_in(written.graph().input()), signature.inputs);
  check_names(names_in(written.graph().output()), signature.outputs);
  const Names initialisers = names_in(written.graph().initializer());
  BOOST_TEST(std::count(initialisers.begin(), initialisers.end(), "rate") == 1);
  BOOST_TEST(std::count(initialisers.begin(), initialisers.end(), "weight") == 0);
}

BOOST_AUTO_TEST_CASE(what_was_assigned_is_read) {
  const Variable count(1.0F, "count");
  const Saved saved;
  const auto twice = [&](const Tensor& x) {
    count.assign(count + x);
    count.assign(count * x);
    return count.read() + 1.0;
  };
  onnx::save(saved.path, twice, {{{}}});
  check_names(saved.operators(), {"Add", "Mul", "Add", "Identity", "Identity"});
}

BOOST_AUTO_TEST_CASE(variables_are_called_as_the_user_says_and_no_two_alike) {
  const nn::Sequential model(nn::Dense(2, 2), nn::Dense(2, 2));
  const Saved saved;
  const auto call = [&](const Tensor& x) { return model(x); };
  onnx::save(saved.path, call, {{{1, 2}}}, {.variables = model.named_variables()});
  check_names(names_in(saved.model().graph().initializer()), {"0.weight", "0.bias", "1.weight", "1.bias"});
  onnx::save(saved.path, call, {{{1, 2}}}, {.input_names = {"weight"}});
  check_names(names_in(saved.model().graph().initializer()), {"weight_1", "bias", "weight_2", "bias_1"});
}

BOOST_AUTO_TEST_CASE(all_refusals_are_told_in_one_error) {
  const Saved saved;
  int cumprod_line = 0, normal_line = 0;
  const auto function = [&](const Tensor& x) {
    cumprod_line = __LINE__ + 1;
    const Tensor a = cumprod(x, 0);
    const Tensor b = cumprod(a, 0);
    normal_line = __LINE__ + 1;
    return b + random::normal(random::Key(1), {3}) + topk(x, 2).values[0];
  };
  try {
    onnx::save(saved.path, function, {{{3}}});
    BOOST_ERROR("nothing was refused");
  } catch (const ValueError& error) {
    const std::string text = error.what();
    for (const std::string& part :
         {std::string("[onnx::save]"), std::string("linear_recurrence (2, first at "), here(cumprod_line),
          std::string("random_normal (1 at "), here(normal_line), std::string("argsort (1 at ")}) {
      BOOST_TEST(text.find(part) != std::string::npos, part << " is not in " << text);
    }
  }
  BOOST_TEST(!std::filesystem::exists(saved.path));
}

BOOST_AUTO_TEST_CASE(operations_of_the_user_are_refused_by_name) {
  const Saved saved;
  const auto save = [&](const auto& operation) {
    return [&] { onnx::save(saved.path, [&](const Tensor& x) { return apply_op(operation, {x}); }, {{{3}}}); };
  };
  testing::check_throws<ValueError>(save(Own()), {"[onnx::save]", "own (1 at", "not in the table"});
  testing::check_throws<ValueError>(save(OwnAlias()), {"[onnx::save]", "alias (1 at", "another operation"});
  testing::check_throws<ValueError>(save(OwnTranspose()), {"[onnx::save]", "transpose (1 at", "no attribute axes"});
}

BOOST_AUTO_TEST_CASE(sizes_may_be_multiples_of_the_batch_alone) {
  const Saved saved;
  const auto save = [&](const auto& function) { return [&] { onnx::save(saved.path, function, {{{any_size, 4}}}); }; };
  int line = 0;
  const auto one_more = [&](const Tensor& x) {
    line = __LINE__ + 1;
    return concatenate({x, ones({1, 4})}, 0);
  };
  testing::check_throws<ValueError>(save(one_more), {"[onnx::save]", "concatenate (1 at", "no multiple"});
  testing::check_throws<ValueError>(save(one_more), {here(line)});
  const auto less_one = [](const Tensor& x) { return x * static_cast<double>(x.shape(0) - 1); };
  testing::check_throws<ValueError>(save(less_one), {"constant (1 at", "no multiple"});
  const auto unrolled = [](const Tensor& x) {
    Tensor total = x[0];
    for (std::int64_t i = 1; i < x.shape(0); ++i) {
      total = total + x[i];
    }
    return total;
  };
  testing::check_throws<ValueError>(save(unrolled), {"depends on the size of the batch, first at", "save.cpp"});
  // A size that is by chance that of the trace is none of the batch.
  const Tensor sevens = testing::make_tensor(std::vector<double>(28, 1), {7, 4}, DType::float32);
  const auto chance = [&](const Tensor& x) { return matmul(x, transpose(sevens)); };
  save(chance)();
  const auto output = saved.model().graph().output(0).type().tensor_type().shape();
  BOOST_TEST(output.dim(0).dim_param() == "batch");
  BOOST_TEST(output.dim(1).dim_value() == 7);
}

BOOST_AUTO_TEST_CASE(a_mean_over_the_batch_divides_by_its_size) {
  const Saved saved;
  onnx::save(saved.path, [](const Tensor& x) { return mean(x); }, {{{any_size, 4}}});
  check_names(saved.operators(), {"Shape", "Squeeze", "Cast", "Mul", "ReduceSum", "Div", "Identity"});
}

BOOST_AUTO_TEST_CASE(float64_is_written_as_float32_when_asked_for) {
  const Variable weight(testing::random_tensor({3, 3}), "weight");
  const auto function = [&](const Tensor& x) { return cast(x, DType::float64) * 0.5 + matmul(weight, weight); };
  const Saved saved;
  const auto types = [&](bool as_float32) {
    onnx::save(saved.path, function, {{{3, 3}}}, {.as_float32 = as_float32});
    const auto model = saved.model();
    std::vector<int> found;
    for (const auto& tensor : model.graph().initializer()) {
      found.push_back(tensor.data_type());
    }
    found.push_back(model.graph().output(0).type().tensor_type().elem_type());
    return found;
  };
  const auto all_are = [](const std::vector<int>& found, int type) {
    return std::all_of(found.begin(), found.end(), [type](int each) { return each == type; });
  };
  BOOST_TEST(all_are(types(false), onnx::proto::TensorProto::DOUBLE));
  BOOST_TEST(all_are(types(true), onnx::proto::TensorProto::FLOAT));
}

BOOST_AUTO_TEST_CASE(functions_inside_are_written_as_what_they_run) {
  const Saved saved;
  const auto inner = compile([](const Tensor& x) { return exp(x); });
  const auto function = [&](const Tensor& x) {
    const Tensor kept = checkpoint([&](const Tensor& y) { return sin(inner(y)); })(x);
    return stop_gradient(alias(kept));
  };
  onnx::save(saved.path, function, {{{any_size}}});
  check_names(saved.operators(), {"Exp", "Sin", "Identity"});
  // Backwards, what was not kept is computed again.
  onnx::save(saved.path,
             [&](const Tensor& x) { return grad(sum(checkpoint([](const Tensor& y) { return exp(sin(y)); })(x)), x); },
             {{{any_size}}});
  saved.model();
}

BOOST_AUTO_TEST_CASE(loops_and_branches_are_graphs_inside) {
  for (const testing::LoopCase& each : testing::loop_cases()) {
    BOOST_TEST_CONTEXT(each.name) {
      const testing::FolderInMemory folder;
      testing::write_case(folder.path(), each.function, each.inputs);
      testing::check_valid(folder.path() / "model.onnx");
    }
  }
  const Saved saved;
  const nn::Sequential model(nn::GRU(4, 3), nn::Dense(3, 2));
  onnx::save(saved.path, model, {.input = {{6, any_size, 4}}});
  const Names operators = saved.operators();
  BOOST_TEST(std::count(operators.begin(), operators.end(), "Loop") == 1);
}

BOOST_AUTO_TEST_CASE(networks_and_steps_of_training_are_valid) {
  const testing::FolderInMemory folder;
  testing::write_networks(folder.path());
  for (const char* name : {"residual", "embedding", "recurrent", "gradient", "adam_step"}) {
    testing::check_valid(folder.path() / name / "model.onnx");
  }
}

BOOST_AUTO_TEST_CASE(determinants_are_written_but_not_their_derivatives) {
  const Saved saved;
  onnx::save(saved.path, [](const Tensor& x) { return linalg::det(x); }, {{{any_size, 3, 3}}});
  check_names(saved.operators(), {"Det", "Identity"});
  const auto gradient = [](const Tensor& x) { return grad(sum(linalg::det(x)), x); };
  testing::check_throws<ValueError>([&] { onnx::save(saved.path, gradient, {{{3, 3}}}); }, {"[onnx::save]", "(1 at"});
}

BOOST_AUTO_TEST_CASE(results_may_be_arguments_constants_and_twice_the_same) {
  const Saved saved;
  const auto function = [](const Tensor& x) { return Tensors{x, x, Tensor(2.0), zeros({0, 3})}; };
  const onnx::Signature signature = onnx::save(saved.path, function, {{{2}}});
  check_names(signature.outputs, {"output_0", "output_1", "output_2", "output_3"});
  BOOST_TEST(saved.model().graph().output_size() == 4);
}

BOOST_AUTO_TEST_CASE(known_formulas_have_forms_of_their_own) {
  const Saved saved;
  const auto operators_of = [&](Tensor (*op)(const Operand&)) {
    onnx::save(saved.path, [op](const Tensor& x) { return op(x); }, {{{3}}});
    return saved.operators();
  };
  check_names(operators_of([](const Operand& x) { return gelu(x); }), {"Div", "Erf", "Add", "Mul", "Mul", "Identity"});
  check_names(operators_of(mish), {"Softplus", "Tanh", "Mul", "Identity"});
  check_names(operators_of([](const Operand& x) { return softplus(x); }), {"Softplus", "Identity"});
}

BOOST_AUTO_TEST_CASE(wrong_calls_are_refused) {
  const Saved saved;
  const auto identity = [](const Tensor& x) { return x; };
  const auto save = [&](const std::vector<Spec>& specs, const onnx::SaveOptions& options) {
    return [=, &saved] { onnx::save(saved.path, identity, specs, options); };
  };
  const auto refuses = [](const auto& call, std::string_view what) {
    testing::check_throws<ValueError>(call, {"[onnx::save]", what, "save.cpp"});
  };
  refuses(save({}, {}), "0 kinds of arguments for a function of 1");
  refuses(save({{{2}}}, {.input_names = {"a", "b"}}), "2 names for 1 arguments");
  refuses(save({{{2}}}, {.output_names = {"a", "b"}}), "2 names for 1 results");
  refuses(save({{{2}}}, {.input_names = {"a"}, .output_names = {"a"}}), "'a' is given twice");
  refuses(save({{{2}}}, {.input_names = {""}}), "empty");
  testing::check_throws<ShapeError>(save({{{-2}}}, {}), {"[onnx::save]", "(-2,)", "save.cpp"});
  testing::check_throws<FileError>([&] { onnx::save(saved.folder.path() / "none" / "m.onnx", identity, {{{2}}}); },
                                   {"[onnx::save]", "m.onnx"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
