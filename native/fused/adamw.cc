// AdamW (Loshchilov & Hutter 2019, algorithm 2) over a list of tensors in one pass, and the global gradient norm.
#include <cmath>

#include "../core.h"
#include "kernel.h"

namespace aha {

// (params[], grads[], m[], v[], lr, beta1, beta2, eps, weightDecay, [step, gradScale]): updates params, m and v in place.
AHA_OP(adamw) {
  auto params = call.tensors(0), grads = call.tensors(1), first = call.tensors(2), second = call.tensors(3);
  double lr = call.number(4), beta1 = call.number(5), beta2 = call.number(6), eps = call.number(7), decay = call.number(8);
  size_t length = 0;
  napi_typedarray_type type;
  double* rest = static_cast<double*>(call.typedArray(9, &length, &type));
  require(type == napi_float64_array && length == 2, "step and gradScale must be a Float64Array of two");
  double step = rest[0], gradScale = rest[1];
  require(params.size() == grads.size() && params.size() == first.size() && params.size() == second.size(), "the four lists differ in length");
  double correct1 = 1 - std::pow(beta1, step), correct2 = 1 - std::pow(beta2, step);
  for (size_t i = 0; i < params.size(); i++) {
    at::Tensor grad = grads[i].contiguous();
    require(params[i].is_contiguous() && params[i].numel() == grad.numel(), "a parameter and its gradient differ in size");
    floating(params[i], [&](auto zero) {
      using scalar_t = decltype(zero);
      scalar_t *p = params[i].data_ptr<scalar_t>(), *m = first[i].data_ptr<scalar_t>(), *v = second[i].data_ptr<scalar_t>();
      const scalar_t* g = grad.data_ptr<scalar_t>();
      scalar_t b1 = scalar_t(beta1), b2 = scalar_t(beta2), c1 = scalar_t(1 - beta1), c2 = scalar_t(1 - beta2), scale = scalar_t(gradScale);
      scalar_t size = scalar_t(lr / correct1), root = scalar_t(1 / std::sqrt(correct2)), keep = scalar_t(1 - lr * decay), small = scalar_t(eps);
      forRows(params[i].numel(), 1, [&](int64_t begin, int64_t end) {
        for (int64_t j = begin; j < end; j++) {
          scalar_t slope = g[j] * scale;
          m[j] = b1 * m[j] + c1 * slope;
          v[j] = b2 * v[j] + c2 * slope * slope;
          p[j] = p[j] * keep - size * m[j] / (std::sqrt(v[j]) * root + small);
        }
      });
    });
  }
  return call.nothing();
}

// (grads[]) -> the L2 norm over all of them, summed in float64.
AHA_OP(globalNorm) {
  double sum = 0;
  for (const at::Tensor& any : call.tensors(0)) {
    at::Tensor grad = any.contiguous();
    floating(grad, [&](auto zero) {
      using scalar_t = decltype(zero);
      const scalar_t* g = grad.data_ptr<scalar_t>();
      double part = 0;
#pragma omp simd reduction(+ : part)
      for (int64_t j = 0; j < grad.numel(); j++) part += double(g[j]) * double(g[j]);
      sum += part;
    });
  }
  return call.give(std::sqrt(sum));
}

}  // namespace aha
