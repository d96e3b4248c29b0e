#include "autograd/plan/report/profile.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <numeric>
#include <ostream>
#include <vector>

#include "autograd/plan/report/profiler.hpp"
#include "autograd/plan/report/report.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

void Profile::write_chrome_trace(const std::string& path) const {
  std::ofstream file(path);
  file << "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  const char* separator = "\n";
  for (const KernelEvent& event : events) {
    const KernelTime& kernel = kernels[event.kernel];
    file << separator
         << phrase(
                "{{\"name\": \"{}\", \"cat\": \"kernel\", \"ph\": \"X\", \"ts\": {:.3f}, \"dur\": {:.3f}, \"pid\": 0, "
                "\"tid\": {}, \"args\": {{\"source\": \"{}\"}}}}",
                plan::escaped(kernel.name), static_cast<double>(event.begin_ns) / 1e3,
                static_cast<double>(event.end_ns - event.begin_ns) / 1e3, event.thread, plan::escaped(kernel.source));
    separator = ",\n";
  }
  file << "\n]}\n";
  file.close();
  if (!file) {
    raise<FileError>("profile", phrase("'{}' cannot be written; give a file in a folder that can", path));
  }
}

std::string to_string(const Profile& profile) {
  std::vector<std::size_t> order(profile.kernels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return profile.kernels[a].seconds > profile.kernels[b].seconds;
  });
  std::string text = phrase("{:>9} {:>7} {:>7} {:>8} {:>8}  kernel\n", "us", "share", "pieces", "GFLOP/s", "GB/s");
  double busy = 0;
  for (const std::size_t i : order) {
    const KernelTime& kernel = profile.kernels[i];
    busy += kernel.seconds;
    text += phrase("{:>9.2f} {:>6.1f}% {:>7} {:>8.1f} {:>8.1f}  {}\n", kernel.seconds * 1e6, kernel.share * 100,
                   kernel.calls / std::max(profile.repetitions, 1), kernel.gflops, kernel.gigabytes, kernel.source);
  }
  return text + phrase("{:.2f} us per run on {} threads, {:.2f} us in kernels, mean of {} runs\n",
                       profile.seconds * 1e6, profile.threads, busy * 1e6, profile.repetitions);
}

std::ostream& operator<<(std::ostream& out, const Profile& profile) { return out << to_string(profile); }

namespace plan {

namespace {

template <class T>
void sort_without_repetition(std::vector<T>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

// What a kernel has to do with others, and with what the plan is given.
void add_connections(const Draft& draft, std::vector<KernelTime>& kernels) {
  const auto whole = [&](ValueId id) { return draft.values[id].whole; };
  std::vector<std::uint32_t> producers(draft.values.size(), Draft::none);
  for (std::uint32_t step = 0; step < kernels.size(); ++step) {
    for (const ValueId output : draft.steps[step].outputs) {
      producers[whole(output)] = step;
    }
  }
  for (std::uint32_t step = 0; step < kernels.size(); ++step) {
    for (const ValueId input : draft.steps[step].inputs) {
      const Value& value = draft.values[whole(input)];
      if (value.source == Value::Source::argument) {
        kernels[step].arguments.push_back(value.number);
      } else if (producers[whole(input)] != Draft::none && producers[whole(input)] != step) {
        kernels[step].reads.push_back(producers[whole(input)]);
      }
    }
  }
  for (std::size_t i = 0; i < draft.replaces.size(); ++i) {
    const std::uint32_t writer = producers[whole(draft.outputs[i])];
    if (draft.replaces[i] != Draft::none && writer != Draft::none) {
      kernels[writer].arguments.push_back(draft.replaces[i]);
    }
  }
  for (KernelTime& kernel : kernels) {
    sort_without_repetition(kernel.arguments);
    sort_without_repetition(kernel.reads);
  }
}

}  // namespace

void RecordingProfiler::add(std::uint32_t step, int thread, std::int64_t begin_ns, std::int64_t end_ns) {
  const std::lock_guard lock(mutex_);
  events_.push_back({step, thread, begin_ns, end_ns});
}

void RecordingProfiler::begin_run() {
  now_ = std::chrono::steady_clock::now().time_since_epoch().count();
  first_run_ = repetitions_ == 0 ? now_ : first_run_;
  begin_of_last_ = events_.size();
}

void RecordingProfiler::end_run() {
  run_ns_ += std::chrono::steady_clock::now().time_since_epoch().count() - now_;
  ++repetitions_;
}

Profile RecordingProfiler::finish(const Executable& plan, int threads) const {
  Profile profile;
  profile.repetitions = repetitions_;
  profile.threads = threads;
  const double runs = repetitions_;
  profile.seconds = static_cast<double>(run_ns_) / 1e9 / runs;
  const auto count = static_cast<std::uint32_t>(plan.draft().steps.size());
  for (std::uint32_t step = 0; step < count; ++step) {
    profile.kernels.push_back({plan.draft().steps[step].name, step_title(plan, step)});
    profile.kernels.back().computes = step_text(plan, step);
  }
  add_connections(plan.draft(), profile.kernels);
  double total = 0;
  for (const KernelEvent& event : events_) {
    KernelTime& kernel = profile.kernels[event.kernel];
    ++kernel.calls;
    kernel.seconds += static_cast<double>(event.end_ns - event.begin_ns) / 1e9 / runs;
    total += static_cast<double>(event.end_ns - event.begin_ns) / 1e9 / runs;
  }
  for (std::uint32_t step = 0; step < count; ++step) {
    KernelTime& kernel = profile.kernels[step];
    if (kernel.seconds > 0) {
      kernel.share = kernel.seconds / total;
      kernel.gflops = step_flops(plan, step) / kernel.seconds / 1e9;
      kernel.gigabytes = step_bytes(plan, step) / kernel.seconds / 1e9;
    }
  }
  for (std::size_t i = begin_of_last_; i < events_.size(); ++i) {
    KernelEvent event = events_[i];
    event.begin_ns -= first_run_;
    event.end_ns -= first_run_;
    profile.events.push_back(event);
  }
  return profile;
}

}  // namespace plan

}  // namespace xgrad
