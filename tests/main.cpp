#include <boost/test/unit_test.hpp>

// Written out, because the precompiled header is read before any BOOST_TEST_MODULE.
int main(int argc, char* argv[]) {
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
