#include <exception>
#include <iostream>

#include "nn/npz.hpp"

/// \file
/// Reads an NPZ file and writes another one of the same arrays:  copy_npz FROM TO

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "copy_npz FROM TO\n";
    return 2;
  }
  try {
    xgrad::nn::write_npz(argv[2], xgrad::nn::read_npz(argv[1]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
