// Causal attention over packed sequences, grouped-query: softmax(q·kᵀ·scale)·v for each (sequence, head). A tile holds the
// weights of as many queries as a panel has columns, [keys, queries], against only the keys that they may see: the queries
// lie side by side in the vectors, and the tile is an operand of the next product as it is. No N×N mask exists; memory is
// one tile and one head of one sequence per thread.
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "../core.h"
#include "gemm.h"

namespace aha {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using packed::ceilDiv;
using packed::kColumns;
using packed::kRows;
using packed::Operand;

struct Shape {
  int64_t heads, kvHeads, size, sequences, group;
  int64_t ldq, ldk, ldv, ldo, ldg;  // strides of rows: of q, k, v, of what is like q, of what is like k
};

Shape shapeOf(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& offsets) {
  require(q.dim() == 3 && k.dim() == 3 && v.dim() == 3, "q, k, v must be [N, H, C]");
  require(k.sizes() == v.sizes() && q.size(0) == k.size(0) && q.size(2) == k.size(2), "q, k and v do not fit each other");
  require(q.size(1) % k.size(1) == 0, "the number of query heads must be a multiple of the number of key heads");
  require(q.scalar_type() == k.scalar_type() && q.scalar_type() == v.scalar_type(), "q, k and v must share a dtype");
  require(offsets.scalar_type() == at::kLong && offsets.dim() == 1 && offsets.size(0) >= 1, "offsets must be int64 [S + 1]");
  const int64_t* o = offsets.data_ptr<int64_t>();
  int64_t last = offsets.size(0) - 1;
  require(o[0] == 0 && o[last] == q.size(0), "offsets must run from 0 to N");
  for (int64_t s = 0; s < last; s++) require(o[s] <= o[s + 1], "offsets must not decrease");
  return {q.size(1), k.size(1), q.size(2), last, q.size(1) / k.size(1), rowStride(q), rowStride(k), rowStride(v), q.size(1) * q.size(2), k.size(1) * k.size(2)};
}

// A matrix [rows, size] as the left operand of a product that sums over its columns: panels [size, kRows].
template <class T>
void packLeft(const T* from, int64_t stride, int64_t rows, int64_t size, std::vector<T>& to) {
  to.resize(ceilDiv(rows, kRows) * kRows * size + packed::kLanes<T>);
  for (int64_t r = 0; r < rows; r += kRows) packed::packPanel<T>({from + r * stride, stride, 1}, std::min<int64_t>(kRows, rows - r), kRows, size, to.data() + r * size);
}

// A matrix [rows, size] as the right operand of a product that sums over its rows: panels [rows, kColumns].
template <class T>
void packRight(const T* from, int64_t stride, int64_t rows, int64_t size, std::vector<T>& to) {
  to.resize(ceilDiv(size, kColumns<T>) * kColumns<T> * rows);
  for (int64_t c = 0; c < size; c += kColumns<T>) packed::packPanel<T>({from + c, 1, stride}, std::min<int64_t>(kColumns<T>, size - c), kColumns<T>, rows, to.data() + c * rows);
}

// Up to kColumns rows [rows, size], times `scale`, as the right operand of a product that sums over the columns.
template <class T>
void packQueries(const T* from, int64_t stride, int64_t rows, int64_t size, T scale, std::vector<T>& to) {
  to.resize(size * kColumns<T>);
  packed::packPanel<T>({from, stride, 1}, rows, kColumns<T>, size, to.data());
  for (T& value : to) value *= scale;
}

// y [keys, kColumns] = the packed left [keys, size] · right [size, kColumns]; `keys` is rounded up to whole panels.
template <class T>
void scores(const std::vector<T>& left, const std::vector<T>& right, int64_t keys, int64_t size, std::vector<T>& y) {
  y.resize(ceilDiv(keys, kRows) * kRows * kColumns<T>);
  for (int64_t r = 0; r < keys; r += kRows)
    packed::tiles<T>[kRows - 1](left.data() + r * size, kRows, right.data(), right.data(), size, y.data() + r * kColumns<T>, kColumns<T>, packed::zeros<T>, 0, kColumns<T>);
}

// y [rows, size] = the tile [keys, rows]ᵀ · right [keys, size], its panels `length` rows long.
template <class T>
void mix(const std::vector<T>& tile, const std::vector<T>& right, int64_t length, int64_t keys, int64_t rows, int64_t size, T* y, int64_t ldy) {
  for (int64_t c = 0; c < size; c += kColumns<T>) {
    const T* panel = right.data() + c * length;
    for (int64_t r = 0; r < rows; r += kRows)
      packed::tiles<T>[std::min<int64_t>(kRows, rows - r) - 1](tile.data() + r, kColumns<T>, panel, panel, keys, y + r * ldy + c, ldy, packed::zeros<T>, 0, std::min<int64_t>(kColumns<T>, size - c));
  }
}

// y [keys, size] += the tile [keys, rows] · right [rows, size].
template <class T>
void addMixed(const std::vector<T>& tile, const std::vector<T>& right, int64_t keys, int64_t rows, int64_t size, T* y, int64_t ldy) {
  for (int64_t c = 0; c < size; c += kColumns<T>) {
    const T* panel = right.data() + c * rows;
    for (int64_t r = 0; r < keys; r += kRows) {
      T* to = y + r * ldy + c;
      packed::tiles<T, kColumns<T>>[std::min<int64_t>(kRows, keys - r) - 1](tile.data() + r * kColumns<T>, 1, panel, panel, rows, to, ldy, to, ldy, std::min<int64_t>(kColumns<T>, size - c));
    }
  }
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* ctx, at::Tensor q, at::Tensor k, at::Tensor v, at::Tensor offsets, double scale) {
    q = denseRows(q), k = denseRows(k), v = denseRows(v);
    Shape is = shapeOf(q, k, v, offsets);
    int64_t total = q.size(0);
    at::Tensor out = at::empty({total, is.heads, is.size}, q.options());
    at::Tensor lse = at::empty({is.heads, total}, q.options());
    const int64_t* o = offsets.data_ptr<int64_t>();
    floating(q, [&](auto zero) {
      using T = decltype(zero);
      constexpr int64_t width = kColumns<T>;
      const T *pq = q.data_ptr<T>(), *pk = k.data_ptr<T>(), *pv = v.data_ptr<T>();
      T *po = out.data_ptr<T>(), *pl = lse.data_ptr<T>();
#pragma omp parallel
      {
        std::vector<T> keys, values, queries, tile;
#pragma omp for schedule(dynamic, 1)
        for (int64_t item = 0; item < is.sequences * is.kvHeads; item++) {
          int64_t kh = item % is.kvHeads, start = o[item / is.kvHeads], length = o[item / is.kvHeads + 1] - start;
          packLeft(pk + start * is.ldk + kh * is.size, is.ldk, length, is.size, keys);
          packRight(pv + start * is.ldv + kh * is.size, is.ldv, length, is.size, values);
          for (int64_t h = kh * is.group; h < (kh + 1) * is.group; h++) {
            for (int64_t row = 0; row < length; row += width) {
              int64_t rows = std::min(width, length - row), seen = row + rows, first = start + row;
              packQueries(pq + first * is.ldq + h * is.size, is.ldq, rows, is.size, T(scale), queries);
              scores(keys, queries, seen, is.size, tile);
              T top[width], sum[width] = {}, *y = po + first * is.ldo + h * is.size;
              for (int i = 0; i < width; i++) top[i] = tile[i];
              for (int64_t j = 1; j < seen; j++)
                for (int i = 0; i < width; i++) top[i] = tile[j * width + i] > top[i] && j <= row + i ? tile[j * width + i] : top[i];
              for (int64_t j = 0; j < seen; j++)
                for (int i = 0; i < width; i++) {
                  T p = j <= row + i ? fastExp(tile[j * width + i] - top[i]) : T(0);
                  sum[i] += p;
                  tile[j * width + i] = p;
                }
              mix(tile, values, length, seen, rows, is.size, y, is.ldo);
              for (int64_t i = 0; i < rows; i++) {
                T inverse = T(1) / sum[i];
                for (int64_t c = 0; c < is.size; c++) y[i * is.ldo + c] *= inverse;
                pl[h * total + first + i] = top[i] + std::log(sum[i]);
              }
            }
          }
        }
      }
    });
    ctx->save_for_backward({q, k, v, offsets, out, lse});
    ctx->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    at::Tensor q = saved[0], k = saved[1], v = saved[2], offsets = saved[3], out = saved[4], lse = saved[5], dout = grads[0].contiguous();
    double scale = ctx->saved_data["scale"].toDouble();
    Shape is = shapeOf(q, k, v, offsets);
    int64_t total = q.size(0);
    at::Tensor dq = at::empty(q.sizes(), q.options()), dk = at::empty(k.sizes(), k.options()), dv = at::empty(v.sizes(), v.options());
    const int64_t* o = offsets.data_ptr<int64_t>();
    floating(q, [&](auto zero) {
      using T = decltype(zero);
      constexpr int64_t width = kColumns<T>;
      const T *pq = q.data_ptr<T>(), *pk = k.data_ptr<T>(), *pv = v.data_ptr<T>();
      const T *po = out.data_ptr<T>(), *pl = lse.data_ptr<T>(), *pd = dout.data_ptr<T>();
      T *pdq = dq.data_ptr<T>(), *pdk = dk.data_ptr<T>(), *pdv = dv.data_ptr<T>();
#pragma omp parallel
      {
        std::vector<T> keys, values, keyRows, queries, queryRows, ups, upRows, tile, slope;
#pragma omp for schedule(dynamic, 1)
        for (int64_t item = 0; item < is.sequences * is.kvHeads; item++) {
          int64_t kh = item % is.kvHeads, start = o[item / is.kvHeads], length = o[item / is.kvHeads + 1] - start, size = is.size;
          packLeft(pk + start * is.ldk + kh * size, is.ldk, length, size, keys);
          packLeft(pv + start * is.ldv + kh * size, is.ldv, length, size, values);
          packRight(pk + start * is.ldk + kh * size, is.ldk, length, size, keyRows);
          T *dkeys = pdk + start * is.ldg + kh * size, *dvalues = pdv + start * is.ldg + kh * size;
          for (int64_t n = 0; n < length; n++)
            for (int64_t c = 0; c < size; c++) dkeys[n * is.ldg + c] = dvalues[n * is.ldg + c] = 0;
          for (int64_t h = kh * is.group; h < (kh + 1) * is.group; h++) {
            for (int64_t row = 0; row < length; row += width) {
              int64_t rows = std::min(width, length - row), seen = row + rows, first = start + row;
              const T *query = pq + first * is.ldq + h * size, *y = po + first * is.ldo + h * size, *up = pd + first * is.ldo + h * size;
              packQueries(query, is.ldq, rows, size, T(scale), queries);
              packQueries(up, is.ldo, rows, size, T(1), ups);
              packRight(query, is.ldq, rows, size, queryRows);
              packRight(up, is.ldo, rows, size, upRows);
              scores(keys, queries, seen, size, tile);
              scores(values, ups, seen, size, slope);
              T norm[width] = {}, dot[width] = {};
              for (int64_t i = 0; i < rows; i++) {
                norm[i] = pl[h * total + first + i];
                T sum = 0;
#pragma omp simd reduction(+ : sum)
                for (int64_t c = 0; c < size; c++) sum += y[i * is.ldo + c] * up[i * is.ldo + c];
                dot[i] = sum;
              }
              for (int64_t j = 0; j < seen; j++)
                for (int i = 0; i < width; i++) {
                  T p = j <= row + i ? fastExp(tile[j * width + i] - norm[i]) : T(0);
                  tile[j * width + i] = p;
                  slope[j * width + i] = p * (slope[j * width + i] - dot[i]) * T(scale);
                }
              addMixed(tile, upRows, seen, rows, size, dvalues, is.ldg);
              mix(slope, keyRows, length, seen, rows, size, pdq + first * is.ldo + h * size, is.ldo);
              addMixed(slope, queryRows, seen, rows, size, dkeys, is.ldg);
            }
          }
        }
      }
    });
    return {dq, dk, dv, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

// (q [N, H, C], k [N, K, C], v [N, K, C], offsets int64 [S + 1], scale) -> [N, H, C]
AHA_OP(attention) { return call.give(Attention::apply(call.tensor(0), call.tensor(1), call.tensor(2), call.tensor(3), call.number(4))); }

}  // namespace aha
