// SwiGLU (Shazeer 2020, equation 6): silu(gate) · up, where x holds gate and up side by side.
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../core.h"
#include "kernel.h"

namespace aha {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static at::Tensor forward(AutogradContext* ctx, at::Tensor x) {
    require(x.dim() == 2 && x.size(1) % 2 == 0, "x must be [N, 2F]");
    x = x.contiguous();
    int64_t rows = x.size(0), width = x.size(1) / 2;
    at::Tensor y = at::empty({rows, width}, x.options());
    floating(x, [&](auto zero) {
      using scalar_t = decltype(zero);
      const scalar_t* px = x.data_ptr<scalar_t>();
      scalar_t* py = y.data_ptr<scalar_t>();
      forRows(rows, 2 * width, [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; n++) {
          const scalar_t *gate = px + n * 2 * width, *up = gate + width;
          scalar_t* out = py + n * width;
          for (int64_t i = 0; i < width; i++) out[i] = gate[i] / (scalar_t(1) + fastExp(-gate[i])) * up[i];
        }
      });
    });
    ctx->save_for_backward({x});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    at::Tensor x = ctx->get_saved_variables()[0], dy = grads[0].contiguous();
    int64_t rows = x.size(0), width = x.size(1) / 2;
    at::Tensor dx = at::empty(x.sizes(), x.options());
    floating(x, [&](auto zero) {
      using scalar_t = decltype(zero);
      const scalar_t* px = x.data_ptr<scalar_t>();
      const scalar_t* pdy = dy.data_ptr<scalar_t>();
      scalar_t* pdx = dx.data_ptr<scalar_t>();
      forRows(rows, 2 * width, [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; n++) {
          const scalar_t *gate = px + n * 2 * width, *up = gate + width, *d = pdy + n * width;
          scalar_t *dgate = pdx + n * 2 * width, *dup = dgate + width;
          for (int64_t i = 0; i < width; i++) {
            scalar_t s = scalar_t(1) / (scalar_t(1) + fastExp(-gate[i]));
            dgate[i] = d[i] * up[i] * s * (scalar_t(1) + gate[i] * (scalar_t(1) - s));
            dup[i] = d[i] * gate[i] * s;
          }
        }
      });
    });
    return {dx};
  }
};

}  // namespace

// (x [N, 2F]: gate, up) -> [N, F]
AHA_OP(swiglu) { return call.give(SwiGlu::apply(call.tensor(0))); }

}  // namespace aha
