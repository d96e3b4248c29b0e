// Programs in which one of the ranks does what it should not; check_faults.py says what has to come of it.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include "autograd/autograd.hpp"
#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/workers.hpp"
#include "distributed/world.hpp"

using namespace xgrad;
using distributed::World;

namespace {

void train(const World& world, int steps) {
  const auto step = compile([&](const Tensor& x) { return sum(world.all_reduce(x * x)); });
  for (int i = 0; i < steps; ++i) {
    step(ones({1000}));
  }
}

void say(const World& world, const std::string& text) {
  std::printf("rank %d: %s\n", static_cast<int>(world.rank()), text.c_str());
  std::fflush(stdout);
}

void differ(const World& world) {
  train(world, 3);
  world.is_root() ? world.all_reduce(ones({10})) : world.all_reduce(ones({12}));
}

void hang(const World& world) {
  train(world, 3);
  if (world.rank() == 1) {
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
  train(world, 1);
}

void die(const World& world) {
  train(world, 3);
  if (world.rank() == 1) {
    std::raise(SIGKILL);
  }
  train(world, 1);
}

void stop(const World& world) {
  train(world, 3);
  if (world.rank() == 1) {
    std::raise(SIGSTOP);
  }
  train(world, 1);
}

void fail(const World& world) {
  train(world, 3);
  if (world.rank() == 1) {
    throw std::runtime_error("the data of this rank is broken");
  }
  train(world, 1);
}

void end_early(const World& world) { train(world, world.rank() == 1 ? 3 : 4); }

void leave_in_the_middle(const World& world) {
  train(world, 3);
  if (world.rank() == 1) {
    std::exit(0);
  }
  train(world, 1);
}

void linger(const World& world) {
  train(world, 3);
  if (world.rank() == 1) {
    std::this_thread::sleep_for(std::chrono::seconds(5));
  }
  say(world, "done");
}

void work_slowly(const World& world) {
  say(world, "process " + std::to_string(getpid()));
  for (int i = 0; i < 60; ++i) {
    train(world, 1);
    if (world.rank() == 1) {  // so the other one waits nearly all the time
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  say(world, "done");
}

void say_threads(const World& world) { say(world, "threads " + std::to_string(runtime::num_threads())); }

void make_another(const World& world, int argc, char** argv) {
  train(world, 1);
  try {
    World second(argc, argv);
  } catch (const ValueError& error) {
    say(world, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const std::map<std::string, void (*)(const World&)> programs = {
      {"differ", differ},       {"hang", hang},         {"die", die},
      {"stop", stop},           {"fail", fail},         {"uncaught", fail},
      {"end", end_early},       {"linger", linger},     {"exit", leave_in_the_middle},
      {"threads", say_threads}, {"train", say_threads}, {"slow", work_slowly},
  };
  if (what == "uncaught") {
    World world(argc, argv);
    fail(world);
    return 0;
  }
  try {
    const bool waits =
        what == "hang" || what == "stop" || what == "linger" || what == "slow";  // what is to be seen is who waits
    const distributed::WorldOptions options{.timeout = std::chrono::seconds(waits ? 3 : 30)};
    auto world = std::make_unique<World>(argc, argv, options);
    if (what != "another") {
      programs.at(what)(*world);
    } else {
      make_another(*world, argc, argv);
      const std::shared_ptr<const nn::Ranks> ranks = *world;
      world.reset();
      const char* calls[] = {"exchange", "World"};
      for (const char* call : calls) {
        try {
          std::string(call) == "World" ? static_cast<void>(World(argc, argv)) : static_cast<void>(ranks->exchange(""));
        } catch (const ValueError& error) {
          std::printf("%s\n", error.what());
        }
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "main: %s\n", error.what());
    return 1;
  }
  return 0;
}
