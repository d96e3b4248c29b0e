#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <source_location>
#include <string>
#include <variant>
#include <vector>

#include "nn/layer.hpp"

/// \file
/// Models from ONNX files, as layers.

namespace xgrad::onnx {

namespace loading {
struct Graph;
}

/// Options of load().
struct LoadOptions {
  /// Floating initialisers that are no parameters but constants, such as tables of positions.
  std::vector<std::string> constants = {};
  /// Initialisers of one number each, shape (), that are parameters: they are constants unless named here.
  std::vector<std::string> parameters = {};
  /// Whether dropout and batch normalisation do as their nodes say, whatever the mode of a call is: as other programs do. What
  /// they draw needs a Training mode with a key all the same.
  bool training_as_in_file = false;
};

namespace detail {

/// The initialisers of a model: parameters and statistics, by their paths, and constants.
class Initializers {
 public:
  Initializers() = default;  ///< none
  /// As parameters, statistics and constants, by how \p graph reads them. \throws ValueError for an option that names none.
  Initializers(const loading::Graph& graph, const LoadOptions& options);

  std::size_t size() const { return items_.size(); }
  bool is_constant(std::size_t i) const;           ///< whether number \p i is neither a parameter nor a statistic
  const Variable* statistic(std::size_t i) const;  ///< number \p i, if it is one; else null
  /// Its elements, as they are now.
  Tensor read(std::size_t i) const;

 private:
  using Item = std::variant<Tensor, Variable, nn::Statistic>;

  friend void collect(const Initializers& initializers, const nn::detail::Place& place, nn::detail::Which which,
                      std::vector<nn::detail::Found>& found);
  friend void separate(Initializers& initializers, nn::detail::CopiedVariables& copied);
  friend void draw_initial(Initializers&, nn::detail::Drawing&) {}  // a model that was trained keeps its values

  std::vector<Item> items_;
  std::vector<std::string> paths_;
};

}  // namespace detail

/// A model that was read from an ONNX file: a layer like any other. Its parameters are the file's initialisers, under their
/// names, in which `/` becomes a dot; an initialiser that a Trainer must not move can be frozen, or named in
/// LoadOptions::constants.
///
/// The graph is built at each call, from the shapes that arrive. What the nodes compute of shapes alone is computed at once,
/// and leaves nothing in the graph. Batch normalisation and dropout follow the mode; running statistics are Statistics, and
/// move as those of nn::BatchNorm, whose momentum is 1 minus ONNX's. A node whose result has a shape that depends on elements
/// needs them when the graph is built, and cannot stand in a compiled function.
class Model : public nn::Layer<Model> {
 public:
  /// The model in \p path, as load() gives it.
  explicit Model(const std::filesystem::path& path, const LoadOptions& options = {},
                 std::source_location where = std::source_location::current());

  /// The first output for the first input. \throws ValueError when the model takes several. \throws Error as run() does.
  Tensor operator()(const Operand& x, const nn::Mode& mode = {}) const;

  /// All outputs, for all inputs in their order. Samples in the rows of a matrix, as datasets give them, take the shape that
  /// the file has for a sample.
  /// \throws ValueError for another number of inputs.
  /// \throws ShapeError for inputs of other shapes than the file says; sizes on the first axis, and those that have a name
  /// there, are free.
  /// \throws DTypeError for inputs of other dtypes.
  /// \throws Error what the operators throw, with the node.
  Tensors run(const Tensors& inputs, const nn::Mode& mode = {},
              std::source_location where = std::source_location::current()) const;

  std::vector<std::string> input_names() const;   ///< in the order of run()
  std::vector<std::string> output_names() const;  ///< in the order of run()

 private:
  Tensors fitted(const Tensors& inputs) const;

  std::shared_ptr<const loading::Graph> graph_;
  detail::Initializers initializers_;
  bool training_as_in_file_;

 public:
  /// Without a name: the parameters' paths are the names of the initialisers.
  static constexpr auto members = fields("", &Model::initializers_);
};

/// Reads a model from an ONNX file, of opset 7 to 22, with its weights in it.
///
///     onnx::Model model = onnx::load("model.onnx");
///     nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy);
///
/// \throws FileError when the file is missing, damaged, or no right graph.
/// \throws ValueError naming everything in it that is not supported, and where.
Model load(const std::filesystem::path& path, const LoadOptions& options = {},
           std::source_location where = std::source_location::current());

}  // namespace xgrad::onnx
