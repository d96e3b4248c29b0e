#include "autograd/graph/attributes.hpp"

namespace xgrad {

void AttributeVisitor::spec(std::string_view name, const Spec& value) {
  shape(detail::QualifiedName(name, "shape"), value.shape);
  dtype(detail::QualifiedName(name, "dtype"), value.dtype);
}

detail::QualifiedName::QualifiedName(std::string_view outer, std::string_view inner)
    : single_(outer.empty() ? inner : outer) {
  if (!outer.empty() && !inner.empty()) {
    joined_.append(outer).append(".").append(inner);
  }
}

}  // namespace xgrad
