#include "tests/dot.hpp"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace xgrad::testing {

namespace {

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  ReadDot read() {
    expect("digraph");
    word();
    statements("");
    skip_space();
    require(at_ == text_.size(), "the end of the text");
    for (const ReadDot::Arrow& arrow : dot_.arrows) {
      require(dot_.boxes.contains(arrow.from) && dot_.boxes.contains(arrow.to), "boxes at both ends of arrows");
    }
    return dot_;
  }

 private:
  void require(bool holds, const std::string& what) const {
    if (!holds) {
      throw std::runtime_error("expected " + what + " at: " + text_.substr(at_, 60));
    }
  }
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      ++at_;
    }
  }
  bool accept(std::string_view token) {
    skip_space();
    if (std::string_view(text_).substr(at_, token.size()) != token) {
      return false;
    }
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) { require(accept(token), std::string(token)); }

  // A name, a number or a string.
  std::string word() {
    skip_space();
    if (accept("\"")) {
      return quoted();
    }
    std::string result;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' || text_[at_] == '.')) {
      result += text_[at_++];
    }
    require(!result.empty(), "a word");
    return result;
  }

  std::string quoted() {
    std::string result;
    while (!accept_here('"')) {
      require(at_ < text_.size(), "a closing quote");
      if (accept_here('\\')) {
        require(at_ < text_.size(), "what is behind the backslash");
        const char c = text_[at_++];
        result += c == 'l' || c == 'n' || c == 'r' ? '\n' : c;
      } else if (text_.compare(at_, 5, "&amp;") == 0) {
        result += '&';
        at_ += 5;
      } else {
        require(text_[at_] != '&', "no bare &, which begins an entity");
        result += text_[at_++];
      }
    }
    return result;
  }
  bool accept_here(char c) {
    const bool is_there = at_ < text_.size() && text_[at_] == c;
    at_ += is_there ? 1 : 0;
    return is_there;
  }

  std::map<std::string, std::string> attributes() {
    std::map<std::string, std::string> found;
    if (accept("[")) {
      while (!accept("]")) {
        const std::string name = word();
        expect("=");
        found[name] = word();
        accept(",");
      }
    }
    return found;
  }

  void statements(const std::string& frame) {
    expect("{");
    while (!accept("}")) {
      statement(frame);
      accept(";");
    }
  }

  void statement(const std::string& frame) {
    if (accept("subgraph")) {
      const std::string name = word();
      require(dot_.frames.try_emplace(name).second, "a frame of another name than " + name);
      statements(name);
      return;
    }
    const std::string name = word();
    if (accept("=")) {
      const std::string value = word();
      if (name == "label") {
        dot_.frames[frame] = value;
      }
    } else if (accept("->")) {
      const std::string to = word();
      dot_.arrows.push_back({name, to, attributes()["label"]});
    } else {
      const std::string label = attributes()["label"];
      if (name != "graph" && name != "node" && name != "edge") {
        require(dot_.boxes.try_emplace(name, label).second, "a box of another name than " + name);
        dot_.inside[frame].push_back(name);
      }
    }
  }

  const std::string& text_;
  std::size_t at_ = 0;
  ReadDot dot_;
};

}  // namespace

std::string ReadDot::box(std::string_view text) const {
  std::string found;
  for (const auto& [name, label] : boxes) {
    if (label.find(text) != std::string::npos) {
      if (!found.empty()) {
        throw std::runtime_error("two boxes have " + std::string(text) + ": " + boxes.at(found) + " and " + label);
      }
      found = name;
    }
  }
  if (found.empty()) {
    throw std::runtime_error("no box has " + std::string(text));
  }
  return found;
}

std::optional<std::string> ReadDot::arrow(const std::string& from, const std::string& to) const {
  std::optional<std::string> label;
  for (const Arrow& arrow : arrows) {
    if (arrow.from == from && arrow.to == to) {
      label = label.value_or("") + arrow.label;
    }
  }
  return label;
}

ReadDot read_dot(const std::string& text) { return Reader(text).read(); }

std::optional<std::string> complaints_of_graphviz(const std::string& text) {
  if (std::system("command -v dot >/dev/null 2>&1") != 0) {
    return std::nullopt;
  }
  char path[] = "/tmp/xgrad_dot_XXXXXX";
  const int file = ::mkstemp(path);
  if (file < 0) {
    throw std::runtime_error("cannot make a temporary file");
  }
  std::FILE* out = ::fdopen(file, "wb");
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  std::FILE* said = ::popen(("dot -Tsvg " + std::string(path) + " 2>&1 >/dev/null").c_str(), "r");
  std::string complaints;
  for (int c = std::fgetc(said); c != EOF; c = std::fgetc(said)) {
    complaints += static_cast<char>(c);
  }
  const int status = ::pclose(said);
  std::remove(path);
  return status == 0 ? complaints : complaints + "dot ends with an error";
}

}  // namespace xgrad::testing
