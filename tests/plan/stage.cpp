#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/plan/run/stage.hpp"

/// \file
/// How the pieces of a phase are shared out: all of them, once, whatever the number of threads.

BOOST_AUTO_TEST_SUITE(plan_stage)

namespace {

using namespace xgrad;
using plan::Group;
using plan::Item;
using plan::Stage;

constexpr double large = 1e6;  // nanoseconds

Group rows_of(std::int64_t rows, std::int64_t block, std::int64_t span) {
  Group group;
  group.rows = rows;
  group.block = block;
  group.span = span;
  group.cost = large;
  return group;
}

/// Slabs of which \p adjoining at a time are neighbours.
Group slabs_of(std::int64_t slabs, std::int64_t adjoining) {
  Group group = rows_of(128, 128, adjoining);
  group.slabs = slabs;
  return group;
}

Stage stage_of(const std::vector<Group>& groups) {
  plan::Phase phase;
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    phase.groups.push_back(i);
  }
  return {phase, groups};
}

std::vector<Item> items_of(const Stage& stage, int threads, std::int64_t unit) {
  std::vector<Item> items;
  stage.run_unit(unit, threads, [&](const Item& item) { items.push_back(item); });
  return items;
}

std::vector<Item> items_of(const Stage& stage, int threads) {
  std::vector<Item> items;
  for (std::int64_t unit = 0; unit < stage.units(threads); ++unit) {
    const std::vector<Item> more = items_of(stage, threads, unit);
    items.insert(items.end(), more.begin(), more.end());
  }
  return items;
}

std::int64_t computed_rows(const std::vector<Item>& items) {
  std::int64_t rows = 0;
  for (const Item& item : items) {
    rows += item.last - item.first;
  }
  return rows;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_row_of_every_slab_is_computed_once) {
  const std::vector<Group> groups{slabs_of(16, 8), rows_of(784, 49, 2), rows_of(100, 8, 1), rows_of(5, 5, 1),
                                  rows_of(31, 4, 3)};
  const Stage stage = stage_of(groups);
  for (int threads = 1; threads <= 70; ++threads) {
    std::set<std::tuple<std::uint32_t, std::int64_t, std::int64_t>> computed;
    std::size_t count = 0;
    for (const Item& item : items_of(stage, threads)) {
      for (std::int64_t slab = item.slab; slab < item.slab + item.slabs; ++slab) {
        for (std::int64_t row = item.first; row < item.last; ++row, ++count) {
          computed.emplace(item.group, slab, row);
        }
      }
    }
    BOOST_TEST_REQUIRE(count == 16U * 128 + 784 + 100 + 5 + 31, threads << " threads");
    BOOST_TEST_REQUIRE(computed.size() == count, threads << " threads");
  }
}

BOOST_AUTO_TEST_CASE(one_thread_computes_adjoining_slabs_by_one_call) {
  const std::vector<Item> items = items_of(stage_of({slabs_of(16, 8)}), 1);
  BOOST_TEST_REQUIRE(items.size() == 2U);  // those of another range of k are no neighbours
  BOOST_TEST(items[0].slab == 0);
  BOOST_TEST(items[0].slabs == 8);
  BOOST_TEST(items[1].slab == 8);
  BOOST_TEST(items[1].slabs == 8);
}

BOOST_AUTO_TEST_CASE(a_call_computes_as_many_blocks_of_rows_as_it_has_memory_for) {
  const Stage stage = stage_of({rows_of(784, 49, 3), rows_of(100, 10, 1)});  // between each other
  std::vector<std::int64_t> rows;
  std::int64_t alone = 0;
  for (const Item& item : items_of(stage, 1)) {
    if (item.group == 0) {
      rows.push_back(item.last - item.first);
    } else {
      ++alone;
    }
  }
  const std::vector<std::int64_t> expected{147, 147, 147, 147, 147, 49};
  BOOST_TEST(rows == expected, boost::test_tools::per_element());
  BOOST_TEST(alone == 10);
}

BOOST_AUTO_TEST_CASE(as_many_threads_as_pieces_take_one_each) {
  const Stage stage = stage_of({slabs_of(16, 8)});
  for (const int threads : {16, 17, 64}) {
    BOOST_TEST(stage.units(threads) == 16);
    BOOST_TEST(items_of(stage, threads).size() == 16U);
    BOOST_TEST(stage.is_cut_alike(threads, 16));
  }
  BOOST_TEST(!stage.is_cut_alike(1, 2));
  BOOST_TEST(!stage.is_cut_alike(2, 16));
}

// A thread that is late is helped with little.
BOOST_AUTO_TEST_CASE(a_part_is_halved_until_single_pieces_are_left) {
  const Stage stage = stage_of({rows_of(64, 2, 1)});
  std::vector<std::int64_t> rows;
  for (std::int64_t unit = 0; unit < stage.units(2); ++unit) {
    rows.push_back(computed_rows(items_of(stage, 2, unit)));
  }
  const std::vector<std::int64_t> expected{16, 8, 4, 2, 2, 0, 16, 8, 4, 2, 2, 0};
  BOOST_TEST(rows == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(where_pieces_adjoin_a_part_ends_with_quarters) {
  const Stage stage = stage_of({rows_of(64, 2, 16)});
  std::vector<std::size_t> calls;
  std::vector<std::int64_t> rows;
  for (std::int64_t unit = 0; unit < stage.units(2); ++unit) {
    const std::vector<Item> items = items_of(stage, 2, unit);
    calls.push_back(items.size());
    rows.push_back(computed_rows(items));
  }
  const std::vector<std::int64_t> expected{16, 8, 8, 16, 8, 8};
  BOOST_TEST(rows == expected, boost::test_tools::per_element());
  BOOST_TEST(calls == std::vector<std::size_t>(6, 1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(parts_cost_alike) {
  Group heavy = slabs_of(4, 1);
  heavy.cost = 4 * large;
  std::vector<Group> groups{heavy};
  for (int i = 0; i < 3; ++i) {  // of one piece each, which is hardly any work
    groups.push_back(rows_of(1, 1, 1));
    groups.back().cost = 10;
  }
  const Stage stage = stage_of(groups);
  std::size_t heavy_pieces = 0;
  for (std::int64_t unit = 0; unit < stage.units(2) / 2; ++unit) {
    for (const Item& item : items_of(stage, 2, unit)) {
      heavy_pieces += item.group == 0 ? 1U : 0U;
    }
  }
  BOOST_TEST(heavy_pieces == 2U);
}

BOOST_AUTO_TEST_CASE(threads_have_the_same_part_of_every_group) {
  const Stage stage = stage_of({slabs_of(4, 2), rows_of(512, 64, 1)});
  std::vector<Item> first;
  for (std::int64_t unit = 0; unit < stage.units(2) / 2; ++unit) {
    const std::vector<Item> more = items_of(stage, 2, unit);
    first.insert(first.end(), more.begin(), more.end());
  }
  for (const Item& item : first) {
    BOOST_TEST((item.group == 0 ? item.slab < 2 : item.last <= 256));
  }
}

BOOST_AUTO_TEST_CASE(groups_that_are_called_alone_have_no_pieces) {
  Group group = rows_of(64, 64, 1);
  group.alone = true;
  const Stage stage = stage_of({group});
  BOOST_TEST(stage.alone() == std::vector<std::uint32_t>{0}, boost::test_tools::per_element());
  BOOST_TEST(!stage.is_parallel());
  int calls = 0;
  stage.run_all([&](const Item&) { ++calls; });
  BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(what_is_not_worth_other_threads_is_computed_by_one_call) {
  Group group = rows_of(64, 8, 8);
  group.cost = 10;
  const Stage stage = stage_of({group});
  BOOST_TEST(!stage.is_parallel());
  std::vector<Item> items;
  stage.run_all([&](const Item& item) { items.push_back(item); });
  BOOST_TEST_REQUIRE(items.size() == 1U);
  BOOST_TEST(items[0].last == 64);
}

BOOST_AUTO_TEST_SUITE_END()
