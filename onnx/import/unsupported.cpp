#include <array>

#include "onnx/import/operators.hpp"

/// \file
/// Operators without a row, and why.

namespace xgrad::onnx::loading {

namespace {

constexpr std::string_view bits = "integers have no operations on bits";
constexpr std::string_view quantized = "there are no quantised types";
constexpr std::string_view random = "its random numbers come from nowhere that could be repeated";
constexpr std::string_view texts = "there are no tensors of texts";
constexpr std::string_view lists = "values are tensors, not sequences, maps or optional ones";
constexpr std::string_view images = "there are no operations of images";
constexpr std::string_view complex = "there are no complex numbers";

constexpr std::array unsupported_table = {
    Unsupported{"AffineGrid", images},
    Unsupported{"AveragePool", images},
    Unsupported{"Bernoulli", random},
    Unsupported{"BitShift", bits},
    Unsupported{"BitwiseAnd", bits},
    Unsupported{"BitwiseNot", bits},
    Unsupported{"BitwiseOr", bits},
    Unsupported{"BitwiseXor", bits},
    Unsupported{"Col2Im", images},
    Unsupported{"ConcatFromSequence", lists},
    Unsupported{"Conv", images},
    Unsupported{"ConvInteger", quantized},
    Unsupported{"ConvTranspose", images},
    Unsupported{"DFT", complex},
    Unsupported{"DeformConv", images},
    Unsupported{"DequantizeLinear", quantized},
    Unsupported{"DynamicQuantizeLinear", quantized},
    Unsupported{"GridSample", images},
    Unsupported{"ImageDecoder", images},
    Unsupported{"LpPool", images},
    Unsupported{"MatMulInteger", quantized},
    Unsupported{"MaxPool", images},
    Unsupported{"MaxRoiPool", images},
    Unsupported{"MaxUnpool", images},
    Unsupported{"MelWeightMatrix", "it is part of the processing of sound"},
    Unsupported{"Multinomial", random},
    Unsupported{"NonMaxSuppression", images},
    Unsupported{"Optional", lists},
    Unsupported{"OptionalGetElement", lists},
    Unsupported{"OptionalHasElement", lists},
    Unsupported{"QLinearConv", quantized},
    Unsupported{"QLinearMatMul", quantized},
    Unsupported{"QuantizeLinear", quantized},
    Unsupported{"RandomNormal", random},
    Unsupported{"RandomNormalLike", random},
    Unsupported{"RandomUniform", random},
    Unsupported{"RandomUniformLike", random},
    Unsupported{"RegexFullMatch", texts},
    Unsupported{"Resize", images},
    Unsupported{"RoiAlign", images},
    Unsupported{"STFT", complex},
    Unsupported{"SequenceAt", lists},
    Unsupported{"SequenceConstruct", lists},
    Unsupported{"SequenceEmpty", lists},
    Unsupported{"SequenceErase", lists},
    Unsupported{"SequenceInsert", lists},
    Unsupported{"SequenceLength", lists},
    Unsupported{"SequenceMap", lists},
    Unsupported{"SplitToSequence", lists},
    Unsupported{"StringConcat", texts},
    Unsupported{"StringNormalizer", texts},
    Unsupported{"StringSplit", texts},
    Unsupported{"TfIdfVectorizer", texts},
    Unsupported{"Upsample", images},
};

}  // namespace

std::span<const Unsupported> unsupported_operators() { return unsupported_table; }

}  // namespace xgrad::onnx::loading
