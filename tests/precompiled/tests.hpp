// The headers that every test file reads and that seldom change, compiled once.
#include <boost/test/unit_test.hpp>

#include "autograd/array/xtensor.hpp"
