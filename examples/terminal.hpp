#pragma once

#include <cstdint>

/// \file
/// How training shows how far it is, on terminals and elsewhere.

/// The line of an epoch; shorter where the terminal is narrow.
void print_epoch(int epochs, std::int64_t epoch, double loss, double train, double test, double speed);

/// On a terminal: a bar that grows in place. Elsewhere: nothing, the line per epoch says it all.
void show_progress(int epoch, std::int64_t step, std::int64_t steps, double loss);
