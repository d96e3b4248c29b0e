#include "nn/checkpoints.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_checkpoints)

namespace nn_checkpoints {

using namespace xgrad;
using testing::check_throws;

struct Files : testing::TemporaryFolder {
  std::filesystem::path at = folder / "run.safetensors";
  datasets::Dataset data{random::normal(random::Key(3), {44, 12}), zeros({44}, DType::int64)};
};

}  // namespace nn_checkpoints

using namespace nn_checkpoints;

BOOST_FIXTURE_TEST_CASE(the_newest_checkpoint_that_is_whole_is_taken, Files) {
  const nn::Sequential model(nn::Dense(12, 3));
  nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::cross_entropy, {.batches = {.batch_size = 11}});
  trainer.fit(data, {.epochs = 3,
                     .callbacks = {nn::callbacks::checkpoint(at, {.every_batches = 3, .keep_last = 3})},
                     .progress = nn::Progress::quiet});
  // After steps 3, 4, 6, 8, 9 and 12.
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  BOOST_TEST(names == (std::vector<std::string>{"run-000000008.safetensors", "run-000000009.safetensors",
                                                "run-000000012.safetensors"}),
             boost::test_tools::per_element());
  BOOST_TEST(nn::find_checkpoint(at)->filename() == "run-000000012.safetensors");
  testing::write_bytes(folder / ".run-000000011.safetensors.0123456789abcdef.part", "of a killed writer");
  testing::write_bytes(folder / ".other-000000011.safetensors.0123456789abcdef.part", "of another run");
  BOOST_TEST(!nn::detail::remove_old_checkpoints(at, 12, 3));
  BOOST_TEST(!std::filesystem::exists(folder / ".run-000000011.safetensors.0123456789abcdef.part"));
  BOOST_TEST(std::filesystem::remove(folder / ".other-000000011.safetensors.0123456789abcdef.part"));

  std::string bytes = testing::read_bytes(folder / "run-000000012.safetensors");
  bytes[bytes.size() - 3] ^= 1;  // one bit
  testing::write_bytes(folder / "run-000000012.safetensors", bytes);
  BOOST_TEST(nn::find_checkpoint(at)->filename() == "run-000000009.safetensors");
  std::filesystem::resize_file(folder / "run-000000009.safetensors", 200);
  BOOST_TEST(nn::find_checkpoint(at)->filename() == "run-000000008.safetensors");
  std::filesystem::remove(folder / "run-000000008.safetensors");
  // To begin anew would be to lose them.
  check_throws<FileError>([&] { nn::find_checkpoint(at); },
                          {"[find_checkpoint] ", "none of them can be read", "checksum"});
  check_throws<FileError>([&] { trainer.load(at); },
                          {"[load] ", "run.safetensors", "none of them", "checkpoints.cpp:"});
  std::filesystem::remove(folder / "run-000000009.safetensors");
  std::filesystem::remove(folder / "run-000000012.safetensors");
  testing::write_bytes(folder / "run-1.safetensors", "no checkpoint: the number is not as ours are written");
  BOOST_TEST(!nn::find_checkpoint(at).has_value());
  check_throws<FileError>([&] { trainer.fit(data, {.resume = at}); }, {"[fit] ", "a checkpoint", "none"});
  nn::write_saved(at, nn::Saved());
  check_throws<ValueError>([&] { trainer.fit(data, {.resume = at}); }, {"[fit] ", "read_saved", "checkpoints.cpp:"});
}

BOOST_FIXTURE_TEST_CASE(training_goes_on_where_checkpoints_cannot_be_written, Files) {
  const nn::Sequential model(nn::Dense(12, 3));
  nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::cross_entropy);
  testing::write_bytes(folder / "file", "");
  const auto history = trainer.fit(data, {.epochs = 2,
                                          .callbacks = {nn::callbacks::checkpoint(folder / "file" / "run")},
                                          .progress = nn::Progress::quiet});
  BOOST_TEST(history.epochs.size() == 2u);
  check_throws<FileError>([&] { trainer.save(folder / "file" / "run"); }, {"[save] ", "Not a directory"});
}

BOOST_FIXTURE_TEST_CASE(one_process_writes, Files) {
  const nn::Sequential model(nn::Dense(12, 3));
  nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::cross_entropy);
  int saves = 0;
  const nn::Callback save{.on_epoch_end = [&](nn::TrainingState&) {
    trainer.save(at);  // this process may, as well as the callback
    ++saves;
  }};
  const nn::FitOptions options{
      .epochs = 1, .callbacks = {nn::callbacks::checkpoint(at), save}, .progress = nn::Progress::quiet};
  trainer.fit(data, options);
  BOOST_TEST(saves == 1);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()) == 1);

  // The lock of another process, which has written its number.
  const std::string before = testing::read_bytes(at);
  const std::filesystem::path lock = folder / ".run.safetensors.lock";
  testing::write_bytes(lock, "1");
  const int descriptor = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
  BOOST_TEST_REQUIRE(::flock(descriptor, LOCK_EX | LOCK_NB) == 0);
  check_throws<FileError>([&] { trainer.save(at); }, {"[save] ", "run.safetensors", "process 1", "checkpoints.cpp:"});
  const nn::FitOptions alone{
      .epochs = 1, .callbacks = {nn::callbacks::checkpoint(at)}, .progress = nn::Progress::quiet};
  BOOST_TEST(trainer.fit(data, alone).epochs.size() == 1u);  // training goes on
  BOOST_TEST(testing::read_bytes(at) == before);
  ::close(descriptor);  // as when that process is killed: the file stays
  trainer.save(at);
  BOOST_TEST(!std::filesystem::exists(lock));
}

BOOST_FIXTURE_TEST_CASE(later_checkpoints_of_another_run_stay, Files) {
  const auto train = [&](std::int64_t epochs) {
    const nn::Sequential model(nn::Dense(12, 3));
    nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::cross_entropy);
    trainer.fit(data, {.epochs = epochs,
                       .callbacks = {nn::callbacks::checkpoint(at, {.keep_last = 1})},
                       .progress = nn::Progress::quiet});
  };
  train(3);
  train(2);
  BOOST_TEST(std::filesystem::exists(folder / "run-000000006.safetensors"));
  BOOST_TEST(std::filesystem::exists(folder / "run-000000004.safetensors"));
  BOOST_TEST(!std::filesystem::exists(folder / "run-000000002.safetensors"));
}

BOOST_AUTO_TEST_SUITE_END()
