// Which libtorch this is compiled against: TORCH_VERSION, TORCH_VERSION_MAJOR.
#pragma once
#if __has_include(<torch/headeronly/version.h>)
#include <torch/headeronly/version.h>
#else
#include <torch/csrc/api/include/torch/version.h>
#endif
#include <optional>
#if TORCH_VERSION_MAJOR < 2
#include <c10/util/Optional.h>
#endif

namespace aha {
// What libtorch's signatures mean by optional.
#if TORCH_VERSION_MAJOR < 2
template <typename T> using Optional = c10::optional<T>;
#else
template <typename T> using Optional = std::optional<T>;
#endif
}  // namespace aha
