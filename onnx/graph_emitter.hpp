#pragma once

#include <span>
#include <string>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/graph/node.hpp"
#include "onnx/graph_writer.hpp"
#include "onnx/sizes.hpp"

/// \file
/// Internal: descriptions of a function at two sizes of the batch, operation by operation.

namespace xgrad::onnx {

class Call;

/// The operations that could not be written.
class Refusals {
 public:
  void add(const Node& node, std::string_view reason);
  bool empty() const { return found_.empty(); }
  /// \throws ValueError that lists them all: how many of which operation, the first place of each, and why.
  void raise_all() const;

 private:
  struct Refused {
    std::string operation, reason, place;
    int count = 0;
  };
  std::vector<Refused> found_;
};

/// What was traced at the one size of the batch, and at the other.
struct Pair {
  const Description& first;
  const Description& second;
};

/// Where two traces differ in more than sizes.
struct TracesDiffer {
  const Node* node;  ///< at the one size; null where it is not known
};

/// Writes the operations of two descriptions, which are equal up to sizes.
class GraphEmitter {
 public:
  GraphEmitter(GraphWriter& graph, const BatchSizes& batch, Refusals& refusals)
      : graph_(graph), batch_(batch), refusals_(refusals) {}

  /// \param given what the leaves that are given are called. \param roots values of the first description.
  /// \return what the roots are called. \throws TracesDiffer.
  std::vector<Value> emit(const Pair& pair, const std::vector<Value>& given, std::span<const Description::Value> roots);

 private:
  std::vector<Value> leaves_of(const Pair& pair, const std::vector<Value>& given);
  Value leaf(const Description::Leaf& first, const Description::Leaf& second);
  /// \param wanted of which outputs something is computed.
  std::vector<Value> outputs_of(const Node& first, const Node& second, const std::vector<Value>& inputs,
                                const std::vector<bool>& wanted);
  std::vector<std::string> written(const Call& call, std::string_view key, const std::vector<bool>& wanted);
  std::vector<std::string> branch(const Call& call);
  std::vector<std::string> loop(const Call& call, const std::vector<bool>& wanted);

  GraphWriter& graph_;
  const BatchSizes& batch_;
  Refusals& refusals_;
};

}  // namespace xgrad::onnx
