#include "onnx/import/imports.hpp"

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "onnx/import/read_graph.hpp"

namespace xgrad::onnx::loading {

namespace {

/// As many nodes as there can be any use for: those of the file, and of functions one for each call, of functions of functions
/// too, which could be called without end.
std::size_t most_nodes_of(const proto::ModelProto& model) {
  constexpr std::size_t few = 1000;
  constexpr std::size_t times = 100;
  std::size_t nodes = static_cast<std::size_t>(model.graph().node_size());
  for (const auto& function : model.functions()) {
    nodes += static_cast<std::size_t>(function.node_size());
  }
  return few + times * nodes;
}

}  // namespace

std::string_view plain_domain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

Imports::Imports(std::string_view op, std::string file, const proto::ModelProto& model)
    : op_(op), file_(std::move(file)), most_nodes_(most_nodes_of(model)) {
  for (const auto& set : model.opset_import()) {
    if (!opsets_.emplace(plain_domain(set.domain()), set.version()).second) {
      fail(phrase("imports the operators of the domain {} twice", datasets::backticked(set.domain())));
    }
  }
  const auto own = opsets_.find("");
  if (own != opsets_.end() && (own->second < 1 || own->second > newest_opset)) {
    object(phrase("opset {}", own->second), phrase("sets of operators up to {} are known", newest_opset), "the model");
  }
  for (const auto& function : model.functions()) {
    functions_.emplace(std::pair(std::string(plain_domain(function.domain())), function.name()), &function);
  }
}

Opsets Imports::opsets_of(const proto::FunctionProto& function) const {
  Opsets result = opsets_;
  for (const auto& set : function.opset_import()) {
    result[std::string(plain_domain(set.domain()))] = set.version();
  }
  return result;
}

const proto::FunctionProto* Imports::find_function(std::string_view domain, std::string_view name) const {
  const auto found = functions_.find(std::pair(std::string(plain_domain(domain)), std::string(name)));
  return found == functions_.end() ? nullptr : found->second;
}

std::size_t Imports::next_number(bool in_function) {
  if (in_function && ++function_nodes_ > most_nodes_) {
    fail(phrase("makes more than {} nodes of its functions", most_nodes_));
  }
  return nodes_++;
}

void Imports::object(const std::string& what, const std::string& why, const std::string& where) {
  Objection& objection = objections_[what];
  if (objection.count++ == 0) {
    objection.why = why;
    objection.first = where;
  }
}

void Imports::raise_objections() const {
  if (objections_.empty()) {
    return;
  }
  std::string list;
  for (const auto& [what, objection] : objections_) {
    list += phrase("\n  {}: {} (in {}{})", datasets::shown(what), objection.why, objection.first,
                   objection.count > 1 ? phrase(" and {} more", objection.count - 1) : "");
  }
  raise<ValueError>(op_, phrase("the model {} has what is not supported; export it without:{}", file_, list));
}

void Imports::fail(std::string_view what) const {
  raise<FileError>(op_, phrase("the model {} {}; export it again", file_, what));
}

}  // namespace xgrad::onnx::loading
