// An autoencoder: a network that has to say an image again after squeezing it through a few numbers.
//
// With one linear layer on each side the best it could do is known: principal components (Baldi and Hornik, Neural
// networks and principal component analysis, 1989). A network with hidden layers should do better with as many numbers.

#include <cstdio>
#include <filesystem>
#include <string>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "flags.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t pixels = datasets::FashionMnist::image_size;
constexpr std::int64_t side = datasets::FashionMnist::image_rows;

// The mean squared error of the best linear code of `size` numbers: what principal components of the training images,
// the eigenvectors of their covariance with the largest eigenvalues, leave of the test images.
double principal_component_error(const Tensor& train, const Tensor& test, std::int64_t size) {
  const Tensor centre = mean(train, 0);
  const Tensor centred = train - centre;
  const auto [values, vectors] = linalg::eigh(matmul(transpose(centred), centred) / train.shape(0));
  const Tensor basis = vectors[{all(), range(pixels - size, pixels)}];
  const Tensor code = matmul(test - centre, basis);
  return nn::mse(centre + matmul(code, transpose(basis)), test).item();
}

// Images of the test set in rows, each above what the network makes of it.
void write_pairs(const std::filesystem::path& path, const Tensor& originals, const Tensor& copies) {
  constexpr std::int64_t rows = 4, columns = 12;
  const auto grid = [&](const Tensor& images) {
    return reshape(images[range(0, rows * columns)], {rows, columns, side, side});
  };
  const Tensor pairs = stack({grid(originals), grid(copies)}, 1);
  datasets::write_pgm(path, reshape(pairs, {-1, side, side}).array(), columns);
}

bool run(const std::string& folder, const std::filesystem::path& picture, int epochs, std::int64_t size) {
  const auto data = datasets::FashionMnist::load(folder);
  const datasets::Batches batches(data.train, {.batch_size = 64});
  const datasets::Batches whole_test(data.test, {.batch_size = data.test.size(), .shuffle = false});
  const datasets::Batches some_train(data.train, {.batch_size = 10000});
  const Tensor test = whole_test.epoch(0)[0].features;

  nn::Sequential encoder(nn::Dense(pixels, 256), nn::ReLU(), nn::Dense(256, size));
  nn::Sequential decoder(nn::Dense(size, 256), nn::ReLU(), nn::Dense(256, pixels), nn::Sigmoid());
  nn::Sequential model(encoder, decoder);
  model.initialize(random::Key(0));
  nn::Adam adam(model.parameters());
  const nn::Schedule rate = nn::schedules::linear(2e-3, 0, epochs * batches.count());
  const auto train_step = compile([&](const Tensor& images) {
    const Tensor loss = nn::mse(model(images), images);
    adam.minimize(loss);
    return loss;
  });

  std::int64_t step = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      adam.learning_rate().assign(rate(step++));
      train_step(images);
    }
    std::printf("epoch %d/%d  test error %.5f\n", epoch, epochs, nn::mse(model(test), test).item());
  }

  const double error = nn::mse(model(test), test).item();
  const double linear = principal_component_error(some_train.epoch(0)[0].features, test, size);
  write_pairs(picture, test, model(test));
  std::printf("%d numbers per image: error %.5f, of principal components %.5f\nimages and copies: %s\n",
              static_cast<int>(size), error, linear, picture.c_str());
  const bool good = error < linear && std::filesystem::file_size(picture) > 8 * 12 * pixels;
  std::printf("%s\n", good ? "check: better than any linear code" : "check failed: no better than a linear code");
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder, picture = "autoencoder.pgm";
  int epochs = 5;
  std::int64_t size = 8;
  Flags flags("Trains an autoencoder on Fashion-MNIST and writes images and their copies as a picture.");
  flags.add("--data", folder, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--picture", picture, "The file to write");
  flags.add("--epochs", epochs, "Passes over the training images").range(1, 1000);
  flags.add("--size", size, "Numbers per image").range(1, 256);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    return run(folder, picture, epochs, size) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
