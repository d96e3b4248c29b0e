#include "autograd/plan/report/report.hpp"

#include <algorithm>

#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::plan {

namespace {

std::string bytes_text(std::size_t bytes) {
  return bytes < 10'000       ? phrase("{} B", bytes)
         : bytes < 10'000'000 ? phrase("{:.1f} kB", static_cast<double>(bytes) / 1e3)
                              : phrase("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string place_text(const Executable& plan, ValueId id) {
  const Place& place = plan.memory().places[plan.draft().values[id].memory];
  switch (place.room) {
    case Place::Room::argument: return phrase("argument {}", place.number);
    case Place::Room::constant: return phrase("constant {}", place.number);
    case Place::Room::arena: return phrase("arena+{}", place.offset + plan.draft().values[id].offset);
    case Place::Room::scratch: return phrase("scratch+{}", place.offset);
    case Place::Room::output: {
      const OutputBuffer& output = plan.memory().outputs[place.number];
      return output.replaces == Draft::none ? phrase("output {}", output.number)
                                            : phrase("over argument {}", output.replaces);
    }
    case Place::Room::none: return "nowhere";
  }
  return "";
}

std::string list_text(const Executable& plan, const std::vector<ValueId>& ids, bool with_specs) {
  std::string text;
  for (const ValueId id : ids) {
    text += text.empty() ? "" : ", ";
    text += with_specs ? phrase("%{} {} [{}]", id, to_string(plan.draft().spec(id)), place_text(plan, id))
                       : phrase("%{}", id);
  }
  return text;
}

}  // namespace

std::string group_text(const Group& group) {
  if (group.alone) {
    return "on all threads at once";
  }
  std::string text = group.rows > 1 ? phrase("{} rows", group.rows) : "in one piece";
  if (group.slabs > 1) {
    text += phrase(" x {} slabs", group.slabs);
  }
  if (group.pieces() > 1) {
    text += phrase(" in {} pieces of {}", group.pieces(), group.block);
  }
  return text;
}

namespace {

std::string indented(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin) + 1;
    result += "         " + text.substr(begin, end - begin);
    begin = end;
  }
  return result;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  }
  return result;
}

std::string step_title(const Executable& plan, std::uint32_t step) {
  const Step& each = plan.draft().steps[step];
  const std::source_location& where = each.where;
  const std::string_view path = where.file_name();
  return where.line() == 0 ? each.name
                           : phrase("{} at {}:{}", each.name, path.substr(path.find_last_of('/') + 1), where.line());
}

std::string step_text(const Executable& plan, std::uint32_t step) {
  const Step& each = plan.draft().steps[step];
  return each.kind->text(each);
}

double step_flops(const Executable& plan, std::uint32_t step) {
  const Step& each = plan.draft().steps[step];
  return each.kind->flops(plan.draft(), each);
}

double step_bytes(const Executable& plan, std::uint32_t step) {
  const Step& each = plan.draft().steps[step];
  std::size_t bytes = 0;
  for (const ValueId id : each.inputs) {
    bytes += plan.draft().bytes(id);
  }
  for (const ValueId id : each.outputs) {
    bytes += plan.draft().bytes(id);
  }
  return static_cast<double>(bytes);
}

std::string kernels_text(const Executable& plan) {
  std::string text;
  for (std::size_t phase = 0; phase < plan.schedule().phases.size(); ++phase) {
    text += phrase("phase {}\n", phase);
    for (const std::uint32_t number : plan.schedule().phases[phase].groups) {
      const Group& group = plan.schedule().groups[number];
      text += phrase("  group {}, {}\n", number, group_text(group));
      for (const std::uint32_t step : group.steps) {
        const Step& each = plan.draft().steps[step];
        text += phrase("    {:>3}  {} = {}({})  # {}\n         {}\n", step, list_text(plan, each.outputs, true),
                       each.name, list_text(plan, each.inputs, false), step_title(plan, step), step_text(plan, step));
        for (const auto& nested : each.nested) {
          text += indented(kernels_text(static_cast<const Executable&>(*nested)));
        }
      }
    }
  }
  std::string results;
  for (const ValueId id : plan.draft().outputs) {
    results += phrase("{}%{} [{}]", results.empty() ? "" : ", ", id, place_text(plan, id));
  }
  return text + "return " + results + "\n";
}

std::string memory_text(const Executable& plan) {
  const MemoryPlan& memory = plan.memory();
  std::vector<MemoryPlan::Lifetime> lifetimes = memory.lifetimes;
  std::sort(lifetimes.begin(), lifetimes.end(), [&](const auto& a, const auto& b) {
    return memory.places[a.value].offset < memory.places[b.value].offset;
  });
  std::string text = phrase("{:>12} {:>12}  {:<11} value\n", "offset", "bytes", "phases");
  for (const MemoryPlan::Lifetime& each : lifetimes) {
    text += phrase("{:>12} {:>12}  {:<11} %{} {}\n", memory.places[each.value].offset, plan.draft().bytes(each.value),
                   phrase("{} to {}", each.first, each.last), each.value, to_string(plan.draft().spec(each.value)));
  }
  const std::size_t used = memory.arena_bytes + memory.scratch_bytes;
  text += phrase("arena {}, scratch per thread {}; {} without reuse ({:.1f} times as much)\n",
                 bytes_text(memory.arena_bytes), bytes_text(memory.scratch_bytes), bytes_text(memory.unshared_bytes),
                 used == 0 ? 1.0 : static_cast<double>(memory.unshared_bytes) / static_cast<double>(used));
  return text;
}

}  // namespace xgrad::plan
