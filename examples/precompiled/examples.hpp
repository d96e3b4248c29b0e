// The headers that the examples read, compiled once.
#include <cstdio>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>
