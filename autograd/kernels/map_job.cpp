#include "autograd/kernels/map_job.hpp"

#include <algorithm>

#include "autograd/kernels/pieces.hpp"

namespace xgrad::kernels {

namespace {

/// Periods up to this many elements are expanded once per piece; in longer ones most blocks can be read in place.
constexpr std::int64_t longest_period = 2048;

/// Work per piece, in units of the time that one element of an addition takes.
constexpr std::int64_t piece_work = 32 * 1024;

/// Joins axes that the input walks through in one stride, and leaves out axes of size 1.
void join_axes(const Shape& shape, const Ints& strides, MapSource& source) {
  int last = -1;
  for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
    if (shape[axis] == 1) {
      continue;
    }
    if (last >= 0 && source.strides[last] == strides[axis] * shape[axis]) {
      source.sizes[last] *= shape[axis];
      source.strides[last] = strides[axis];
    } else {
      ++last;
      source.sizes[last] = shape[axis];
      source.strides[last] = strides[axis];
    }
  }
  if (last < 0) {
    last = 0;
    source.sizes[0] = 1;
    source.strides[0] = 0;
  }
  source.axis_count = last + 1;
}

bool overlap(const void* a, std::size_t a_bytes, const void* b, std::size_t b_bytes) {
  const auto a_begin = reinterpret_cast<std::uintptr_t>(a);
  const auto b_begin = reinterpret_cast<std::uintptr_t>(b);
  return a_begin < b_begin + b_bytes && b_begin < a_begin + a_bytes;
}

/// Builds a job step by step.
class JobBuilder {
 public:
  JobBuilder(const MapCall& call, MapSource* sources, MapTarget* targets)
      : call_(call), count_(call.shape.element_count()), sources_(sources), targets_(targets) {
    job_.code = call.code;
    job_.code_size = call.code_size;
    job_.constants = call.constants;
    job_.constant_count = call.constant_count;
    job_.register_count = call.register_count;
    job_.sources = sources;
    job_.source_count = call.input_count;
    job_.targets = targets;
    job_.target_count = call.output_count;
    for (std::size_t i = 0; i < call.input_count; ++i) {
      classify(call.inputs[i], sources[i]);
    }
    place_targets();
    place_registers();
  }

  const MapJob& job() const { return job_; }

 private:
  void classify(const MapInput& input, MapSource& source) const {
    source.dtype = input.dtype;
    join_axes(call_.shape, input.strides, source);
    const bool one_axis = source.axis_count == 1;
    source.period = source.strides[0] == 0 && !one_axis ? count_ / source.sizes[0] : 0;
    if (one_axis && source.strides[0] == 0) {
      source.access = Access::splat;
    } else if (one_axis && source.strides[0] == 1 && input.dtype == call_.compute) {
      source.access = Access::direct;
    } else if (source.period != 0 && source.period <= longest_period) {
      source.access = Access::periodic;
    } else {
      source.access = Access::expanded;
    }
  }

  /// The last instruction that writes an output's register stores straight to the output when it is of the compute type
  /// and no other output has done so with this register.
  void place_targets() {
    for (std::size_t i = 0; i < call_.output_count; ++i) {
      const MapOutput& output = call_.outputs[i];
      MapTarget& target = targets_[i];
      target = {output.dtype, output.source, false, i, 0};
      for (std::size_t k = call_.code_size; k-- > 0 && output.dtype == call_.compute;) {
        if (call_.code[k].target == output.source) {
          target.direct = true;
          target.writer = k;
          break;
        }
      }
      for (std::size_t other = 0; other < i; ++other) {
        target.direct = target.direct && !(targets_[other].direct && targets_[other].writer == target.writer);
      }
    }
    std::sort(targets_, targets_ + call_.output_count, [](const MapTarget& a, const MapTarget& b) {
      return a.direct != b.direct ? a.direct : a.direct && a.writer < b.writer;
    });
    for (std::size_t i = 0; i < call_.output_count; ++i) {
      keep_inputs_from(targets_[i]);
    }
  }

  /// An input that shares the target's buffer is copied into its register where it is still read after the target's
  /// elements have been stored.
  void keep_inputs_from(const MapTarget& target) {
    const std::size_t bytes = static_cast<std::size_t>(count_) * size_of(target.dtype);
    for (std::size_t i = 0; i < call_.input_count; ++i) {
      MapSource& source = sources_[i];
      if (source.access != Access::direct ||
          !overlap(call_.inputs[i].data, static_cast<std::size_t>(count_) * size_of(source.dtype),
                   call_.outputs[target.output].data, bytes)) {
        continue;
      }
      bool read_later = false;
      for (std::size_t k = 0; k < call_.output_count; ++k) {
        read_later = read_later || call_.outputs[k].source == i;
      }
      for (std::size_t k = target.direct ? target.writer + 1 : call_.code_size; k < call_.code_size; ++k) {
        const Instruction& later = call_.code[k];
        read_later = read_later || later.a == i || later.b == i || later.c == i || later.d == i;
      }
      if (read_later) {
        source.access = Access::copied;
      }
    }
  }

  /// The vectors of a register may spill over its end by one.
  void place_registers() {
    const std::size_t element_bytes = size_of(call_.compute);
    constexpr std::int64_t most_lanes = 16;
    job_.block =
        std::min(static_cast<std::int64_t>(register_bytes / element_bytes), divide_up(count_, most_lanes) * most_lanes);
    const auto padded = [&](std::int64_t elements) {
      const std::size_t bytes = static_cast<std::size_t>(elements) * element_bytes + 2 * padding_bytes - 1;
      return bytes / padding_bytes * padding_bytes;
    };
    std::size_t end = (call_.register_count * operand_bytes + padding_bytes - 1) / padding_bytes * padding_bytes;
    for (std::size_t i = 0; i < call_.input_count; ++i) {
      MapSource& source = sources_[i];
      source.place = end;
      const bool one_vector = source.access == Access::direct || source.access == Access::splat;
      end += padded(one_vector ? most_lanes : job_.block + (source.access == Access::periodic ? source.period : 0));
    }
    job_.first_register = end;
    job_.register_size = padded(job_.block);
    job_.scratch_bytes = end + (call_.register_count - call_.input_count) * job_.register_size;
  }

  const MapCall& call_;
  std::int64_t count_;
  MapSource* sources_;
  MapTarget* targets_;
  MapJob job_;
};

}  // namespace

MapJob make_job(const MapCall& call, MapSource* sources, MapTarget* targets) {
  return call.shape.element_count() == 0 ? MapJob{} : JobBuilder(call, sources, targets).job();
}

std::int64_t map_grain(const MapCall& call) {
  const std::int64_t work = static_cast<std::int64_t>(call.input_count + call.output_count) + call.cost;
  constexpr std::int64_t line = 64;
  return std::max<std::int64_t>(divide_up(piece_work, work * line) * line, smallest_map_grain);
}

}  // namespace xgrad::kernels
