#include "fashion_mnist_settings.hpp"

#include "recipe.hpp"

void add_options(Flags& flags, Settings& s) {
  const Flag of_a_network[] = {
      flags.add("--hidden", s.hidden, "Sizes of the hidden layers, such as 512,256").range(1, 65536),
      flags.add("--batch-size", s.batch_size, "Images per step").range(1, 60000),
      flags.add("--optimizer", s.optimizer, "How weights are updated").one_of({"sgd", "adam"}),
      flags.add("--learning-rate", s.learning_rate, "At the start; it falls linearly to 0 [adam: 0.002, sgd: 0.05]")
          .positive(),
      flags.add("--momentum", s.momentum, "Of sgd").range(0.0, 1.0),
      flags.add("--activation", s.activation, "Between the layers").one_of({"relu", "tanh", "sigmoid"}),
      flags.add("--checkpoint", s.checkpoint,
                "A file that is written after every epoch; run again, it goes on from there"),
      flags.add("--report", s.report, "A page that shows how training goes, written after every epoch"),
      flags.add("--shards", s.shards, "Parts of a batch that are added up alike on any number of processes [none]")
          .range(0, 4096),
      flags.add("--hash", s.hash, "Print a hash of the weights before the last line"),
  };
  flags.add("--epochs", s.epochs, "Passes over the training images [10; a recipe has a number of its own]")
      .range(1, 100000);
  flags.add("--seed", s.seed, "Of initial weights and shuffling");
  flags.add("--products", s.products, "How exactly products take the numbers that they multiply")
      .one_of({"float32", "bfloat16_3x", "bfloat16"});
  flags.add("--threads", s.threads, "Threads to use [all processors]").range(1, 1024);
  flags.add("--data", s.data, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");

  Flag recipe = flags.add("--recipe", s.recipe, "Train for accuracy: best, or plain-best without augmentation")
                    .one_of(recipe_names());
  for (const Flag& own : of_a_network) {
    recipe.excludes(own);
  }
  flags.add("--ensemble", s.ensemble, "Networks of the recipe, whose probabilities are averaged")
      .range(1, 100)
      .needs(recipe);
  flags.add("--validate", s.validate, "Train on 5/6 of the training images, measure on the others").needs(recipe);
}
