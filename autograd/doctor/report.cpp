#include "autograd/doctor/report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "autograd/doctor/advice.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::doctor {

namespace {

constexpr std::size_t line_length = 110;

class Page {
 public:
  void heading(std::string_view name) { text_ += phrase("{}{}\n", text_.empty() ? "" : "\n", name); }
  void line(std::string_view label, std::string_view value) { text_ += phrase("  {:<24}{}\n", label, value); }
  void item(std::string_view sentence) {
    std::string_view mark = "- ";
    while (!sentence.empty()) {
      std::size_t end = sentence.size();
      if (end > line_length) {
        end = sentence.rfind(' ', line_length);
        end = end == std::string_view::npos ? sentence.size() : end;
      }
      text_ += phrase("  {}{}\n", mark, sentence.substr(0, end));
      sentence.remove_prefix(end < sentence.size() ? end + 1 : end);
      mark = "  ";
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : text; }

std::string size_text(std::int64_t bytes) {
  constexpr std::int64_t kibi = 1024;
  if (bytes == 0) {
    return "unknown";
  }
  return bytes % (kibi * kibi) == 0 ? phrase("{} MiB", bytes / kibi / kibi) : phrase("{} KiB", bytes / kibi);
}

void describe_cpu(const runtime::CpuInfo& cpu, double gigahertz, Page& page) {
  page.heading("CPU");
  page.line("model", or_unknown(cpu.model));
  page.line("processors", phrase("{} present, {} allowed by affinity, of {} core{}, {}", cpu.present, cpu.allowed,
                                 cpu.cores, cpu.cores == 1 ? "" : "s",
                                 cpu.quota > 0 ? phrase("{:.3g} granted by control groups", cpu.quota)
                                               : "no limit by control groups"));
  page.line("caches", phrase("L1 {}, L2 {}, L3 {}", size_text(cpu.caches.l1), size_text(cpu.caches.l2),
                             size_text(cpu.caches.l3)));
  page.line("instruction set", runtime::to_string(cpu.instructions));
  page.line("frequency", phrase("{:.2f} GHz measured, {} reported", gigahertz,
                                cpu.megahertz > 0 ? phrase("{:.2f} GHz", cpu.megahertz * 1e-3) : "none"));
}

void describe_blas(const runtime::BlasStatus& blas, Page& page) {
  page.heading("BLAS");
  page.line("library", blas.library);
  page.line("version", blas.config);
  page.line("threading", blas.threading);
  page.line("kernels", phrase("{} ({})", blas.core, runtime::to_string(blas.choice)));
  if (blas.core != blas.original) {
    page.line("kernels before", blas.original);
  }
}

void describe_xgrad(const Findings& f, Page& page) {
  page.heading("xgrad");
  page.line("threads",
            phrase("{}{}", f.threads, f.threads_wish.empty() ? "" : phrase(" (XGRAD_THREADS={})", f.threads_wish)));
  page.line("kernels", phrase("{}{}", f.instructions, f.isa_wish.empty() ? "" : phrase(" (XGRAD_ISA={})", f.isa_wish)));
  page.line("build", f.optimized ? "optimised" : "not optimised");
}

std::string processors_text(int count) { return phrase("{} processor{}", count, count == 1 ? "" : "s"); }

void describe_ranks(const Findings& f, Page& page) {
  const runtime::Launch& launch = f.launch;
  const bool bound = f.cpu.allowed < f.cpu.present;
  page.heading("Ranks");
  page.line("started", phrase("{} by {}, {} of them on this machine; this is rank {}", launch.ranks, launch.launcher,
                              launch.here, launch.rank));
  page.line("slots", launch.slots > 0 ? phrase("{}; more ranks take --oversubscribe", launch.slots) : "unknown");
  page.line("binding",
            bound ? phrase("to {} of {}", f.cpu.allowed, processors_text(f.cpu.present)) : std::string("none"));
  page.line("threads of each",
            !f.threads_wish.empty() ? phrase("{} (XGRAD_THREADS)", f.threads)
            : bound                 ? phrase("{}, for its own {}", f.threads, processors_text(f.cpu.usable))
                    : phrase("{} in a World, which divides {}; {} without", std::max(1, f.cpu.usable / launch.here),
                             processors_text(f.cpu.usable), f.threads));
}

std::string product_text(const ProductSpeed& speed, int threads, int cores) {
  if (speed.peak == 0) {
    const std::string one = phrase("{:.0f} GFLOP/s on 1 thread", speed.one);
    return threads == 1 ? one : phrase("{}; {:.0f} GFLOP/s on {}", one, speed.all, threads);
  }
  const std::string one = phrase("{:.0f} GFLOP/s on 1 thread, {:.0f} % of its peak of {:.0f}", speed.one,
                                 100 * speed.one / speed.peak, speed.peak);
  return threads == 1 ? one
                      : phrase("{}; {:.0f} GFLOP/s on {}, {:.0f} %", one, speed.all, threads,
                               100 * speed.all / (cores * speed.peak));
}

void describe_speed(const Measurements& m, int threads, int usable, Page& page) {
  const int cores = std::min(threads, usable);
  page.heading("Measured");
  page.line("products in float32", product_text(m.float32, threads, cores));
  page.line("products in float64", product_text(m.float64, threads, cores));
  const std::string by = m.bfloat16_by.empty() ? "" : ", by " + m.bfloat16_by;
  page.line("products in bfloat16_3x", product_text(m.bfloat16_3x, threads, cores) + by);
  page.line("products in bfloat16", product_text(m.bfloat16, threads, cores) + by);
  page.line("relu in main memory", threads == 1 ? phrase("{:.1f} GB/s on 1 thread", m.bandwidth_one)
                                                : phrase("{:.1f} GB/s on 1 thread; {:.1f} GB/s on {}", m.bandwidth_one,
                                                         m.bandwidth_all, threads));
  if (threads > 1) {
    page.line("loop over all threads", phrase("{:.2f} us while workers are awake; {:.0f} us when they sleep",
                                              m.loop_seconds * 1e6, m.wake_seconds * 1e6));
  }
  page.line("other processes", phrase("kept {:.1f} processors busy", m.busy_elsewhere));
}

}  // namespace

std::string report(const Findings& findings) {
  Page page;
  describe_cpu(findings.cpu, findings.measured.gigahertz, page);
  describe_blas(findings.blas, page);
  describe_xgrad(findings, page);
  if (!findings.launch.is_alone()) {
    describe_ranks(findings, page);
  }
  describe_speed(findings.measured, findings.threads, findings.cpu.usable, page);
  page.heading("Advice");
  const std::vector<std::string> sentences = advice(findings);
  for (const std::string& sentence : sentences) {
    page.item(sentence);
  }
  if (sentences.empty()) {
    page.item("Nothing to improve.");
  }
  return page.text();
}

}  // namespace xgrad::doctor
