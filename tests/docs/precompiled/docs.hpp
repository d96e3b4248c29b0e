// The headers that the programs of the documents read, compiled once.
#include <iostream>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>
