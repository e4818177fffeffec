// RMSNorm (Zhang & Sennrich 2019, equation 4): y = x / sqrt(mean(x²) + eps) · w, and its backward in one pass each.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../core.h"
#include "kernel.h"

namespace aha {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows of D values; x may be [N, D] or [N, H, D] with strided rows of the first dimension.
struct Rows {
  int64_t outer, inner, width, stride;
  explicit Rows(const at::Tensor& x) : outer(x.size(0)), inner(x.dim() == 3 ? x.size(1) : 1), width(x.size(-1)), stride(rowStride(x)) {}
  int64_t count() const { return outer * inner; }
  int64_t at(int64_t row) const { return (row / inner) * stride + (row % inner) * width; }
};

// Of x, or of x + other where it `isSum`; the sum is then the second output. An op's tensors must exist: else other is empty.
struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static variable_list forward(AutogradContext* ctx, at::Tensor x, at::Tensor other, at::Tensor weight, double eps, bool isSum) {
    x = denseRows(x);
    if (isSum) {
      require(x.dim() == 2 && x.sizes() == other.sizes() && x.scalar_type() == other.scalar_type(), "the two summands must be [N, D] of one dtype");
      x = x.contiguous(), other = other.contiguous();
    }
    require(weight.dim() == 1 && weight.size(0) == x.size(-1), "the weight must have one value per column of x");
    require(weight.scalar_type() == x.scalar_type(), "x and weight must share a dtype");
    Rows rows(x);
    at::Tensor y = at::empty(x.sizes(), x.options());
    at::Tensor rstd = at::empty({rows.count()}, x.options());
    at::Tensor sum = isSum ? at::empty(x.sizes(), x.options()) : x;
    floating(x, [&](auto zero) {
      using scalar_t = decltype(zero);
      const scalar_t *px = x.data_ptr<scalar_t>(), *po = isSum ? other.data_ptr<scalar_t>() : nullptr;
      const scalar_t* pw = weight.data_ptr<scalar_t>();
      scalar_t *py = y.data_ptr<scalar_t>(), *pr = rstd.data_ptr<scalar_t>(), *ps = isSum ? sum.data_ptr<scalar_t>() : nullptr;
      forRows(rows.count(), rows.width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
          const scalar_t* in = px + rows.at(row);
          if (po) {
            scalar_t* total = ps + row * rows.width;
            for (int64_t i = 0; i < rows.width; i++) total[i] = in[i] + po[row * rows.width + i];
            in = total;
          }
          scalar_t* out = py + row * rows.width;
          scalar_t squares = 0;
#pragma omp simd reduction(+ : squares)
          for (int64_t i = 0; i < rows.width; i++) squares += in[i] * in[i];
          scalar_t r = scalar_t(1) / std::sqrt(squares / scalar_t(rows.width) + scalar_t(eps));
          pr[row] = r;
          for (int64_t i = 0; i < rows.width; i++) out[i] = in[i] * r * pw[i];
        }
      });
    });
    ctx->save_for_backward({sum, weight, rstd});
    return isSum ? variable_list{y, sum} : variable_list{y};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    at::Tensor x = saved[0], weight = saved[1], rstd = saved[2], dy = grads[0].contiguous();
    bool isSum = grads.size() > 1;
    at::Tensor dsum = isSum ? grads[1].contiguous() : at::Tensor();
    Rows rows(x);
    int64_t width = rows.width;
    at::Tensor dx = at::empty(x.sizes(), x.options());
    int threads = at::get_num_threads();
    at::Tensor partial = at::zeros({threads, width}, x.options());
    floating(x, [&](auto zero) {
      using scalar_t = decltype(zero);
      const scalar_t* px = x.data_ptr<scalar_t>();
      const scalar_t* pw = weight.data_ptr<scalar_t>();
      const scalar_t* pr = rstd.data_ptr<scalar_t>();
      const scalar_t *pdy = dy.data_ptr<scalar_t>(), *pds = isSum ? dsum.data_ptr<scalar_t>() : nullptr;
      scalar_t* pdx = dx.data_ptr<scalar_t>();
      scalar_t* pp = partial.data_ptr<scalar_t>();
      int64_t chunk = (rows.count() + threads - 1) / threads;
      at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
        for (int64_t t = first; t < last; t++) {
          scalar_t* dw = pp + t * width;
          for (int64_t row = t * chunk; row < std::min((t + 1) * chunk, rows.count()); row++) {
            const scalar_t* in = px + rows.at(row);
            const scalar_t* up = pdy + row * width;
            scalar_t* down = pdx + row * width;
            scalar_t r = pr[row], dot = 0;
#pragma omp simd reduction(+ : dot)
            for (int64_t i = 0; i < width; i++) dot += up[i] * pw[i] * in[i];
            scalar_t c = dot * r * r * r / scalar_t(width);
            for (int64_t i = 0; i < width; i++) {
              down[i] = up[i] * pw[i] * r - in[i] * c;
              dw[i] += up[i] * in[i] * r;
            }
            if (pds)
              for (int64_t i = 0; i < width; i++) down[i] += pds[row * width + i];
          }
        }
      });
    });
    return {dx, isSum ? dx : at::Tensor(), partial.sum(0), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

// (x [N, D] or [N, H, D], weight [D], eps) -> like x
AHA_OP(rmsNorm) {
  at::Tensor x = call.tensor(0);
  return call.give(RmsNorm::apply(x, at::empty({0}, x.options()), call.tensor(1), call.number(2), false)[0]);
}

// (x [N, D], y [N, D], weight [D], eps) -> [rmsNorm(x + y), x + y]
AHA_OP(addRmsNorm) { return call.give(RmsNorm::apply(call.tensor(0), call.tensor(1), call.tensor(2), call.number(3), true)); }

}  // namespace aha
