// Sequences of different lengths: a recurrent network learns whether the brackets of a text, `([]())[]`, match.
//
// To know that it would have to keep a stack; what it learns is as much of one as it needs. Texts are padded with a character
// of their own to equal length, and the layer is told where each of them ends.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

const std::string characters = " ()[]";  // the first one is padding

bool matches(const std::string& text) {
  std::string open;
  for (const char c : text) {
    if (c == '(' || c == '[') {
      open.push_back(c);
    } else if (open.empty() || open.back() != (c == ')' ? '(' : '[')) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

using Engine = std::mt19937;
std::size_t below(std::size_t limit, Engine& engine) { return engine() % limit; }

// Pairs of brackets in and behind each other.
std::string matching_text(std::size_t pairs, Engine& engine) {
  if (pairs == 0) {
    return "";
  }
  const std::size_t inside = below(pairs, engine);
  const bool round = below(2, engine) == 0;
  return (round ? "(" : "[") + matching_text(inside, engine) + (round ? ")" : "]") +
         matching_text(pairs - 1 - inside, engine);
}

// With one character changed or left out, or two that stand beside each other exchanged, so that it does not match.
std::string spoilt(const std::string& text, Engine& engine) {
  for (;;) {
    std::string changed = text;
    const std::size_t at = below(text.size() - 1, engine);
    switch (below(3, engine)) {
      case 0: changed[at] = characters[1 + below(4, engine)]; break;
      case 1: changed.erase(at, 1); break;
      default: std::swap(changed[at], changed[at + 1]);
    }
    if (!matches(changed)) {
      return changed;
    }
  }
}

// Characters (n, longest) and whether they match (n,), as many of one kind as of the other.
datasets::Dataset make_data(std::int64_t count, std::size_t fewest_pairs, std::size_t most_pairs, std::uint32_t seed) {
  Engine engine(seed);
  const auto longest = static_cast<std::int64_t>(2 * most_pairs);
  xt::xarray<std::int64_t> texts = xt::zeros<std::int64_t>({count, longest});
  xt::xarray<std::int64_t> labels = xt::zeros<std::int64_t>({count});
  for (std::int64_t i = 0; i < count; ++i) {
    std::string text = matching_text(fewest_pairs + below(most_pairs - fewest_pairs + 1, engine), engine);
    labels(i) = i % 2;
    if (i % 2 == 0) {
      text = spoilt(text, engine);
    }
    for (std::size_t j = 0; j < text.size(); ++j) {
      texts(i, static_cast<std::int64_t>(j)) = static_cast<std::int64_t>(characters.find(text[j]));
    }
  }
  return {texts, labels};
}

// A vector for each character, one for the text, and two scores.
struct Reader : nn::Layer<Reader> {
  nn::Embedding vectors{static_cast<std::int64_t>(characters.size()), 8};
  nn::GRU gru{8, 48, {.batch_first = true}};
  nn::Dense scores{48, 2};
  static constexpr auto members = fields("vectors", &Reader::vectors, "gru", &Reader::gru, "scores", &Reader::scores);

  Tensor operator()(const Operand& x) const {
    const Tensor text = x.tensor();
    const Tensor lengths = sum(cast(text != 0, DType::int64), -1);
    return scores(gru(vectors(text), {.lengths = lengths}).state);
  }
};

}  // namespace

int main() {
  const datasets::Dataset train = make_data(6000, 1, 8, 1);
  const datasets::Dataset test = make_data(1000, 1, 8, 2);
  const datasets::Dataset longer = make_data(1000, 9, 12, 3);

  Reader reader;
  reader.initialize(random::Key(0));
  constexpr std::int64_t epochs = 8;
  nn::Adam adam(reader.parameters(), {.learning_rate = 5e-3});
  nn::Trainer trainer(reader, adam, nn::cross_entropy,
                      {.metrics = {nn::Accuracy()}, .clipping = {.norm = 1.0}, .batches = {.batch_size = 50}});
  trainer.fit(train, {.epochs = epochs,
                      .validation = test,
                      .callbacks = {nn::callbacks::schedule(nn::schedules::cosine(5e-3, epochs * 120))}});

  for (const std::string text : {"([]())[]", "([)]", "((((()))))", "((((())))"}) {
    Array characters_of({1, static_cast<std::int64_t>(text.size())}, DType::int64);
    std::transform(text.begin(), text.end(), characters_of.data<std::int64_t>(),
                   [](char c) { return static_cast<std::int64_t>(characters.find(c)); });
    std::printf("%-12s matches with probability %.3f\n", text.c_str(), softmax(reader(characters_of))[{0, 1}].item());
  }
  const double accuracy = trainer.evaluate(test)["accuracy"];
  std::printf("accuracy on other texts: %.3f, on longer ones: %.3f\n", accuracy, trainer.evaluate(longer)["accuracy"]);
  std::printf("%s\n", accuracy > 0.95 ? "check: it has learnt to match brackets" : "check failed: accuracy too low");
  return accuracy > 0.95 ? 0 : 1;
}
