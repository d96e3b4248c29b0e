#include "autograd/plan/run/executable.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/fork.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::plan {

BaseNumbers::BaseNumbers(const Draft& draft, const MemoryPlan& memory)
    : constants(draft.argument_count),
      arena(constants + static_cast<std::uint32_t>(draft.constants.size())),
      outputs(arena + 1),
      nothing(outputs + static_cast<std::uint32_t>(memory.outputs.size())),
      count(nothing + 1) {}

struct Run::Lease {
  Array arena;
  std::byte* scratch = nullptr;
  int threads = 0;
  std::vector<std::byte*> bases;
  std::vector<Array> arguments;
  std::vector<Array> outputs;
  std::vector<bool> may_overwrite;  // per output of the plan
  bool has_run = false;             // once: kernels have what memory they want for themselves
  std::unique_ptr<Lease> next;      // in the list of those that are idle
};

Run::Run(const Executable& executable, const Description* graph) : executable_(executable), graph_(graph) {
  take_lease();
  take_arena();
}

void Run::take_lease() {
  const int threads = runtime::num_threads();
  {
    const std::lock_guard lock(runtime::lock_of(&executable_));
    lease_ = std::move(executable_.idle_);
    if (lease_ != nullptr) {
      executable_.idle_ = std::move(lease_->next);
    }
  }
  if (lease_ != nullptr && lease_->threads == threads) {
    return;
  }
  const Draft& draft = executable_.draft_;
  lease_ = std::make_unique<Lease>();
  lease_->threads = threads;
  lease_->bases.resize(executable_.numbers_.count);
  for (std::size_t i = 0; i < draft.constants.size(); ++i) {
    lease_->bases[executable_.numbers_.constants + i] = draft.constants[i].buffer()->data();
  }
  lease_->arguments.resize(draft.argument_count);
  lease_->outputs.resize(executable_.memory_.outputs.size());
  lease_->may_overwrite.resize(draft.outputs.size());
}

namespace {

Array arena_of(std::size_t bytes) {
  try {
    return Array({static_cast<std::int64_t>(bytes)}, DType::uint8);
  } catch (const MemoryError&) {
    raise<MemoryError>("plan",
                       phrase("the values between its steps take {} bytes, which the system does not give; make "
                              "batches smaller, use checkpoint, or free what is not needed any more",
                              bytes));
  }
}

}  // namespace

void Run::take_arena() {
  const std::size_t arena_bytes = executable_.memory_.arena_bytes;
  const std::size_t bytes = arena_bytes + executable_.scratch_stride() * static_cast<std::size_t>(lease_->threads);
  if (bytes == 0) {
    return;
  }
  lease_->arena = arena_of(bytes);
  std::byte* memory = lease_->arena.buffer()->data();
  lease_->scratch = memory + arena_bytes;
  lease_->bases[executable_.numbers_.arena] = memory;
}

Run::~Run() {
  std::fill(lease_->arguments.begin(), lease_->arguments.end(), Array());
  std::fill(lease_->outputs.begin(), lease_->outputs.end(), Array());
  std::fill(lease_->may_overwrite.begin(), lease_->may_overwrite.end(), false);
  lease_->arena = Array();
  const std::lock_guard lock(runtime::lock_of(&executable_));
  lease_->next = std::move(executable_.idle_);
  executable_.idle_ = std::move(lease_);
}

Array& Run::argument(std::size_t i) { return lease_->arguments[i]; }
void Run::may_overwrite(std::size_t i) { lease_->may_overwrite[i] = true; }

// Nothing is written over an argument in the first run: a kernel may find that there is no memory.
void Run::prepare() {
  const MemoryPlan& memory = executable_.memory_;
  for (std::size_t i = 0; i < lease_->arguments.size(); ++i) {
    lease_->bases[i] = lease_->arguments[i].buffer()->data();
  }
  for (std::size_t i = 0; i < memory.outputs.size(); ++i) {
    const OutputBuffer& output = memory.outputs[i];
    if (output.replaces != Draft::none && lease_->may_overwrite[output.number] && lease_->has_run) {
      lease_->outputs[i] = lease_->arguments[output.replaces];
    } else {
      const Spec& spec = executable_.draft_.spec(output.value);
      lease_->outputs[i] = Array(spec.shape, spec.dtype);
    }
    lease_->bases[executable_.numbers_.outputs + i] = lease_->outputs[i].buffer()->data();
  }
}

void Run::execute(Profiler* profiler) {
  for (const Stage& stage : executable_.stages_) {
    executable_.run_stage(
        stage, {lease_->bases.data(), lease_->scratch, lease_->threads, runtime::thread_number(), profiler, graph_});
  }
  lease_->has_run = true;
}

Array Run::result(std::size_t i) const {
  const Value& value = executable_.draft_.values[executable_.draft_.outputs[i]];
  const Place& place = executable_.memory_.places[value.memory];
  const Array& array = place.room == Place::Room::argument   ? lease_->arguments[place.number]
                       : place.room == Place::Room::constant ? executable_.draft_.constants[place.number]
                                                             : lease_->outputs[place.number];
  return Array(array.buffer(), value.spec.shape, value.spec.dtype);
}

Executable::Executable(Draft draft, Schedule schedule, MemoryPlan memory)
    : draft_(std::move(draft)), schedule_(std::move(schedule)), memory_(std::move(memory)), numbers_(draft_, memory_) {
  for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
    kernels_.push_back(bind_kernel(draft_, memory_, i));
  }
  for (const Phase& phase : schedule_.phases) {
    stages_.emplace_back(phase, schedule_.groups);
  }
}

Executable::~Executable() = default;

std::size_t Executable::scratch_stride() const {
  constexpr std::size_t line = runtime::alignment;
  return memory_.scratch_bytes == 0 ? 0 : (memory_.scratch_bytes + 2 * line - 1) / line * line;
}

std::size_t Executable::peak_bytes() const {
  std::size_t bytes = memory_.arena_bytes + scratch_stride() * static_cast<std::size_t>(runtime::num_threads());
  for (const OutputBuffer& output : memory_.outputs) {
    bytes += output.replaces == Draft::none ? draft_.bytes(output.value) : 0;
  }
  return bytes;
}

double Executable::cost() const {
  double total = 0;
  for (const Group& group : schedule_.groups) {
    total += group.cost;
  }
  return total;
}

// The arena, and the pointers to all memory behind it.
std::size_t Executable::inside_bytes() const {
  return runtime::aligned(memory_.arena_bytes) + runtime::aligned(numbers_.count * sizeof(std::byte*));
}

void Executable::run_inside(void* const* in, void* const* out, std::byte* memory, std::byte* scratch,
                            int threads) const {
  auto** bases = reinterpret_cast<std::byte**>(memory + runtime::aligned(memory_.arena_bytes));
  std::transform(in, in + draft_.argument_count, bases, [](void* place) { return static_cast<std::byte*>(place); });
  for (std::size_t i = 0; i < draft_.constants.size(); ++i) {
    bases[numbers_.constants + i] = draft_.constants[i].buffer()->data();
  }
  bases[numbers_.arena] = memory;
  bases[numbers_.nothing] = nullptr;
  for (std::size_t i = 0; i < memory_.outputs.size(); ++i) {
    bases[numbers_.outputs + i] = static_cast<std::byte*>(out[memory_.outputs[i].number]);
  }
  for (const Stage& stage : stages_) {
    run_stage(stage, {bases, scratch, threads, runtime::thread_number(), nullptr, nullptr});
  }
  for (std::size_t i = 0; i < draft_.outputs.size(); ++i) {  // what is given on, or is several outputs
    const Value& value = draft_.values[draft_.outputs[i]];
    const Place& place = memory_.places[value.memory];
    const std::byte* source = place.room == Place::Room::argument   ? bases[place.number]
                              : place.room == Place::Room::constant ? bases[numbers_.constants + place.number]
                                                                    : bases[numbers_.outputs + place.number];
    const std::size_t bytes = draft_.bytes(draft_.outputs[i]);
    if (bytes > 0 && source + value.offset != out[i]) {
      std::memcpy(out[i], source + value.offset, bytes);
    }
  }
}

std::uint32_t Executable::costliest_of(std::uint32_t phase) const {
  const std::vector<std::uint32_t>& groups = schedule_.phases[phase].groups;
  return *std::max_element(groups.begin(), groups.end(), [&](std::uint32_t a, std::uint32_t b) {
    return schedule_.groups[a].cost < schedule_.groups[b].cost;
  });
}

void Executable::run_stage(const Stage& stage, const Context& context) const {
  const auto enter = [&](std::uint32_t group) {
    if (context.profiler != nullptr) {
      context.profiler->enter(static_cast<std::uint32_t>(&stage - stages_.data()), group);
    }
  };
  enter(Draft::none);
  const auto compute = [&](const Item& item) { run_item(item, context); };
  if (stage.is_parallel()) {
    const int threads = runtime::sharing_threads();
    runtime::parallel_for(
        stage.units(threads), [&](std::int64_t unit) { stage.run_unit(unit, threads, compute); },
        std::min(threads, context.threads));
  } else {
    stage.run_all(compute);
  }
  for (const std::uint32_t number : stage.alone()) {
    const Group& group = schedule_.groups[number];
    enter(number);
    run_kernel(group.steps[0], {context.bases, context.scratch, 0, group.rows, 0, 1, context.threads}, true, context);
  }
}

void Executable::run_item(const Item& item, const Context& context) const {
  const int thread = runtime::thread_number() - context.first_thread;
  std::byte* own = context.scratch + static_cast<std::size_t>(thread) * scratch_stride();
  for (const std::uint32_t step : schedule_.groups[item.group].steps) {
    run_kernel(step, {context.bases, own, item.first, item.last, item.slab, item.slabs, 1}, false, context);
  }
}

void Executable::run_kernel(std::uint32_t step, const Block& block, bool alone, const Context& context) const {
  const Kernel& kernel = *kernels_[step];
  const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
  const bool timed = context.profiler != nullptr && context.profiler->times_kernels();
  const std::int64_t begin = timed ? now() : 0;
  try {
    if (alone) {
      kernel.run_alone(block);
    } else {
      kernel.run(block);
    }
  } catch (Error& error) {
    const Step& failed = draft_.steps[step];
    error.locate(context.graph == nullptr ? failed.where : context.graph->nodes()[failed.node]->location());
    throw;
  }
  if (timed) {
    context.profiler->add(step, runtime::thread_number(), begin, now());
  }
}

}  // namespace xgrad::plan
