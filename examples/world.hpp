#pragma once

#include <functional>
#include <memory>

#include <nn/ranks.hpp>

/// Calls \p body with the processes that mpirun has started, or with a null pointer where there is only this one: then MPI
/// need not begin. Where the library was built without MPI, processes are told that they know nothing of each other.
void with_world(int argc, char** argv, const std::function<void(const std::shared_ptr<const xgrad::nn::Ranks>&)>& body);
