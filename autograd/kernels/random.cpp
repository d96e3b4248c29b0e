#include <algorithm>
#include <array>
#include <cstdint>

#include <Random123/philox.h>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"

namespace xgrad::kernels {

namespace {

/// What the numbers are for; part of the generator's counter, so that streams of one key have nothing in common.
enum class Stream : std::uint32_t { uniform, normal, fold };

/// 128 random bits, pure in the key, the stream and the position of the block in it.
r123::Philox4x32::ctr_type philox(std::uint64_t key, Stream stream, std::uint64_t block) {
  const r123::Philox4x32::key_type k = {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
  const r123::Philox4x32::ctr_type counter = {{static_cast<std::uint32_t>(block),
                                               static_cast<std::uint32_t>(block >> 32),
                                               static_cast<std::uint32_t>(stream), 0}};
  return r123::Philox4x32()(counter, k);
}

std::uint64_t join(std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32 | low; }

/// As many bits as the type has: equidistant numbers in [0, 1).
float uniform_from(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24F; }
double uniform_from(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

std::array<float, 4> uniform_block(std::uint64_t key, std::uint64_t block, float) {
  const auto r = philox(key, Stream::uniform, block);
  return {uniform_from(r[0]), uniform_from(r[1]), uniform_from(r[2]), uniform_from(r[3])};
}

std::array<double, 2> uniform_block(std::uint64_t key, std::uint64_t block, double) {
  const auto r = philox(key, Stream::uniform, block);
  return {uniform_from(join(r[0], r[1])), uniform_from(join(r[2], r[3]))};
}

/// Fills \p out with consecutive blocks, block(b) being an array of elements.
template <class T, class F>
void generate(void* out, std::int64_t count, const F& block) {
  constexpr auto size = static_cast<std::int64_t>(std::tuple_size_v<decltype(block(std::uint64_t{}))>);
  T* to = static_cast<T*>(out);
  for_each_piece(count, 4096, [&](std::int64_t first, std::int64_t last) {
    std::int64_t i = first;
    for (; i + size <= last; i += size) {
      const auto elements = block(static_cast<std::uint64_t>(i / size));
      for (std::int64_t k = 0; k < size; ++k) {
        to[i + k] = elements[static_cast<std::size_t>(k)];
      }
    }
    if (i < last) {
      const auto elements = block(static_cast<std::uint64_t>(i / size));
      for (std::int64_t k = 0; i + k < last; ++k) {
        to[i + k] = elements[static_cast<std::size_t>(k)];
      }
    }
  });
}

/// Pairs of normal numbers, computed in double precision for both types.
template <class T>
void generate_normal(std::uint64_t key, T* out, std::int64_t count) {
  constexpr std::int64_t together = 128;
  for_each_piece(count, 4096, [&](std::int64_t first, std::int64_t last) {
    alignas(64) double u[together] = {};
    alignas(64) double v[together] = {};
    for (std::int64_t i = first; i < last; i += 2 * together) {
      const std::int64_t pairs = std::min(together, divide_up(last - i, 2));
      for (std::int64_t k = 0; k < pairs; ++k) {
        const auto r = philox(key, Stream::normal, static_cast<std::uint64_t>(i / 2 + k));
        u[k] = uniform_from(join(r[0], r[1]));
        v[k] = uniform_from(join(r[2], r[3]));
      }
      chosen_kernels().normal_pairs(u, v, pairs);
      for (std::int64_t k = 0; k < std::min(2 * together, last - i); ++k) {
        out[i + k] = static_cast<T>(k % 2 == 0 ? u[k / 2] : v[k / 2]);
      }
    }
  });
}

template <class F>
void generate_floating(DType dtype, void* out, std::int64_t count, const F& block) {
  dispatch_floating(
      dtype, [&](auto zero) { generate<decltype(zero)>(out, count, [&](std::uint64_t b) { return block(b, zero); }); });
}

}  // namespace

void random_uniform(DType dtype, std::uint64_t key, void* out, std::int64_t count) {
  generate_floating(dtype, out, count, [key](std::uint64_t b, auto zero) { return uniform_block(key, b, zero); });
}

void random_normal(DType dtype, std::uint64_t key, void* out, std::int64_t count) {
  if (dtype == DType::float32) {
    generate_normal(key, static_cast<float*>(out), count);
  } else {
    generate_normal(key, static_cast<double*>(out), count);
  }
}

std::uint64_t random_fold(std::uint64_t key, std::uint64_t data) {
  const auto r = philox(key, Stream::fold, data);
  return join(r[0], r[1]);
}

}  // namespace xgrad::kernels
