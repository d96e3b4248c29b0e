#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// \file
/// Which part of a network nodes belong to.

namespace xgrad {

class Node;

/// While it lives, nodes that the calling thread makes belong to the part of a network that is called \p name, inside the
/// parts that the scopes around it name. Pictures show them together (Fold::by_layer); nothing that is computed depends on
/// it. Sequential names its layers by their positions, optimisers and Trainer name updates and the loss.
///
///     const NameScope scope("attention");
///     const Tensor weights = softmax(matmul(queries, transpose(keys)) / std::sqrt(size));
///
/// Names are kept for good, as their number is small: once there are 65,536 different ones, further names are forgotten,
/// and nodes belong to the part around. So do not put numbers of steps or samples into them.
class NameScope {
 public:
  /// \param name of the part, joined with a dot to those around it. \param kind what it is, such as `Dense`, or nothing.
  explicit NameScope(std::string_view name, std::string_view kind = "");
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;
  ~NameScope();

 private:
  std::uint32_t before_;
};

namespace detail {

/// What nodes do in a computation that is differentiated.
enum class Part : std::uint8_t { forward, tangent, backward, update };

/// A part of a network, what its nodes do, and of derivatives the operation whose rule made them, in one number: 0 stands for
/// no name, and forward.
using LabelId = std::uint32_t;

LabelId current_label();                   ///< of the calling thread
Part part_of(LabelId label);               ///< what its nodes do
LabelId without_part(LabelId label);       ///< of the nodes of the forward pass, whatever they do
LabelId without_operation(LabelId label);  ///< what nodes of one box in a picture have in common
std::string path_of(LabelId label);        ///< `encoder.0`; empty without a name
std::string_view kind_of(LabelId label);   ///< `Dense`; empty when that is not known
std::string_view name_of(Part part);       ///< `forward`
std::string operation_of(LabelId label);   ///< `log`, whose derivative its nodes are; empty when that is not known

/// While it lives, nodes that the calling thread makes belong where \p node does: they take its place, or are its
/// derivatives. Where no name is open and \p node has none, this costs two moves.
class LabelOf {
 public:
  explicit LabelOf(const Node& node);    ///< it is made again
  LabelOf(const Node& node, Part part);  ///< its derivatives, which are this part
  explicit LabelOf(Part part);           ///< whatever is made, under the names that are open
  LabelOf(const LabelOf&) = delete;
  LabelOf& operator=(const LabelOf&) = delete;
  ~LabelOf();

 private:
  LabelId before_;
};

}  // namespace detail

}  // namespace xgrad
