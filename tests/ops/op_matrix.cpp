#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "op_table.hpp"
#include "tests/testing.hpp"

/// \file
/// docs/op_matrix.md, found out from the operations: built on every dtype, looked at node by node.

namespace xgrad::op_table {

BOOST_AUTO_TEST_SUITE(ops_op_matrix)

namespace {

using testing::every_dtype;

const std::string page_path = XGRAD_SOURCE_ROOT "/docs/op_matrix.md";

/// One way to call an op.
struct Probe {
  std::string op;
  std::function<Tensors(const Tensors&)> call;
  std::vector<Input> inputs;
};

std::vector<Probe> linalg_probes() {
  const std::vector<Input> matrix = {{{3, 3}}};
  const std::vector<Input> system = {{{3, 3}}, {{3, 2}}};
  return {
      {"linalg::inv", [](const Tensors& x) -> Tensors { return {linalg::inv(x[0])}; }, matrix},
      {"linalg::det", [](const Tensors& x) -> Tensors { return {linalg::det(x[0])}; }, matrix},
      {"linalg::logdet", [](const Tensors& x) -> Tensors { return {linalg::logdet(x[0])}; }, matrix},
      {"linalg::slogdet",
       [](const Tensors& x) -> Tensors {
         const linalg::SlogDet parts = linalg::slogdet(x[0]);
         return {parts.sign, parts.logabsdet};
       },
       matrix},
      {"linalg::vector_norm", [](const Tensors& x) -> Tensors { return {linalg::vector_norm(x[0], 3)}; }, matrix},
      {"linalg::matrix_norm",
       [](const Tensors& x) -> Tensors { return {linalg::matrix_norm(x[0], linalg::MatrixNorm::nuc)}; }, matrix},
      {"linalg::solve", [](const Tensors& x) -> Tensors { return {linalg::solve(x[0], x[1])}; }, system},
      {"linalg::solve_triangular", [](const Tensors& x) -> Tensors { return {linalg::solve_triangular(x[0], x[1])}; },
       system},
      {"linalg::cholesky", [](const Tensors& x) -> Tensors { return {linalg::cholesky(x[0])}; }, matrix},
      {"linalg::eigh",
       [](const Tensors& x) -> Tensors {
         const linalg::Eigh parts = linalg::eigh(x[0]);
         return {parts.values, parts.vectors};
       },
       matrix},
      {"linalg::eigvalsh", [](const Tensors& x) -> Tensors { return {linalg::eigvalsh(x[0])}; }, matrix},
      {"linalg::svd",
       [](const Tensors& x) -> Tensors {
         const linalg::Svd parts = linalg::svd(x[0]);
         return {parts.u, parts.s, parts.vt};
       },
       matrix},
      {"linalg::svdvals", [](const Tensors& x) -> Tensors { return {linalg::svdvals(x[0])}; }, matrix},
      {"linalg::qr",
       [](const Tensors& x) -> Tensors {
         const linalg::Qr parts = linalg::qr(x[0]);
         return {parts.q, parts.r};
       },
       matrix},
  };
}

std::vector<Probe> random_probes() {
  const random::Key key(1);
  return {
      {"random::uniform", [key](const Tensors&) -> Tensors { return {random::uniform(key, {2})}; }, {}},
      {"random::normal", [key](const Tensors&) -> Tensors { return {random::normal(key, {2})}; }, {}},
      {"random::bernoulli", [key](const Tensors&) -> Tensors { return {random::bernoulli(key, 0.5, {2})}; }, {}},
      {"random::permutation", [key](const Tensors&) -> Tensors { return {random::permutation(key, 2)}; }, {}},
  };
}

std::vector<Probe> all_probes() {
  std::vector<Probe> probes;
  for (const Row& row : all_rows()) {
    probes.push_back({row.op, [&row](const Tensors& x) -> Tensors { return {row.call(x)}; }, row.cases[0]});
  }
  for (const auto& more : {linalg_probes(), random_probes()}) {
    probes.insert(probes.end(), more.begin(), more.end());
  }
  return probes;
}

/// What is known of one op: the columns of its line.
struct Facts {
  std::string vjp;
  std::string jvp;
  std::string vmap;
  std::set<DType> dtypes;
  bool has_operands = true;
};

// Whether some floating operand reaches a floating result, by rules that do not all give zero.
bool carries_derivatives(const Tensors& results, const Tensors& inputs) {
  return std::any_of(results.begin(), results.end(), [&](const Tensor& result) {
    return is_floating(result.dtype()) && std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& input) {
             try {
               return is_floating(input.dtype()) && vjp(result, {input}, ones_like(result))[0].defined();
             } catch (const GradientError&) {
               return false;
             }
           });
  });
}

// Whether the results are computed from the elements of the inputs, rather than from their shapes and dtypes.
bool depends_on_inputs(const Tensors& results, const Tensors& inputs) {
  const TopologicalOrder order = topological_order(results);
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const Tensor& input) { return order.numbers.find(&input.node()) != NodeNumbers::none; });
}

std::string why_not(const Probe& probe, const Tensors& results, const Tensors& inputs) {
  const auto floating = [](const Tensor& x) { return is_floating(x.dtype()); };
  if (probe.op == "allclose") {
    return "no: it gives a C++ bool";
  }
  if (!depends_on_inputs(results, inputs)) {
    return "no: it makes a tensor";
  }
  if (std::none_of(results.begin(), results.end(), floating)) {
    return "no: it gives " + std::string(to_string(results[0].dtype()));
  }
  return std::none_of(inputs.begin(), inputs.end(), floating) ? "no: it takes indices" : "0 everywhere";
}

Facts facts_of(const Probe& probe) {
  Facts facts;
  Tensors inputs;
  Tensors results;
  for (const DType dtype : every_dtype) {
    const Tensors operands = make_inputs(probe.inputs, dtype);
    try {
      results = probe.call(operands);
      inputs = operands;
      facts.dtypes.insert(dtype);
    } catch (const DTypeError&) {
      continue;
    }
  }
  facts.has_operands = !inputs.empty();
  bool vjps = true, jvps = true, vmaps = true;
  for (const Node* node : nodes_since(inputs, results).nodes) {
    if (!node->inputs().empty()) {
      const OperationTraits& traits = node->operation().traits();
      vjps = vjps && (traits.has_vjp || traits.stops_gradient);
      jvps = jvps && (traits.can_jvp() || traits.stops_gradient);
      vmaps = vmaps && traits.can_vmap();
    }
  }
  const bool derivatives = carries_derivatives(results, inputs);
  facts.vjp = !vjps ? "missing" : derivatives ? "yes" : why_not(probe, results, inputs);
  facts.jvp = !jvps ? "missing" : derivatives ? "yes" : facts.vjp;
  facts.vmap = !depends_on_inputs(results, inputs) ? facts.vjp : vmaps ? "yes" : "missing";
  return facts;
}

// Of two ways to call an op: what is missing in one is missing, what one can do the op can do.
std::string merged(const std::string& a, const std::string& b) {
  return a == "missing" || b == "missing" ? "missing" : a == "yes" || b == "yes" ? "yes" : a;
}

std::string text(const Facts& facts) {
  if (!facts.has_operands) {
    return "those of the result";
  }
  if (facts.dtypes.size() == every_dtype.size()) {
    return "all";
  }
  std::string result;
  for (const DType dtype : facts.dtypes) {
    result += (result.empty() ? "" : ", ") + std::string(to_string(dtype));
  }
  return result;
}

std::map<std::string, Facts> all_facts() {
  std::map<std::string, Facts> table;
  for (const Probe& probe : all_probes()) {
    const Facts facts = facts_of(probe);
    const auto [known, inserted] = table.try_emplace(probe.op, facts);
    if (!inserted) {
      Facts& all = known->second;
      all = {merged(all.vjp, facts.vjp), merged(all.jvp, facts.jvp), merged(all.vmap, facts.vmap), all.dtypes,
             all.has_operands || facts.has_operands};
      all.dtypes.insert(facts.dtypes.begin(), facts.dtypes.end());
    }
  }
  return table;
}

std::string make_page() {
  std::ostringstream page;
  page << "# What every operation can do\n\n"
          "This page is written by `script/op_matrix`, from the operations themselves: each is called on every dtype, "
          "and the nodes it builds are asked for their rules. A test compares the page with the code.\n\n"
          "- **vjp**: reverse mode, as in `grad`. **jvp**: forward mode. **vmap**: many samples at once. Where the "
          "answer is yes, these nest in any order.\n"
          "- **no**: the op is not differentiable, for the reason given. **0 everywhere**: the derivative exists and "
          "is zero; it is an error unless zeros are asked for.\n"
          "- **dtypes**: of the operands that are values; conditions are boolean, and indices any integers. Others "
          "are refused with a `DTypeError`.\n\n"
          "| op | vjp | jvp | vmap | dtypes |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& [op, facts] : all_facts()) {
    page << "| `" << op << "` | " << facts.vjp << " | " << facts.jvp << " | " << facts.vmap << " | " << text(facts)
         << " |\n";
  }
  return page.str();
}

std::string read_page() {
  std::ostringstream page;
  page << std::ifstream(page_path).rdbuf();
  return page.str();
}

/// Collects the names of attributes of types that xgrad does not know.
class OpaqueNames final : public SelectiveVisitor {
 public:
  std::string names;

  void opaque(std::string_view name, const OpaqueAttribute&) override { names += " " + std::string(name); }
};

}  // namespace

// So that graphs can be written down in any language.
BOOST_AUTO_TEST_CASE(every_attribute_is_of_a_known_type) {
  std::set<std::string> seen;
  for (const Probe& probe : all_probes()) {
    for (const DType dtype : {DType::float64, DType::boolean, DType::int64}) {
      const Tensors inputs = make_inputs(probe.inputs, dtype);
      Tensors results;
      try {
        results = probe.call(inputs);
      } catch (const DTypeError&) {
        continue;
      }
      for (const Node* node : nodes_since(inputs, results).nodes) {
        OpaqueNames opaque;
        node->operation().visit_attributes(opaque);
        BOOST_TEST(opaque.names.empty(),
                   node->name() << " of " << probe.op << " has attributes of unknown types:" << opaque.names);
        seen.insert(std::string(node->operation().key()));
      }
    }
  }
  BOOST_TEST(seen.size() > 30U);
}

BOOST_AUTO_TEST_CASE(the_page_says_what_the_code_does) {
  const std::string page = make_page();
  if (std::getenv("XGRAD_WRITE_OP_MATRIX") != nullptr) {
    std::ofstream(page_path) << page;
  }
  BOOST_TEST((read_page() == page),
             "docs/op_matrix.md is not what the code gives: write it again with script/op_matrix");
}

BOOST_AUTO_TEST_CASE(no_rule_is_missing) {
  for (const auto& [op, facts] : all_facts()) {
    BOOST_TEST(facts.vjp != "missing", op << " has no vjp rule");
    BOOST_TEST(facts.jvp != "missing", op << " has no jvp rule");
    BOOST_TEST(facts.vmap != "missing", op << " has no vmap rule");
  }
}

BOOST_AUTO_TEST_CASE(every_op_of_linalg_and_random_is_on_the_page) {
  const auto facts = all_facts();
  for (const std::string space : {"linalg", "random"}) {
    std::ifstream header(XGRAD_SOURCE_ROOT "/autograd/ops/" + space + ".hpp");
    std::size_t found = 0;
    for (std::string line; std::getline(header, line);) {
      for (const std::string start : {"Tensor ", "Eigh ", "Svd ", "Qr ", "SlogDet "}) {
        if (line.starts_with(start) && line.find('(') != std::string::npos) {
          const std::string op = space + "::" + line.substr(start.size(), line.find('(') - start.size());
          BOOST_TEST(facts.contains(op), op << " is not on the page");
          ++found;
        }
      }
    }
    BOOST_TEST(found >= 4u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::op_table
