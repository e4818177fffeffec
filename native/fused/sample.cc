// Drawing one token per row from logits with a given uniform number, so that randomness stays a value outside.
#include <algorithm>
#include <numeric>
#include <vector>

#include "../core.h"
#include "kernel.h"

namespace aha {
namespace {

struct Filter {
  double temperature;
  int64_t topK;
  double topP, minP;
  bool isOn() const { return topK > 0 || topP < 1 || minP > 0; }
};

// Zeroes the probabilities that top-k, then top-p, then min-p exclude. Ties are kept in the order of the ids.
void restrict(std::vector<double>& p, const Filter& filter) {
  std::vector<int32_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return p[a] > p[b]; });
  size_t keep = filter.topK > 0 ? std::min<size_t>(filter.topK, p.size()) : p.size();
  double kept = 0;
  for (size_t i = 0; i < keep; i++) kept += p[order[i]];
  double before = 0, floor = p[order[0]] * filter.minP;
  for (size_t i = 0; i < p.size(); i++) {
    bool isIn = i == 0 || (i < keep && before < filter.topP * kept && p[order[i]] >= floor);
    before += p[order[i]];
    if (!isIn) p[order[i]] = 0;
  }
}

}  // namespace

// (logits [S, V], uniforms Float64Array [S], temperature (0: greedy), topK (0: off), topP, minP, ids Int32Array [S] out,
//  logprobs Float32Array [S] out): the log-probabilities are those of the whole softmax at this temperature (1 if greedy).
AHA_OP(sampleLogits) {
  at::Tensor logits = call.tensor(0).detach().to(at::kCPU).to(call.tensor(0).scalar_type() == at::kDouble ? at::kDouble : at::kFloat).contiguous();
  require(logits.dim() == 2, "logits must be [S, V]");
  int64_t rows = logits.size(0), vocabulary = logits.size(1);
  size_t countU = 0, countI = 0, countP = 0;
  napi_typedarray_type typeU, typeI, typeP;
  double* uniforms = static_cast<double*>(call.typedArray(1, &countU, &typeU));
  Filter filter{call.number(2), call.integer(3), call.number(4), call.number(5)};
  int32_t* ids = static_cast<int32_t*>(call.typedArray(6, &countI, &typeI));
  float* logprobs = static_cast<float*>(call.typedArray(7, &countP, &typeP));
  require(typeU == napi_float64_array && typeI == napi_int32_array && typeP == napi_float32_array, "takes Float64Array, Int32Array and Float32Array");
  require(int64_t(countU) >= rows && int64_t(countI) >= rows && int64_t(countP) >= rows, "the arrays are shorter than the rows");
  floating(logits, [&](auto zero) {
    using scalar_t = decltype(zero);
    const scalar_t* data = logits.data_ptr<scalar_t>();
    bool isGreedy = filter.temperature == 0;
    scalar_t inverse = scalar_t(isGreedy ? 1 : 1 / filter.temperature);
    at::parallel_for(0, rows, std::max<int64_t>(1, 8192 / vocabulary), [&](int64_t begin, int64_t end) {
      std::vector<double> p(vocabulary);
      std::vector<scalar_t> e(vocabulary);
      for (int64_t r = begin; r < end; r++) {
        const scalar_t* z = data + r * vocabulary;
        int64_t best = std::max_element(z, z + vocabulary) - z;
        scalar_t top = z[best], total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t j = 0; j < vocabulary; j++) {
          e[j] = fastExp((z[j] - top) * inverse);
          total += e[j];
        }
        int64_t chosen = best;
        if (!isGreedy) {
          for (int64_t j = 0; j < vocabulary; j++) p[j] = double(e[j]);
          if (filter.isOn()) restrict(p, filter);
          double sum = std::accumulate(p.begin(), p.end(), 0.0), goal = uniforms[r] * sum, reached = 0;
          for (int64_t j = 0; j < vocabulary; j++) {
            if (p[j] == 0) continue;
            chosen = j;
            reached += p[j];
            if (reached > goal) break;
          }
        }
        ids[r] = int32_t(chosen);
        logprobs[r] = float((z[chosen] - top) * inverse - std::log(total));
      }
    });
  });
  return call.nothing();
}

}  // namespace aha
