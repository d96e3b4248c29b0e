#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/map_job.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/runtime/error.hpp"

namespace xgrad::kernels {

namespace {

/// A list that is on the stack unless it is unusually long.
template <class T, std::size_t usual>
class ShortList {
 public:
  explicit ShortList(std::size_t size) : heap_(size > usual ? new T[size] : nullptr) {}
  T* data() { return heap_ ? heap_.get() : stack_; }

 private:
  T stack_[usual];
  std::unique_ptr<T[]> heap_;
};

MapKernel kernel_for(DType compute) { return chosen_kernels().map[static_cast<int>(compute)]; }

/// One map on one set of buffers.
struct MapRun {
  const char* op;
  MapKernel kernel;
  const MapJob& job;
  const void* const* inputs;
  void* const* outputs;

  void operator()(std::int64_t first, std::int64_t last) const {
    if (!kernel(job, inputs, outputs, first, last, runtime::thread_scratch(job.scratch_bytes))) {
      raise<ValueError>(op,
                        "an integer is divided by zero; replace zeros among the divisors first, by where or maximum");
    }
  }
};

}  // namespace

void map(const char* op, const MapCall& call) {
  const std::int64_t count = call.shape.element_count();
  if (count == 0) {
    return;
  }
  ShortList<MapSource, 16> sources(call.input_count);
  ShortList<MapTarget, 8> targets(call.output_count);
  ShortList<const void*, 16> inputs(call.input_count);
  ShortList<void*, 8> outputs(call.output_count);
  for (std::size_t i = 0; i < call.input_count; ++i) {
    inputs.data()[i] = call.inputs[i].data;
  }
  for (std::size_t i = 0; i < call.output_count; ++i) {
    outputs.data()[i] = call.outputs[i].data;
  }
  const MapJob job = make_job(call, sources.data(), targets.data());
  const MapRun run{op, kernel_for(call.compute), job, inputs.data(), outputs.data()};
  for_each_piece(count, count <= smallest_map_grain ? count : map_grain(call), run);
}

struct PreparedMap::Parts {
  Parts(const char* name, const MapCall& call)
      : op(name),
        code(call.code, call.code + call.code_size),
        constants(call.constants, call.constants + call.constant_count),
        sources(call.input_count),
        targets(call.output_count),
        job(make_job(call, sources.data(), targets.data())),
        kernel(kernel_for(call.compute)),
        count(call.shape.element_count()),
        grain(map_grain(call)) {
    job.code = code.data();
    job.constants = constants.data();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  std::string op;
  std::vector<Instruction> code;
  std::vector<double> constants;
  std::vector<MapSource> sources;
  std::vector<MapTarget> targets;
  MapJob job;
  MapKernel kernel;
  std::int64_t count;
  std::int64_t grain;
};

PreparedMap::PreparedMap(const char* op, const MapCall& call) : parts_(std::make_unique<const Parts>(op, call)) {}
PreparedMap::PreparedMap(PreparedMap&&) noexcept = default;
PreparedMap& PreparedMap::operator=(PreparedMap&&) noexcept = default;
PreparedMap::~PreparedMap() = default;

std::int64_t PreparedMap::count() const { return parts_->count; }
std::int64_t PreparedMap::grain() const { return parts_->grain; }

void PreparedMap::run(const void* const* inputs, void* const* outputs) const {
  const Parts& parts = *parts_;
  for_each_piece(parts.count, parts.grain, MapRun{parts.op.c_str(), parts.kernel, parts.job, inputs, outputs});
}

void PreparedMap::run_range(const void* const* inputs, void* const* outputs, std::int64_t first,
                            std::int64_t last) const {
  const Parts& parts = *parts_;
  if (first < last) {
    MapRun{parts.op.c_str(), parts.kernel, parts.job, inputs, outputs}(first, last);
  }
}

}  // namespace xgrad::kernels
