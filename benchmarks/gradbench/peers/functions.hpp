#pragma once

#include "benchmarks/gradbench/det.hpp"
#include "benchmarks/gradbench/gmm.hpp"
#include "benchmarks/gradbench/hello.hpp"
#include "benchmarks/gradbench/kmeans.hpp"
#include "benchmarks/gradbench/llsq.hpp"
#include "benchmarks/gradbench/lse.hpp"
#include "benchmarks/gradbench/lstm.hpp"
#include "benchmarks/gradbench/ode.hpp"

namespace gradbench {

/// A peer that takes any function to one number, as a template over the type of numbers: `gradient<Problem>` and, for the one
/// that asks for second derivatives, `direction`.
template <class Library>
struct PeerOfFunctions {
  Peer<Hello> hello{Library::gradient};
  Peer<Lse> lse{Library::gradient};
  Peer<Llsq> llsq{Library::gradient};
  Peer<Det> det{Library::gradient};
  Peer<Kmeans> kmeans{Library::direction};
  Peer<Ode> ode{Library::gradient};
  Peer<Gmm> gmm{Library::gradient};
  Peer<Lstm> lstm{Library::gradient};
};

}  // namespace gradbench
