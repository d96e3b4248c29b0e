#include "nn/rank_talk.hpp"

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/nn/ranked_training.hpp"

BOOST_AUTO_TEST_SUITE(nn_rank_talk)

namespace nn_rank_talk {

using namespace xgrad;
using namespace testing::ranked;
using nn::detail::RankTalk;

// What ranks throw that are in a call together, and whether they know of each other that they leave it.
struct Ended {
  std::string text = {};
  bool all_leave = false;
};

std::vector<Ended> in_a_call(std::int64_t ranks, const std::function<void(RankTalk&)>& f) {
  std::vector<Ended> ended(static_cast<std::size_t>(ranks));
  const auto thrown = testing::run_ranks(ranks, [&](const World& world) {
    RankTalk talk(world);
    Ended& own = ended[static_cast<std::size_t>(world->rank())];
    try {
      talk.together("fit", [&] { f(talk); });
    } catch (const std::exception& error) {
      own = {error.what(), talk.all_leave()};
    }
  });
  for (const std::exception_ptr& one : thrown) {
    BOOST_TEST(testing::text_of(one) == "");
  }
  return ended;
}

// An inner call, which \p failing throws in; the others are told.
void fail_inside(RankTalk& talk, std::int64_t failing, const std::string& reason) {
  talk.together_to_the_end("evaluate", [&] {
    if (talk.rank() == failing) {
      throw std::runtime_error(reason);
    }
    return 0;
  });
}

// Whether f throws a T. (Boost's checks are for one thread at a time; ranks have one each.)
template <class T, class F>
bool throws(const F& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return dynamic_cast<const T*>(&error) != nullptr;
  }
  return false;
}

void require(bool holds, const std::string& what) {
  if (!holds) {
    throw std::logic_error(what);
  }
}

}  // namespace nn_rank_talk

using namespace nn_rank_talk;

BOOST_AUTO_TEST_CASE(what_all_ranks_catch_is_forgotten) {
  const std::vector<Ended> ended = in_a_call(3, [](RankTalk& talk) {
    for (const std::int64_t failing : {1, 2, 0}) {  // those behind the first find the others waiting as well
      require(throws<std::exception>([&] { fail_inside(talk, failing, "for now"); }), "an inner call has not failed");
    }
    talk.go_on();
    require(talk.exchange("a place", std::to_string(talk.rank())) == std::vector<std::string>{"0", "1", "2"},
            "ranks have said something else");
    talk.together("evaluate", [&] { talk.exchange("another place", ""); });
  });
  for (const Ended& one : ended) {
    BOOST_TEST(one.text == "");
  }
}

BOOST_AUTO_TEST_CASE(what_one_rank_does_not_catch_ends_all) {
  for (const std::int64_t leaving : {0, 1}) {
    for (const bool stubborn : {false, true}) {
      const std::vector<Ended> ended = in_a_call(3, [&](RankTalk& talk) {
        try {
          fail_inside(talk, 1, "the disk is full");
        } catch (const std::exception&) {
          if (talk.rank() == leaving) {
            throw;
          }
        }
        talk.go_on();
        if (stubborn) {
          require(throws<nn::RankError>([&] { talk.exchange("a place", ""); }), "it may talk");
          require(throws<nn::RankError>([&] { talk.exchange("a place", ""); }), "it may talk at last");
          talk.go_on();
        }
        talk.exchange("a place", "");
      });
      for (const Ended& one : ended) {
        BOOST_TEST(contains(one.text, "the disk is full"), one.text);
        BOOST_TEST(one.all_leave);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_thrown_beside_a_collective_is_told) {
  const std::vector<Ended> ended = in_a_call(3, [](RankTalk& talk) {
    if (talk.rank() == 1) {
      throw std::runtime_error("in the middle");
    }
    talk.world()->all_reduce(Tensor(1.0)).item();
  });
  BOOST_TEST(ended[1].text == "in the middle");
  for (const Ended& one : ended) {
    BOOST_TEST(!one.text.empty());
    BOOST_TEST(one.all_leave);
  }
}

BOOST_AUTO_TEST_CASE(ranks_at_different_places_are_told_which) {
  const std::vector<Ended> ended =
      in_a_call(2, [](RankTalk& talk) { talk.exchange(talk.is_root() ? "step 1" : "a decision", ""); });
  for (const Ended& one : ended) {
    BOOST_TEST(contains(one.text, "rank 0 is at step 1, rank 1 at a decision"), one.text);
    BOOST_TEST(one.all_leave);
  }
}

BOOST_AUTO_TEST_CASE(texts_for_the_root_come_to_it_alone) {
  std::vector<std::vector<std::string>> got(3);
  in_a_call(3, [&](RankTalk& talk) {
    got[static_cast<std::size_t>(talk.rank())] =
        talk.to_root("a place", std::string(1, static_cast<char>('a' + talk.rank())));
  });
  BOOST_TEST(got[0] == (std::vector<std::string>{"a", "b", "c"}), boost::test_tools::per_element());
  BOOST_TEST(got[1].empty());
  BOOST_TEST(got[2].empty());
  RankTalk alone(nullptr);
  BOOST_TEST(alone.to_root("a place", "a") == std::vector<std::string>{"a"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
