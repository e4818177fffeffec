// Rotary position embedding (Su et al. 2021, equation 34) in the half-rotation layout of Hugging Face checkpoints.
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../core.h"
#include "kernel.h"

namespace aha {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x [N, H, C], cos and sin [P, R/2], positions [N]; the first R values of each head are rotated, by the angle times `sign`.
at::Tensor rotate(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin, const at::Tensor& positions, double sign) {
  at::Tensor x = denseRows(input);
  int64_t heads = x.size(1), size = x.size(2), half = cos.size(1), stride = rowStride(x), limit = cos.size(0);
  require(2 * half <= size, "cos and sin are wider than half a head");
  at::Tensor y = at::empty(x.sizes(), x.options());
  const int64_t* pos = positions.data_ptr<int64_t>();
  for (int64_t n = 0; n < x.size(0); n++)
    if (pos[n] < 0 || pos[n] >= limit) throw std::runtime_error("position " + std::to_string(pos[n]) + " is outside the rotary table of " + std::to_string(limit));
  floating(x, [&](auto zero) {
    using scalar_t = decltype(zero);
    const scalar_t* px = x.data_ptr<scalar_t>();
    const scalar_t* pc = cos.data_ptr<scalar_t>();
    const scalar_t* ps = sin.data_ptr<scalar_t>();
    scalar_t* py = y.data_ptr<scalar_t>();
    forRows(x.size(0), heads * size, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++) {
        const scalar_t* c = pc + pos[n] * half;
        const scalar_t* s = ps + pos[n] * half;
        for (int64_t h = 0; h < heads; h++) {
          const scalar_t* in = px + n * stride + h * size;
          scalar_t* out = py + (n * heads + h) * size;
          for (int64_t i = 0; i < half; i++) {
            scalar_t a = in[i], b = in[i + half], w = scalar_t(sign) * s[i];
            out[i] = a * c[i] - b * w;
            out[i + half] = b * c[i] + a * w;
          }
          for (int64_t i = 2 * half; i < size; i++) out[i] = in[i];
        }
      }
    });
  });
  return y;
}

struct Rotary : torch::autograd::Function<Rotary> {
  static at::Tensor forward(AutogradContext* ctx, at::Tensor x, at::Tensor cos, at::Tensor sin, at::Tensor positions) {
    require(x.dim() == 3, "x must be [N, H, C]");
    require(positions.scalar_type() == at::kLong && positions.numel() == x.size(0), "positions must be int64 [N]");
    require(cos.scalar_type() == x.scalar_type() && sin.scalar_type() == x.scalar_type(), "x, cos and sin must share a dtype");
    ctx->save_for_backward({cos, sin, positions});
    return rotate(x, cos, sin, positions, 1.0);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    return {rotate(grads[0], saved[0], saved[1], saved[2], -1.0), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

// (x [N, H, C], cos [P, R/2], sin [P, R/2], positions int64 [N]) -> [N, H, C]
AHA_OP(rotary) { return call.give(Rotary::apply(call.tensor(0), call.tensor(1), call.tensor(2), call.tensor(3))); }

}  // namespace aha
