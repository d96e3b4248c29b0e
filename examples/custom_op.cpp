// Two operations that xgrad does not have, defined here: one by a formula, one by its own derivative rule. Both are
// differentiated twice, and checked.

#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>

#include <autograd/autograd.hpp>

using namespace xgrad;

namespace {

// ---- 1. An elementwise operation is one line of mathematics. Its derivatives, of any order, follow from it.

// Planck's law: the radiance of a black body at the frequency ν and temperature T, over x = hν / kT and without its
// constant factor: B(x) = x³ / (eˣ - 1).
const Formula planck_law([](Scalar x) { return x * x * x / expm1(x); }, "planck");

Tensor planck(const Operand& x) { return map(planck_law, {x}); }

// Where a black body is brightest: B'(x) = 0 by Newton's method, x ← x - B'(x) / B''(x).
double brightest() {
  const auto first = grad([](const Tensor& x) { return planck(x); });
  const auto second = grad(first);
  Tensor x = 3.0;
  for (int i = 0; i < 6; ++i) {
    x = (x - first(x) / second(x)).detach();
  }
  return x.item();
}

// ---- 2. Any other operation is a struct: its name, its attributes, what its result looks like, how to compute it, and
// its rules: how to turn the cotangent of its result into those of its inputs (vjp), the tangents of its inputs into that
// of its result (jvp), and how to work on many samples at once (vmap). Rules are made of tensors, so they are
// differentiable themselves.

// Two signals a and b of n numbers, along the last axis, that repeat: their circular convolution  c[i] = Σⱼ a[j] b[(i - j) mod n]
// or correlation  c[i] = Σⱼ a[j] b[(i + j) mod n]. Each is the derivative of the other.
struct CircularProduct {
  static constexpr std::string_view name = "circular_product";
  bool correlates;
  static constexpr auto attributes = fields("correlates", &CircularProduct::correlates);

  Spec infer(Inputs in) const {
    const Tensor& a = in[0];
    const Tensor& b = in[1];
    if (a.ndim() == 0 || a.shape() != b.shape()) {
      raise<ShapeError>(name, "it takes signals of one length, got " + to_string(a.shape()) + " and " +
                                  to_string(b.shape()) + "; pad the shorter one with zeros");
    }
    if (a.dtype() != b.dtype() || !is_floating(a.dtype())) {
      raise<DTypeError>(name, "it takes two signals of one floating type; cast one of them");
    }
    return {a.shape(), a.dtype()};
  }

  void eval(ConstViews in, Views out) const {
    dispatch_floating(
        out[0].dtype(), [&](auto zero) { compute<decltype(zero)>(in, out); }, name);
  }

  // c = a ∗ b: da = b ⋆ ct, db = a ⋆ ct.    c = a ⋆ b: da = ct ⋆ b, db = a ∗ ct.    (∗ convolves, ⋆ correlates)
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor& a = node.input(0);
    const Tensor& b = node.input(1);
    if (correlates) {
      return {apply_op(CircularProduct{true}, {ct[0], b}), apply_op(CircularProduct{false}, {a, ct[0]})};
    }
    return {apply_op(CircularProduct{true}, {b, ct[0]}), apply_op(CircularProduct{true}, {a, ct[0]})};
  }

  // A product is linear in each factor: dc = da ∗ b + a ∗ db. Where a tangent is undefined, it is zero.
  Tensors jvp(const Node& node, const Tangents& t) const {
    Tensor from_a, from_b;
    if (t[0].defined()) {
      from_a = apply_op(*this, {t[0], node.input(1)});
    }
    if (t[1].defined()) {
      from_b = apply_op(*this, {node.input(0), t[1]});
    }
    return {!from_a.defined() ? from_b : !from_b.defined() ? from_a : from_a + from_b};
  }

  // Axes in front are samples; a signal that is the same for all samples is repeated.
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    const Shape shape = in[in.batched[0] ? 0 : 1].shape();
    return {apply_op(*this, {broadcast_to(in[0], shape), broadcast_to(in[1], shape)})};
  }

 private:
  template <class T>
  void compute(ConstViews in, Views out) const {
    const T* a = in[0].as<T>();
    const T* b = in[1].as<T>();
    T* c = out[0].as<T>();
    const std::int64_t n = out[0].shape()[out[0].shape().ndim() - 1];
    for (std::int64_t start = 0; start < out[0].size(); start += n) {
      for (std::int64_t i = 0; i < n; ++i) {
        T sum = 0;
        for (std::int64_t j = 0; j < n; ++j) {
          sum += a[start + j] * b[start + (correlates ? i + j : i - j + n) % n];
        }
        c[start + i] = sum;
      }
    }
  }
};

// The operand carries the place of the call: errors point at the line of whoever uses the op.
Tensor circular_convolution(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  return apply_op(CircularProduct{false}, {a.tensor(), b.tensor()});
}

// ---- Both in use.

bool check(const char* what, bool holds) {
  std::printf("%-74s %s\n", what, holds ? "yes" : "NO");
  return holds;
}

bool passes(const char* what, const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs) {
  try {
    check_op(f, inputs);  // first and second derivatives in both modes against differences; vmap
    return check(what, true);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return check(what, false);
  }
}

bool run() {
  const Tensor x = {0.5, 1.0, 2.0, 4.0};
  const Tensor slope = grad(sum(planck(x)), x);
  std::cout << "planck is " << to_string(planck_law) << "\n  B(x)   " << planck(x) << "\n  B'(x)  " << slope
            << "\n  B''(x) " << grad(sum(slope), x) << "\n";
  const double peak = brightest();
  std::printf("  brightest at x = %.12f\n", peak);

  const Tensor signal = {0.0, 0.0, 4.0, 0.0, 0.0, 8.0};
  const Tensor blur = {0.5, 0.25, 0.0, 0.0, 0.0, 0.25};
  const Tensor blurred = circular_convolution(signal, blur);
  const Tensor energy_slope = grad(sum(square(blurred)), signal);
  const Tensor curvature = grad(energy_slope[2], signal);
  std::cout << "circular convolution\n  blurred                   " << blurred << "\n  gradient of its energy    "
            << energy_slope << "\n  one row of its Hessian    " << curvature << "\n";

  const auto planck_of = [](const Tensors& in) { return planck(in[0]); };
  const auto convolution_of = [](const Tensors& in) { return tanh(circular_convolution(in[0], in[1])); };
  bool good = passes("planck: derivatives agree with differences, vmap with single calls", planck_of, {x});
  good &= check("planck: the peak is Wien's constant 2.821439372122", std::abs(peak - 2.821439372122078893) < 1e-12);
  good &= passes("circular convolution: derivatives and vmap alike", convolution_of, {signal, blur});
  good &=
      check("circular convolution: blurring by weights of sum 1 keeps the sum", allclose(sum(blurred), sum(signal)));
  // The energy ‖A s‖² has the Hessian 2 AᵀA.
  good &= check("circular convolution: the Hessian is twice the autocorrelation of the blur",
                allclose(curvature, Tensor{0.125, 0.5, 0.75, 0.5, 0.125, 0.0}));
  std::printf("checks: %s\n", good ? "all passed" : "FAILED");
  return good;
}

}  // namespace

int main() {
  try {
    return run() ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
