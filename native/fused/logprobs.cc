// linear + log-softmax + gather: the log-probability of each target id and the entropy of its distribution. The logits
// exist for one chunk of rows at a time, forward and backward; [N, V] is never kept.
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../core.h"
#include "kernel.h"

namespace aha {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kChunkValues = int64_t(2) << 20;  // logits held at once: 8 MB of float32

int64_t chunkRows(int64_t vocabulary) { return std::max<int64_t>(16, kChunkValues / vocabulary); }

struct LinearLogprobs : torch::autograd::Function<LinearLogprobs> {
  static variable_list forward(AutogradContext* ctx, at::Tensor hidden, at::Tensor weight, at::Tensor targets, double temperature) {
    require(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1), "hidden must be [N, D] and weight [V, D]");
    require(targets.scalar_type() == at::kLong && targets.numel() == hidden.size(0), "targets must be int64 [N]");
    require(temperature > 0, "temperature must be above 0");
    hidden = hidden.contiguous();
    int64_t rows = hidden.size(0), vocabulary = weight.size(0), step = chunkRows(vocabulary);
    const int64_t* target = targets.data_ptr<int64_t>();
    for (int64_t n = 0; n < rows; n++)
      if (target[n] < 0 || target[n] >= vocabulary) throw std::runtime_error("target id " + std::to_string(target[n]) + " is outside the vocabulary of " + std::to_string(vocabulary));
    at::Tensor logprobs = at::empty({rows}, hidden.options()), entropy = at::empty({rows}, hidden.options()), lse = at::empty({rows}, hidden.options());
    floating(hidden, [&](auto zero) {
      using scalar_t = decltype(zero);
      scalar_t *pp = logprobs.data_ptr<scalar_t>(), *pe = entropy.data_ptr<scalar_t>(), *pl = lse.data_ptr<scalar_t>();
      scalar_t inverse = scalar_t(1 / temperature);
      for (int64_t start = 0; start < rows; start += step) {
        int64_t count = std::min(step, rows - start);
        at::Tensor logits = at::mm(hidden.narrow(0, start, count), weight.t());
        scalar_t* chunk = logits.data_ptr<scalar_t>();
        forRows(count, vocabulary, [&](int64_t begin, int64_t end) {
          for (int64_t r = begin; r < end; r++) {
            scalar_t *z = chunk + r * vocabulary, top = z[0], sum = 0, weighted = 0;
#pragma omp simd reduction(max : top)
            for (int64_t j = 0; j < vocabulary; j++) top = z[j] > top ? z[j] : top;
#pragma omp simd reduction(+ : sum, weighted)
            for (int64_t j = 0; j < vocabulary; j++) {
              scalar_t shifted = (z[j] - top) * inverse, e = fastExp(shifted);
              sum += e;
              weighted += e * shifted;
            }
            scalar_t logSum = std::log(sum);
            pl[start + r] = top * inverse + logSum;
            pp[start + r] = (z[target[start + r]] - top) * inverse - logSum;
            pe[start + r] = logSum - weighted / sum;
          }
        });
      }
    });
    ctx->save_for_backward({hidden, weight, targets, lse, entropy});
    ctx->saved_data["temperature"] = temperature;
    return {logprobs, entropy};
  }

  // d/dz_j of log p_t is [j = t] − p_j; of the entropy −p_j (log p_j + H). z = logits / temperature.
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    at::Tensor hidden = saved[0], weight = saved[1], targets = saved[2], lse = saved[3], entropy = saved[4];
    double temperature = ctx->saved_data["temperature"].toDouble();
    int64_t rows = hidden.size(0), vocabulary = weight.size(0), step = chunkRows(vocabulary);
    at::Tensor dlogprobs = grads[0].defined() ? grads[0].contiguous() : at::zeros({rows}, hidden.options());
    at::Tensor dentropy = grads[1].defined() ? grads[1].contiguous() : at::Tensor();
    at::Tensor dhidden = at::empty(hidden.sizes(), hidden.options());
    at::Tensor dweight = at::zeros(weight.sizes(), weight.options());
    const int64_t* target = targets.data_ptr<int64_t>();
    floating(hidden, [&](auto zero) {
      using scalar_t = decltype(zero);
      const scalar_t *gp = dlogprobs.data_ptr<scalar_t>(), *ge = dentropy.defined() ? dentropy.data_ptr<scalar_t>() : nullptr;
      const scalar_t *pl = lse.data_ptr<scalar_t>(), *pe = entropy.data_ptr<scalar_t>();
      scalar_t inverse = scalar_t(1 / temperature);
      for (int64_t start = 0; start < rows; start += step) {
        int64_t count = std::min(step, rows - start);
        at::Tensor part = hidden.narrow(0, start, count);
        at::Tensor logits = at::mm(part, weight.t());
        scalar_t* chunk = logits.data_ptr<scalar_t>();
        forRows(count, vocabulary, [&](int64_t begin, int64_t end) {
          for (int64_t r = begin; r < end; r++) {
            int64_t n = start + r;
            scalar_t *z = chunk + r * vocabulary, g = gp[n] * inverse, h = ge ? ge[n] * inverse : scalar_t(0), norm = pl[n], H = pe[n];
            for (int64_t j = 0; j < vocabulary; j++) {
              scalar_t logp = z[j] * inverse - norm, p = fastExp(logp);
              z[j] = -p * (g + h * (logp + H));
            }
            z[target[n]] += g;
          }
        });
        at::Tensor out = dhidden.narrow(0, start, count);
        at::mm_out(out, logits, weight);
        dweight.addmm_(logits.t(), part);
      }
    });
    return {dhidden, dweight, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

// (hidden [N, D], weight [V, D], targets int64 [N], temperature) -> [logprobs [N], entropy [N]]
AHA_OP(linearLogprobs) { return call.give(LinearLogprobs::apply(call.tensor(0), call.tensor(1), call.tensor(2), call.number(3))); }

}  // namespace aha
