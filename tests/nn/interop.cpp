#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

/// \file
/// Five models of PyTorch 2.6, built here from our layers, give what they gave there. NAME.safetensors and NAME.npz hold
/// the model's state_dict; NAME.check.npz an input, a target, and, of the model in evaluation, its output, the
/// cross-entropy, and the gradients of that.

BOOST_AUTO_TEST_SUITE(nn_interop)

namespace nn_interop {

using namespace xgrad;

/// x + gelu(fc(norm(x)))
struct Block : nn::Layer<Block> {
  nn::LayerNorm norm{16};
  nn::Dense fc{16, 16};
  static constexpr auto members = fields("norm", &Block::norm, "fc", &Block::fc);
  Tensor operator()(const Operand& x) const {
    const Tensor input = x.tensor();
    return input + gelu(fc(norm(input)));
  }
};

/// Two halves of the input, of which one goes two ways; `a` is used twice.
struct TwoHeads : nn::Layer<TwoHeads> {
  nn::Dense a{6, 12};
  nn::Dense b{6, 12, {.bias = false}};
  nn::Dense c{24, 4};
  static constexpr auto members = fields("a", &TwoHeads::a, "b", &TwoHeads::b, "c", &TwoHeads::c);
  Tensor operator()(const Operand& x) const {
    const Tensor input = x.tensor();
    const Tensor left = input[{all(), range(0, 6)}];
    const Tensor right = input[{all(), range(6, 12)}];
    return c(concatenate({softmax(a(left)) * b(right), minimum(relu(a(right)), 2.0)}, 1));
  }
};

/// The mean of the tanh of some words' vectors.
struct Words : nn::Layer<Words> {
  nn::Embedding embedding{50, 16};
  nn::Dense head{16, 5};
  static constexpr auto members = fields("embedding", &Words::embedding, "head", &Words::head);
  Tensor operator()(const Operand& x) const { return head(mean(tanh(embedding(x)), 1)); }
};

/// Equal up to the rounding of float32, whose unit is 6e-8: sums of n ≤ 784 terms in another order differ by some √n units
/// of the largest term, which is 2e-6 for the longest; 1e-5 leaves room for the layers behind it.
void check_close(const std::string& name, const Array& found, const Array& expected) {
  BOOST_TEST_INFO(name);
  BOOST_REQUIRE(found.shape() == expected.shape());
  double largest = 0;
  double difference = 0;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(double{expected.data<float>()[i]}));
    difference = std::max(difference, std::abs(double{found.data<float>()[i]} - double{expected.data<float>()[i]}));
  }
  BOOST_TEST(difference <= 1e-5 * largest, name << ": " << difference << " of " << largest);
}

void check_equal(const nn::State& found, const nn::State& expected) {
  BOOST_TEST(found.size() == expected.size());
  for (const auto& [name, array] : expected) {
    BOOST_TEST_INFO(name);
    BOOST_REQUIRE(found.contains(name));
    const Array& other = found.at(name);
    BOOST_TEST((other.shape() == array.shape()));
    BOOST_REQUIRE(other.dtype() == array.dtype());
    BOOST_TEST(std::memcmp(other.data(), array.data(), array.bytes()) == 0);
  }
}

const std::filesystem::path models = std::filesystem::path(XGRAD_SOURCE_ROOT) / "tests" / "nn" / "interop";

struct Files : testing::TemporaryFolder {
  std::filesystem::path safetensors = folder / "back.safetensors";
  std::filesystem::path npz = folder / "back.npz";

  /// \param model with any weights.
  template <class Model>
  void check(const std::string& name, Model model) const {
    const nn::State check = nn::read_npz(models / (name + ".check.npz"));
    const nn::State state = nn::read_safetensors(models / (name + ".safetensors"));
    check_equal(nn::read_npz(models / (name + ".npz")), state);
    nn::load_torch_state(model, state);
    check_values(model, check);
    check_gradients(model, check);
    nn::write_safetensors(safetensors, nn::torch_state(model));
    check_equal(nn::read_safetensors(safetensors), state);
    nn::write_npz(npz, nn::torch_state(model));
    check_equal(nn::read_npz(npz), state);
  }

 private:
  static Tensor loss_of(const nn::Module& model, const nn::State& check) {
    return nn::cross_entropy(model(Tensor(check.at("input"))), Tensor(check.at("target")));
  }
  static void check_values(const nn::Module& model, const nn::State& check) {
    check_close("output", model(Tensor(check.at("input"))).array(), check.at("output"));
    check_close("loss", loss_of(model, check).array(), check.at("loss"));
  }
  // Gradients are named and laid out as the variables that they are of.
  template <class Model>
  static void check_gradients(const Model& model, const nn::State& check) {
    const Model gradients = model.clone();
    const nn::Variables parameters = model.parameters();
    const Tensors values = grad(loss_of(model, check), Tensors(parameters.begin(), parameters.end()));
    const nn::Variables places = gradients.parameters();
    for (std::size_t i = 0; i < values.size(); ++i) {
      places[i].assign(values[i]);
    }
    const nn::State found = nn::torch_state(gradients);
    std::size_t count = 0;
    for (const auto& [name, array] : check) {
      if (name.starts_with("grad.")) {
        check_close(name, found.at(name.substr(5)), array);
        ++count;
      }
    }
    BOOST_TEST(count == places.size());
  }
};

nn::Sequential mlp() { return nn::Sequential(nn::Flatten(), nn::Dense(784, 64), nn::ReLU(), nn::Dense(64, 10)); }

}  // namespace nn_interop

using namespace nn_interop;

BOOST_FIXTURE_TEST_CASE(images_through_dense_layers, Files) {
  check("mlp", mlp());
  check("mlp", nn::Module(mlp()));
}

BOOST_FIXTURE_TEST_CASE(layers_that_normalise, Files) {
  check("mlp_norm", nn::Sequential(nn::Dense(20, 32, {.bias = false}), nn::BatchNorm(32), nn::GELU(), nn::Dropout(),
                                   nn::Dense(32, 16), nn::LayerNorm(16), nn::SiLU(), nn::Dense(16, 3)));
}

BOOST_FIXTURE_TEST_CASE(blocks_of_named_layers, Files) {
  check("residual", nn::Sequential(nn::Dense(8, 16), Block(), Block().clone(), nn::Dense(16, 4)));
}

BOOST_FIXTURE_TEST_CASE(a_layer_that_is_used_twice, Files) { check("two_heads", TwoHeads()); }

BOOST_FIXTURE_TEST_CASE(words_as_vectors, Files) { check("words", Words()); }

BOOST_AUTO_TEST_SUITE_END()
