#include "autograd/runtime/progress_line.hpp"

#include <string>

#include <boost/test/unit_test.hpp>

namespace xgrad::runtime {

BOOST_AUTO_TEST_SUITE(runtime_progress_line)

BOOST_AUTO_TEST_CASE(lines_have_what_there_is_room_for) {
  const HowFar far{"epoch 3/12", 0.5, "512/938", 11.2, "  loss 0.4123"};
  BOOST_TEST(progress_text(far, 200) == "epoch 3/12 [============>           ] 512/938  0:12 left  loss 0.4123");
  BOOST_TEST(progress_text(far, 60) == "epoch 3/12 [======>     ] 512/938  0:12 left  loss 0.4123");
  BOOST_TEST(progress_text(far, 51) == "epoch 3/12 [===>  ] 512/938  0:12 left  loss 0.4123");
  BOOST_TEST(progress_text(far, 44) == "epoch 3/12 512/938  0:12 left  loss 0.4123");
  BOOST_TEST(progress_text(far, 40) == "epoch 3/12 [===>  ] 512/938  0:12 left");
  BOOST_TEST(progress_text(far, 30) == "epoch 3/12 512/938  0:12 left");
  BOOST_TEST(progress_text(far, 20) == "epoch 3/12 512/938");
  BOOST_TEST(progress_text(far, 12) == "epoch 3/12 5");
  for (std::size_t columns = 0; columns < 100; ++columns) {
    BOOST_TEST(progress_text(far, columns).size() <= columns);
  }
}

BOOST_AUTO_TEST_CASE(bars_begin_empty_and_end_full) {
  const auto bar = [](double fraction) { return progress_text({"x", fraction, "n", 0}, 40); };
  BOOST_TEST(bar(0) == "x [>           ] n  0:00 left");
  BOOST_TEST(bar(0.999) == "x [===========>] n  0:00 left");
  BOOST_TEST(bar(1) == "x [============] n  0:00 left");
  BOOST_TEST(bar(1.5) == bar(1));
  BOOST_TEST(progress_text({"x", -1, "3.1 MB", 0}, 80) == "x 3.1 MB");  // of nobody knows how many
}

BOOST_AUTO_TEST_CASE(lines_are_cut_between_characters) {
  BOOST_TEST(cut_line("n\xc3\xa9gatif", 2) == "n\xc3\xa9");
  BOOST_TEST(cut_line("n\xc3\xa9gatif", 7) == "n\xc3\xa9gatif");
  BOOST_TEST(cut_line("abc", 0) == "");
}

BOOST_AUTO_TEST_CASE(times_are_read_like_clocks) {
  BOOST_TEST(time_text(0) == "0:00");
  BOOST_TEST(time_text(6.1) == "0:07");
  BOOST_TEST(time_text(3723) == "1:02:03");
  BOOST_TEST(time_text(-1) == "0:00");
  BOOST_TEST(time_text(1e30) == "99:59:59");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::runtime
