#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/tensor.hpp"

/// \file
/// Node, an operation applied to its inputs; and what its rules are given.

namespace xgrad {

/// Shape and element type of one output.
struct Spec {
  Shape shape;                   ///< sizes of the axes, outermost first
  DType dtype = DType::float32;  ///< type of the elements
  /// Same shape, same type.
  friend bool operator==(const Spec&, const Spec&) = default;
};

/// `float32(64, 784)`.
std::string to_string(const Spec& spec);

/// The outputs of an operation that has several.
using Specs = std::vector<Spec>;

/// The tensors an operation works on.
using Inputs = std::span<const Tensor>;

/// The elements of one input while an operation computes.
struct ConstView {
  const void* data;  ///< row-major, without gaps
  const Spec* spec;  ///< what the elements mean

  const Shape& shape() const { return spec->shape; }                 ///< sizes of the axes
  DType dtype() const { return spec->dtype; }                        ///< type of the elements
  std::int64_t size() const { return spec->shape.element_count(); }  ///< number of elements
  /// The first element, read as \p T, which must be the dtype: it is not checked.
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

/// The memory of one output while an operation computes.
struct View {
  void* data;        ///< row-major, without gaps, uninitialised
  const Spec* spec;  ///< what is to be written

  const Shape& shape() const { return spec->shape; }                 ///< sizes of the axes
  DType dtype() const { return spec->dtype; }                        ///< type of the elements
  std::int64_t size() const { return spec->shape.element_count(); }  ///< number of elements
  /// The first element, written as \p T, which must be the dtype: it is not checked.
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

using ConstViews = std::span<const ConstView>;  ///< the elements of all inputs
using Views = std::span<const View>;            ///< the memory of all outputs

/// What a vjp rule is given: the cotangent of each output that has one, and which inputs are asked for.
class Cotangents {
 public:
  /// Refers to \p cotangents, one per output, and \p wanted, one per input; both outlive it.
  Cotangents(Inputs cotangents, const std::vector<bool>& wanted) : cotangents_(cotangents), wanted_(&wanted) {}

  /// The cotangent of output \p i; undefined when nothing flows into that output.
  const Tensor& operator[](std::size_t i) const { return cotangents_[i]; }
  /// Whether the gradient of input \p i is needed; a rule may leave others undefined.
  bool wanted(std::size_t i) const { return (*wanted_)[i]; }

 private:
  Inputs cotangents_;
  const std::vector<bool>* wanted_;
};

/// What a jvp rule is given: the tangent of each input that has one.
class Tangents {
 public:
  /// Refers to \p tangents, one per input, which outlive it.
  explicit Tangents(Inputs tangents) : tangents_(tangents) {}

  /// The tangent of input \p i; undefined when it is zero.
  const Tensor& operator[](std::size_t i) const { return tangents_[i]; }

 private:
  Inputs tangents_;
};

/// What a vmap rule is given: inputs, some of which have an axis of `size` samples in front of their own axes.
struct BatchedInputs {
  Tensors tensors;            ///< one per input, (size, ..) where it is batched
  std::vector<bool> batched;  ///< per input: has the axis in front
  std::int64_t size;          ///< number of samples

  const Tensor& operator[](std::size_t i) const { return tensors[i]; }  ///< input \p i
};

namespace detail {

/// A fixed number of items; the first N need no allocation.
template <class T, std::size_t N>
class FixedVector {
 public:
  template <class MakeItem>
  FixedVector(std::size_t size, MakeItem&& make) : size_(static_cast<std::uint32_t>(size)) {
    if (size > N) {
      data_ = static_cast<T*>(::operator new(size * sizeof(T)));
    }
    for (std::size_t i = 0; i < size; ++i) {
      new (data_ + i) T(make(i));
    }
  }
  FixedVector(const FixedVector&) = delete;
  FixedVector& operator=(const FixedVector&) = delete;
  ~FixedVector() {
    std::destroy_n(data_, size_);
    if (size_ > N) {
      ::operator delete(data_);
    }
  }

  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }

 private:
  alignas(T) std::byte storage_[N * sizeof(T)];
  T* data_ = reinterpret_cast<T*>(storage_);
  std::uint32_t size_;
};

}  // namespace detail

/// An operation applied to its inputs. Nodes are immutable, except that the elements of an output, once computed, may
/// be kept; they are reached through Tensor handles and live as long as a handle or another node needs them.
class Node : public RefCounted {
 public:
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual std::string_view name() const = 0;                ///< the operation's name
  virtual std::string attributes() const = 0;               ///< `axis=1, keepdims=true`
  virtual bool is_alias() const = 0;                        ///< output 0 shares the elements of input 0
  virtual bool stops_gradient() const = 0;                  ///< the derivative is zero everywhere
  virtual bool has_vjp() const = 0;                         ///< there is a vjp rule
  virtual bool has_jvp() const = 0;                         ///< there is a jvp rule
  virtual bool has_vmap() const = 0;                        ///< there is a vmap rule
  virtual void eval(ConstViews in, Views out) const = 0;    ///< computes the elements of all outputs
  virtual Tensors vjp(const Cotangents& ct) const = 0;      ///< the cotangents of the inputs, undefined where 0
  virtual Tensors jvp(const Tangents& t) const = 0;         ///< the tangents of the outputs, undefined where 0
  virtual Tensors vmap(const BatchedInputs& in) const = 0;  ///< the outputs, samples on axis 0
  /// The outputs of the same operation on other inputs.
  virtual Tensors rebuild(Inputs inputs) const = 0;
  /// The same operation and outputs without the inputs: it can compute, but not be differentiated.
  virtual Ref<const Node> detached() const = 0;
  /// Whether \p other has the same operation with the same attributes, so that on equal inputs it gives equal outputs.
  /// False where an operation's attributes cannot be compared.
  virtual bool same_operation(const Node& other) const = 0;
  virtual std::size_t operation_hash() const = 0;  ///< equal for nodes of the same operation
  virtual bool is_total() const = 0;               ///< computing it never throws
  /// Whether row i of every output, along axis 0, depends on row i of every input alone.
  virtual bool splits_rows() const = 0;

  Inputs inputs() const { return inputs_.span(); }                                 ///< what it is applied to
  const Tensor& input(std::size_t i) const { return inputs_[i]; }                  ///< one of the inputs
  std::size_t output_count() const { return outputs_.size(); }                     ///< how many tensors it gives
  const Spec& spec(std::size_t output) const { return outputs_[output].spec; }     ///< of one output
  Tensor output(std::size_t i) const { return Tensor(Ref<const Node>(this), i); }  ///< a handle to one output
  /// Where the user's source made it; line 0 when unknown.
  const std::source_location& location() const { return location_; }

  /// The elements of an output, or an empty array when they are not known.
  Array value(std::size_t output) const;
  /// Whether the elements of an output are known.
  bool has_value(std::size_t output) const {
    return outputs_[output].buffer.load(std::memory_order_acquire) != nullptr;
  }
  /// Whether the elements of all outputs are known. Once they are, they stay known.
  bool is_known() const {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (!has_value(i)) {
        return false;
      }
    }
    return true;
  }
  /// Grows with every node that is made: a node is younger than everything it depends on.
  std::uint64_t sequence() const { return sequence_; }
  /// Keeps the elements of an output; of several threads that try, the first wins.
  void keep_value(std::size_t output, const Array& value) const;

  /// The operation, when it is an \p Op; else null.
  template <class Op>
  const Op* as() const;

  static void* operator new(std::size_t bytes);                ///< from the pool
  static void operator delete(void* node, std::size_t bytes);  ///< back to the pool

 protected:
  /// \param kind identifies the type of the operation, for as().
  Node(Inputs inputs, std::span<const Spec> outputs, const void* kind, const std::source_location& where);

  const void* kind() const { return kind_; }   ///< the same for nodes of one type of operation
  detail::FixedVector<Spec, 1> specs() const;  ///< of all outputs

 private:
  struct Output {
    Spec spec;
    mutable std::atomic<Buffer*> buffer = nullptr;

    explicit Output(const Spec& s) : spec(s) {}
    Output(Output&& other) noexcept : spec(other.spec) {}
    ~Output();
  };

  friend void drop_reference(const Node* node);

  static std::uint64_t next_sequence();

  detail::FixedVector<Tensor, 3> inputs_;
  detail::FixedVector<Output, 1> outputs_;
  const void* kind_;
  std::uint64_t sequence_ = next_sequence();
  std::source_location location_;
};

}  // namespace xgrad
