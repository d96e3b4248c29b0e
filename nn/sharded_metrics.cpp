#include "nn/sharded_metrics.hpp"

#include "nn/packed.hpp"

namespace xgrad::nn::detail {

ShardedMetrics::ShardedMetrics(const std::vector<Metric>& all, const Sharding& sharding) : sharding_(sharding) {
  for (const Metric& metric : all) {
    if (!metric.keeps_itself()) {
      raise_no_merge(metric.name());
    }
  }
  for (std::int64_t part = 0; part < sharding.own; ++part) {
    std::vector<Metric>& own = parts_.emplace_back();
    for (const Metric& metric : all) {
      own.push_back(metric.clone());
      own.back().reset();
    }
  }
}

void ShardedMetrics::reset() {
  for (std::vector<Metric>& part : parts_) {
    for (Metric& metric : part) {
      metric.reset();
    }
  }
}

std::vector<std::vector<Saved>> ShardedMetrics::gather(RankTalk& talk) const {
  const std::size_t count = parts_.front().size();
  std::vector<std::vector<Saved>> counted(count);
  if (count == 0) {
    return counted;
  }
  Packer own;
  for (const std::vector<Metric>& part : parts_) {
    for (const Metric& metric : part) {
      Saved saved;
      metric.save(saved);
      own.saved(saved);
    }
  }
  for (const std::string& bytes : talk.exchange("its metrics", own.bytes())) {
    Unpacker message(bytes);
    for (std::int64_t part = 0; part < sharding_.own; ++part) {
      for (std::vector<Saved>& each : counted) {
        each.push_back(message.saved());
      }
    }
  }
  return counted;
}

void ShardedMetrics::collect(RankTalk& talk, std::vector<Metric>& all) const {
  const std::vector<std::vector<Saved>> counted = gather(talk);
  for (std::size_t i = 0; i < all.size(); ++i) {
    bring_together(all[i], counted[i]);
  }
}

void ShardedMetrics::load(std::size_t metric, const std::vector<Saved>& counted) {
  const bool part_by_part = static_cast<std::int64_t>(counted.size()) == sharding_.parts;
  for (std::int64_t part = 0; part < sharding_.own; ++part) {
    const std::int64_t number = sharding_.first + part;
    at(part, metric).reset();
    if (part_by_part) {
      at(part, metric).load(counted[static_cast<std::size_t>(number)]);
    } else if (number == 0) {
      bring_together(at(part, metric), counted);
    }
  }
}

void bring_together(Metric& metric, const std::vector<Saved>& counted) {
  metric.reset();
  for (std::size_t i = 0; i < counted.size(); ++i) {
    i == 0 ? metric.load(counted[i]) : metric.merge(counted[i]);
  }
}

}  // namespace xgrad::nn::detail
