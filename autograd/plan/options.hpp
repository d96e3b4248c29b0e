#pragma once

/// \file
/// What can be switched off in plans, and on.

namespace xgrad {

/// The passes that make a plan better, in the order in which they run. Without any of them a plan computes the same.
struct Passes {
  bool constants = true;       ///< computes once what depends on nothing that is given at each run
  bool common = true;          ///< computes equal expressions once
  bool scalars = true;         ///< computes small tensors number by number, many operations at once
  bool simplification = true;  ///< lets kernels broadcast, cast and insert single numbers on the way
  bool slabs = true;           ///< cuts products with large variables so that each core owns a part of them
  bool fusion = true;          ///< joins elementwise operations over the same shape
  bool accumulation = true;    ///< starts products from what they are added to
  bool in_place = true;        ///< writes variables where they are
  bool reuse = true;           ///< lets values share memory that do not live at the same time
  /// Whether the same ones run.
  friend bool operator==(const Passes&, const Passes&) = default;
};

/// How a plan is made.
struct PlanOptions {
  Passes passes = {};         ///< which passes run
  bool check_finite = false;  ///< throws ValueError at the first operation that gives NaN or an infinity, before any
                              ///< variable is written, and says why it does; slow, for finding mistakes
#ifdef NDEBUG
  bool verify = false;  ///< checks the plan after every pass; on in debug builds
#else
  bool verify = true;  ///< checks the plan after every pass; on in debug builds
#endif
};

}  // namespace xgrad
