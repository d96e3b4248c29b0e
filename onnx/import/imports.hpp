#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model.pb.h"
#include "onnx/import/graph.hpp"

/// \file
/// Internal: what holds for a whole file while its graphs are read.

namespace xgrad::onnx::loading {

/// The domain as the table has it: ONNX's own set has two names.
std::string_view plain_domain(std::string_view domain);

/// Versions of sets of operators, by domain.
using Opsets = std::map<std::string, std::int64_t, std::less<>>;

/// What is found on the way.
class Imports {
 public:
  /// \throws FileError when the same set is imported twice.
  Imports(std::string_view op, std::string file, const proto::ModelProto& model);

  const Opsets& opsets() const { return opsets_; }
  /// The sets that a function asks for, and for the rest those of the model.
  Opsets opsets_of(const proto::FunctionProto& function) const;
  /// A function of the file's own, or null.
  const proto::FunctionProto* find_function(std::string_view domain, std::string_view name) const;

  /// Counts a node. \throws FileError for more than there can be any use for, as functions of functions could make.
  std::size_t next_number(bool in_function);
  /// Notes what cannot be built.
  void object(const std::string& what, const std::string& why, const std::string& where);
  /// \throws ValueError naming all objections, when there are some.
  void raise_objections() const;
  /// \throws FileError that the file is malformed.
  [[noreturn]] void fail(std::string_view what) const;
  std::string_view op() const { return op_; }

 private:
  struct Objection {
    std::string why, first;
    std::size_t count = 0;
  };

  std::string_view op_;
  std::string file_;
  Opsets opsets_;
  std::map<std::pair<std::string, std::string>, const proto::FunctionProto*> functions_;
  std::map<std::string, Objection> objections_;
  std::size_t nodes_ = 0;
  std::size_t function_nodes_ = 0;
  std::size_t most_nodes_;
};

}  // namespace xgrad::onnx::loading
