#pragma once

#include <string>
#include <vector>

#include "nn/report/run_record.hpp"

/// \file
/// Internal: the sections of a report. One that has nothing to say is an empty text.

namespace xgrad::nn::detail {

/// Result, time, machine, command line, options.
std::string glance_section(const std::vector<RunRecord>& runs);
/// Loss, metrics and learning rate by epochs, of all runs together.
std::string curves_section(const std::vector<RunRecord>& runs);

/// Of one run, behind whose identifiers \p ending stands.
std::string weights_section(const RunRecord& run, const std::string& ending);
std::string classification_section(const RunRecord& run, const std::string& ending);  ///< what was taken for what
std::string network_section(const RunRecord& run, const std::string& ending);         ///< layers
std::string time_section(const RunRecord& run, const std::string& ending);            ///< kernels and memory

/// The confusion matrix as a heat map.
std::string heat_map(const Classification& classification);
/// Accuracy over confidence.
std::string reliability_diagram(const Classification& classification);

/// Seconds of all epochs; 0 where they are not known.
double seconds_of(const RunRecord& run);

}  // namespace xgrad::nn::detail
