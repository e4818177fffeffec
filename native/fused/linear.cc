// x · Wᵀ + b in float32 with its backward, from the packed products of gemm.h: packed at each call for training, once for
// the many small batches of decoding.
#include <ATen/ops/sum.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../core.h"
#include "gemm.h"

namespace aha {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A function's arguments are tensors that exist: no bias is an empty one.
at::Tensor biasOf(Call& call) { return call.maybeTensor(2).value_or(at::empty({0}, at::kFloat)); }
const float* valuesOf(const at::Tensor& bias) { return bias.numel() == 0 ? nullptr : bias.data_ptr<float>(); }

// [rows, columns] = A [rows, depth] · B [columns, depth]ᵀ (+ bias)
at::Tensor product(packed::Operand<float> a, int64_t rows, packed::Operand<float> b, int64_t columns, int64_t depth, const float* bias = nullptr) {
  return packed::multiply<float>(a, rows, packed::pack<float>(b, columns, depth, at::kFloat), columns, bias);
}

void requireLinear(const at::Tensor& x, int64_t inputs, int64_t outputs, const at::Tensor& bias) {
  require(x.dim() == 2 && x.is_cpu() && x.scalar_type() == at::kFloat && x.size(1) == inputs, "x must be a float32 CPU matrix [N, I] for a weight [O, I]");
  require(bias.numel() == 0 || (bias.is_contiguous() && bias.numel() == outputs && bias.scalar_type() == at::kFloat), "the bias must be float32 [O]");
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* ctx, at::Tensor x, at::Tensor weight, at::Tensor bias) {
    require(weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat, "the weight must be a float32 CPU matrix");
    requireLinear(x, weight.size(1), weight.size(0), bias);
    ctx->saved_data["x"] = x.requires_grad();
    ctx->saved_data["weight"] = weight.requires_grad();
    ctx->saved_data["bias"] = bias.requires_grad();
    x = denseRows(x), weight = denseRows(weight);
    ctx->save_for_backward({x, weight});
    return product(packed::rowsOf<float>(x), x.size(0), packed::rowsOf<float>(weight), weight.size(0), x.size(1), valuesOf(bias));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    at::Tensor x = saved[0], weight = saved[1], dy = denseRows(grads[0]), dx, dweight, dbias;
    int64_t rows = x.size(0), inputs = weight.size(1), outputs = weight.size(0);
    if (ctx->saved_data["x"].toBool()) dx = product(packed::rowsOf<float>(dy), rows, packed::columnsOf<float>(weight), inputs, outputs);
    if (ctx->saved_data["weight"].toBool()) dweight = product(packed::columnsOf<float>(dy), outputs, packed::columnsOf<float>(x), inputs, rows);
    if (ctx->saved_data["bias"].toBool()) dbias = dy.sum(0);
    return {dx, dweight, dbias};
  }
};

}  // namespace

// (x [N, I], weight [O, I], bias [O] or absent) -> [N, O], float32
AHA_OP(linearFloat) { return call.give(Linear::apply(call.tensor(0), call.tensor(1), biasOf(call))); }

// (weight [O, I] float32) -> [panels, I, columns]: the outputs of a panel side by side, zeros beyond O.
AHA_OP(packWeight) {
  at::Tensor weight = denseRows(call.tensor(0));
  require(weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat, "takes a float32 CPU matrix");
  return call.give(packed::pack<float>(packed::rowsOf<float>(weight), weight.size(0), weight.size(1), weight.options()));
}

// (x [N, I], packed [panels, I, columns], bias [O] or absent, O) -> [N, O]
AHA_OP(linearPacked) {
  at::Tensor x = denseRows(call.tensor(0)), weight = call.tensor(1);
  at::Tensor bias = biasOf(call);
  int64_t outputs = call.integer(3);
  requireLinear(x, weight.size(1), outputs, bias);
  require(weight.size(0) == packed::ceilDiv(outputs, packed::kColumns<float>), "the packed weight has another number of outputs");
  return call.give(packed::multiply<float>(packed::rowsOf<float>(x), x.size(0), weight, outputs, valuesOf(bias)));
}

}  // namespace aha
