#include "nn/schedules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/kernels/elementary.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/saved.hpp"

namespace xgrad::nn {

namespace schedules {

namespace {

using detail::require_count;
using detail::require_not_negative;
using detail::require_positive;
using kernels::Opcode;

// A schedule from what it does at steps from 0, after the checks of its arguments.
template <class Check, class F>
Schedule checked(const std::source_location& where, const Check& check, F f) {
  located(where, check);
  return [f = std::move(f)](std::int64_t t) { return f(std::max<std::int64_t>(t, 0)); };
}

void require_ascending(std::string_view who, const std::vector<std::int64_t>& milestones) {
  for (std::size_t i = 0; i < milestones.size(); ++i) {
    if (milestones[i] < (i == 0 ? 0 : milestones[i - 1])) {
      raise<ValueError>(who,
                        phrase("milestones are steps in ascending order, got {} at position {}", milestones[i], i));
    }
  }
}

std::int64_t count_reached(const std::vector<std::int64_t>& milestones, std::int64_t t) {
  return std::upper_bound(milestones.begin(), milestones.end(), t) - milestones.begin();
}

// Not C's function: a schedule has the same bits everywhere.
double raised(double base, double exponent) { return kernels::elementary(Opcode::pow, base, exponent); }

double divide(std::int64_t a, std::int64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

// Half a wave of a cosine from one value, at fraction 0, to another, at 1.
double half_wave(double from, double to, double fraction) {
  return to + (from - to) * (1 + kernels::elementary(Opcode::cos, std::numbers::pi * fraction)) / 2;
}

}  // namespace

Schedule constant(double rate, std::source_location where) {
  return checked(
      where, [&] { require_not_negative("constant", "the rate", rate); }, [=](std::int64_t) { return rate; });
}

Schedule step(double initial, std::int64_t period, double factor, std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("step", "the initial rate", initial);
        require_count("step", "the period", period);
        require_not_negative("step", "the factor", factor);
      },
      [=](std::int64_t t) { return initial * raised(factor, static_cast<double>(t / period)); });
}

Schedule multi_step(double initial, const std::vector<std::int64_t>& milestones, double factor,
                    std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("multi_step", "the initial rate", initial);
        require_ascending("multi_step", milestones);
        require_not_negative("multi_step", "the factor", factor);
      },
      [=](std::int64_t t) { return initial * raised(factor, static_cast<double>(count_reached(milestones, t))); });
}

Schedule exponential(double initial, double factor, std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("exponential", "the initial rate", initial);
        require_not_negative("exponential", "the factor", factor);
      },
      [=](std::int64_t t) { return initial * raised(factor, static_cast<double>(t)); });
}

Schedule linear(double initial, double final, std::int64_t steps, std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("linear", "the initial rate", initial);
        require_not_negative("linear", "the final rate", final);
        require_count("linear", "the number of steps", steps);
      },
      [=](std::int64_t t) { return t >= steps ? final : initial + (final - initial) * divide(t, steps); });
}

Schedule polynomial(double initial, std::int64_t steps, double power, double final, std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("polynomial", "the initial rate", initial);
        require_count("polynomial", "the number of steps", steps);
        require_positive("polynomial", "the power", power);
        require_not_negative("polynomial", "the final rate", final);
      },
      [=](std::int64_t t) {
        return final + (initial - final) * raised(divide(std::max<std::int64_t>(steps - t, 0), steps), power);
      });
}

Schedule cosine(double initial, std::int64_t period, double final, std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("cosine", "the initial rate", initial);
        require_count("cosine", "the period", period);
        require_not_negative("cosine", "the final rate", final);
      },
      [=](std::int64_t t) { return half_wave(initial, final, divide(t, period)); });
}

Schedule warm_restarts(double initial, std::int64_t period, std::int64_t multiplier, double final,
                       std::source_location where) {
  return checked(
      where,
      [&] {
        require_not_negative("warm_restarts", "the initial rate", initial);
        require_count("warm_restarts", "the period", period);
        require_count("warm_restarts", "the multiplier", multiplier);
        require_not_negative("warm_restarts", "the final rate", final);
      },
      [=](std::int64_t t) {
        std::int64_t length = period;
        if (multiplier == 1) {
          t %= period;
        }
        while (t >= length) {
          t -= length;
          length *= multiplier;
        }
        return half_wave(initial, final, divide(t, length));
      });
}

namespace {

// Up, down and (in three phases) on: from values[i] to values[i + 1] in phase i.
Schedule cycle(const std::array<double, 4>& values, std::int64_t steps, const OneCycleOptions& options) {
  const auto count = static_cast<double>(steps);
  const double top = options.rise * count - 1;
  std::vector<double> ends = {top};
  if (options.three_phases) {
    ends.push_back(2 * options.rise * count - 2);
  }
  ends.push_back(count - 1);
  return [=](std::int64_t step) {
    const double t = std::clamp(static_cast<double>(step), 0.0, count - 1);
    std::size_t phase = 0;
    while (phase + 1 < ends.size() && t > ends[phase]) {
      ++phase;
    }
    const double begin = phase == 0 ? 0 : ends[phase - 1];
    const double fraction = ends[phase] > begin ? (t - begin) / (ends[phase] - begin) : 1;
    const double from = values[phase];
    const double to = values[phase + 1];
    return options.straight ? from + (to - from) * fraction : half_wave(from, to, fraction);
  };
}

void require_cycle(std::int64_t steps, const OneCycleOptions& options) {
  require_count("one_cycle", "the number of steps", steps);
  const double largest = options.three_phases ? 0.5 : 1;
  detail::require(options.rise >= 0 && options.rise <= largest, "one_cycle",
                  phrase("the fraction of rise is in [0, {}]", largest), options.rise);
}

}  // namespace

Schedule one_cycle(double max_rate, std::int64_t steps, const OneCycleOptions& options, std::source_location where) {
  located(where, [&] {
    require_not_negative("one_cycle", "the largest rate", max_rate);
    require_cycle(steps, options);
    require_positive("one_cycle", "the initial divisor", options.initial_divisor);
    require_positive("one_cycle", "the final divisor", options.final_divisor);
  });
  const double initial = max_rate / options.initial_divisor;
  const double final = initial / options.final_divisor;
  return cycle({initial, max_rate, options.three_phases ? initial : final, final}, steps, options);
}

Schedule one_cycle_momentum(std::int64_t steps, const OneCycleOptions& options, std::source_location where) {
  located(where, [&] {
    require_cycle(steps, options);
    require_not_negative("one_cycle", "the base momentum", options.base_momentum);
    require_not_negative("one_cycle", "the largest momentum", options.max_momentum);
  });
  const double most = options.max_momentum;
  return cycle({most, options.base_momentum, most, most}, steps, options);
}

Schedule warm_up(std::int64_t steps, const Schedule& after, double start_factor, std::source_location where) {
  return checked(
      where,
      [&] {
        require_count("warm_up", "the number of steps", steps);
        require_not_negative("warm_up", "the factor at the start", start_factor);
      },
      [=](std::int64_t t) {
        return t < steps ? after(0) * (start_factor + (1 - start_factor) * divide(t, steps)) : after(t - steps);
      });
}

Schedule sequential(const std::vector<Schedule>& parts, const std::vector<std::int64_t>& milestones,
                    std::source_location where) {
  return checked(
      where,
      [&] {
        if (parts.size() != milestones.size() + 1) {
          raise<ValueError>("sequential", phrase("{} schedules and {} milestones; there is one milestone between "
                                                 "two schedules",
                                                 parts.size(), milestones.size()));
        }
        require_ascending("sequential", milestones);
      },
      [=](std::int64_t t) {
        const auto part = static_cast<std::size_t>(count_reached(milestones, t));
        return parts[part](part == 0 ? t : t - milestones[part - 1]);
      });
}

Schedule chained(const std::vector<Schedule>& factors, std::source_location where) {
  return checked(
      where,
      [&] {
        if (factors.empty()) {
          raise<ValueError>("chained", "the list of schedules is empty; give at least one");
        }
      },
      [=](std::int64_t t) {
        double product = 1;
        for (const Schedule& factor : factors) {
          product *= factor(t);
        }
        return product;
      });
}

}  // namespace schedules

ReduceOnPlateau::ReduceOnPlateau(double initial, const ReduceOnPlateauOptions& options, std::source_location where)
    : options_(options), rate_(initial), best_(options.maximize ? -INFINITY : INFINITY) {
  constexpr std::string_view name = "reduce_on_plateau";
  located(where, [&] {
    detail::require_not_negative(name, "the initial rate", initial);
    detail::require_decay(name, "the factor", options.factor);
    detail::require_count(name, "patience", options.patience, 0);
    detail::require_not_negative(name, "the threshold", options.threshold);
    detail::require_count(name, "cooldown", options.cooldown, 0);
    detail::require_not_negative(name, "the least rate", options.min_rate);
    detail::require_not_negative(name, "the least change", options.min_change);
  });
}

bool ReduceOnPlateau::is_better(double metric) const {
  const double sign = options_.maximize ? 1 : -1;
  const double bar = options_.relative ? best_ * (1 + sign * options_.threshold) : best_ + sign * options_.threshold;
  return options_.maximize ? metric > bar : metric < bar;
}

double ReduceOnPlateau::update(double metric) {
  if (is_better(metric)) {
    best_ = metric;
    worse_ = 0;
  } else {
    ++worse_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    worse_ = 0;
  }
  if (worse_ > options_.patience) {
    const double reduced = std::max(rate_ * options_.factor, options_.min_rate);
    rate_ = rate_ - reduced > options_.min_change ? reduced : rate_;
    cooldown_ = options_.cooldown;
    worse_ = 0;
  }
  return rate_;
}

void ReduceOnPlateau::save(Saved& saved) const {
  saved.put("rate", rate_);
  saved.put("best", best_);
  saved.put("worse", worse_);
  saved.put("cooldown", cooldown_);
}

void ReduceOnPlateau::load(const Saved& saved) {
  const std::int64_t worse = saved.integer("worse");
  const std::int64_t cooldown = saved.integer("cooldown");
  const double best = saved.number("best");
  rate_ = saved.number("rate");
  best_ = best;
  worse_ = worse;
  cooldown_ = cooldown;
}

}  // namespace xgrad::nn
