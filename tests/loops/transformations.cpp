#include <boost/test/unit_test.hpp>

#include <functional>

#include "autograd/runtime/workers.hpp"
#include "programs.hpp"
#include "tests/testing.hpp"

/// \file
/// Loops under every transformation give what they give unrolled.

namespace xgrad::testing {

namespace {

namespace transformed_loops {

using Function = std::function<Tensor(const Tensor& a, const Tensor& w, const Tensor& xs)>;

Tensors all_gradients(const Function& f, const Tensors& in) {
  return value_and_grad(f, std::vector<std::size_t>{0, 1, 2})(in[0], in[1], in[2]).second;
}

Tensor weighted(const Tensors& tensors) {
  Tensor total = zeros({}, DType::float64);
  unsigned seed = 11;
  for (const Tensor& tensor : tensors) {
    total = total + sum(tensor * random_tensor(tensor.shape(), -1, 1, seed++));
  }
  return total;
}

Tensors tangents_like(const Tensors& in) {
  return {random_tensor(in[0].shape(), -1, 1, 31), random_tensor(in[1].shape(), -1, 1, 32),
          random_tensor(in[2].shape(), -1, 1, 33)};
}

Tensor jvp_of(const Function& f, const Tensors& in) {
  const Tensors t = tangents_like(in);
  return jvp(f, {in[0], in[1], in[2]}, {t[0], t[1], t[2]}).second;
}

Tensors samples_of(const Tensors& in) {
  Tensors samples;
  unsigned seed = 51;
  for (const Tensor& each : in) {
    Shape shape = each.shape();
    shape.insert(0, 5);
    samples.push_back(random_tensor(shape, -1.5, 1.5, seed++));
  }
  return samples;
}

Tensor gradient_of_w(const Function& f, const Tensors& in) { return grad(f, 1)(in[0], in[1], in[2]); }

struct Transformation {
  std::string name;
  Tensors (*apply)(const Function& f, const Tensors& in);
  bool uses_jvp;
};

const std::vector<Transformation>& transformations() {
  static const std::vector<Transformation> all{
      {"value", [](const Function& f, const Tensors& in) { return Tensors{f(in[0], in[1], in[2])}; }, false},
      {"vjp", all_gradients, false},
      {"jvp", [](const Function& f, const Tensors& in) { return Tensors{jvp_of(f, in)}; }, true},
      {"vjp_of_vjp",
       [](const Function& f, const Tensors& in) {
         return all_gradients([&](auto&... x) { return weighted(all_gradients(f, {x...})); }, in);
       },
       false},
      {"jvp_of_vjp",
       [](const Function& f, const Tensors& in) {
         return Tensors{jvp_of([&](auto&... x) { return weighted(all_gradients(f, {x...})); }, in)};
       },
       true},
      {"vjp_of_jvp",
       [](const Function& f, const Tensors& in) {
         return all_gradients([&](auto&... x) { return jvp_of(f, {x...}); }, in);
       },
       true},
      {"jvp_of_jvp",
       [](const Function& f, const Tensors& in) {
         return Tensors{jvp_of([&](auto&... x) { return jvp_of(f, {x...}); }, in)};
       },
       true},
      {"vmap",
       [](const Function& f, const Tensors& in) {
         const Tensors s = samples_of(in);
         return Tensors{vmap(f)(s[0], s[1], s[2]), vmap(f, {0, unmapped, unmapped})(s[0], in[1], in[2]),
                        vmap(f, {unmapped, 0, unmapped})(in[0], s[1], in[2]),
                        vmap(f, {unmapped, unmapped, 0})(in[0], in[1], s[2])};
       },
       false},
      {"vmap_of_vjp",
       [](const Function& f, const Tensors& in) {
         const Tensors s = samples_of(in);
         const auto g = [&](auto&... x) { return gradient_of_w(f, {x...}); };
         return Tensors{vmap(g)(s[0], s[1], s[2]), vmap(g, {0, unmapped, unmapped})(s[0], in[1], in[2])};
       },
       false},
      {"vjp_of_vmap",
       [](const Function& f, const Tensors& in) {
         const Tensors s = samples_of(in);
         return all_gradients(
             [&](const Tensor& a, const Tensor& w, const Tensor& xs) {
               return weighted(
                   {vmap(f)(s[0] * a, s[1] + w, s[2] - xs), vmap(f, {0, unmapped, unmapped})(s[0] - a, w, xs)});
             },
             in);
       },
       false},
      {"vjp_of_vmap_of_vjp",
       [](const Function& f, const Tensors& in) {
         const Tensors s = samples_of(in);
         const auto g = [&](auto&... x) { return gradient_of_w(f, {x...}); };
         return all_gradients(
             [&](const Tensor& a, const Tensor& w, const Tensor& xs) {
               return weighted({vmap(g, {0, unmapped, unmapped})(s[0] - a, w, xs)});
             },
             in);
       },
       false},
      {"vmap_of_vmap",
       [](const Function& f, const Tensors& in) {
         const Tensors s = samples_of(in);
         const auto g = [&](const Tensor& a, const Tensor& w) { return vmap(f, {unmapped, unmapped, 0})(a, w, s[2]); };
         return Tensors{vmap(g, {0, unmapped})(s[0], in[1]), vmap(g, {unmapped, 0})(in[0], s[1])};
       },
       false},
      {"hessian",
       [](const Function& f, const Tensors& in) {
         return Tensors{hessian([&](const Tensor& a) { return f(a, in[1], in[2]); })(in[0])};
       },
       true},
  };
  return all;
}

bool all_close(const Tensors& a, const Tensors& b) {
  bool result = a.size() == b.size();
  for (std::size_t i = 0; result && i < a.size(); ++i) {
    result = a[i].shape() == b[i].shape() && allclose(a[i], b[i], 1e-11, 1e-12);
  }
  return result;
}

struct Row {
  const LoopProgram* program;
  const Transformation* transformation;
  std::string name;
};

std::vector<Row> make_rows() {
  std::vector<Row> rows;
  for (const LoopProgram& program : loop_programs()) {
    for (const Transformation& transformation : transformations()) {
      if (program.has_jvp || !transformation.uses_jvp) {
        rows.push_back({&program, &transformation, program.name + "_" + transformation.name});
      }
    }
  }
  return rows;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = make_rows();
  return all;
}

void check(const Row& row) {
  const auto run = [&](Written written, const Tensors& in) {
    const Function f = [&](const Tensor& a, const Tensor& w, const Tensor& xs) {
      return row.program->function(written, {a, w, xs});
    };
    return row.transformation->apply(f, in);
  };
  for (unsigned seed = 1; seed <= 2; ++seed) {
    const Tensors in = loop_arguments(seed);
    const Tensors expected = run(Written::unrolled, in);
    BOOST_TEST(all_close(run(Written::looped, in), expected));
    const auto compiled = compile([&](const Tensor& a, const Tensor& w, const Tensor& xs) {
      return run(Written::looped, {a, w, xs});
    });
    std::vector<Tensors> by_threads;
    for (const int threads : {1, 2}) {
      runtime::set_num_threads(threads);
      by_threads.push_back(compiled(in[0], in[1], in[2]));
      BOOST_TEST(all_close(by_threads.back(), expected));
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      BOOST_TEST((elements(by_threads[0][i]) == elements(by_threads[1][i])));
    }
  }
}

}  // namespace transformed_loops

}  // namespace

BOOST_AUTO_TEST_SUITE(loops_transformations)

const CasePerRow cases(transformed_loops::rows(), &transformed_loops::Row::name, transformed_loops::check);

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::testing
