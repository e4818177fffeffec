// Attention of one new token per sequence over keys and values that live in fixed-size blocks (paged KV cache, Kwon et
// al. 2023). Keys are stored transposed within a block, [C, 16], so that the scores of 16 positions are one vector.
#include <ATen/ops/empty.h>

#include <vector>

#include "../core.h"
#include "kernel.h"

namespace aha {
namespace {

constexpr int64_t kBlock = 16;

// The 16 positions of a block, or 16 values of a head, side by side.
template <class T>
struct Wide {
  typedef T type __attribute__((vector_size(kBlock * sizeof(T)), aligned(sizeof(T))));
};

// scores[16] = scale · q[C] · k[C, 16]. Four sums, since one would wait for itself.
template <class T>
void scoreBlock(const T* q, const T* k, int64_t size, T scale, T* scores) {
  using V = typename Wide<T>::type;
  V a{}, b{}, c{}, d{};
  const V* rows = reinterpret_cast<const V*>(k);
  int64_t i = 0;
  for (; i + 4 <= size; i += 4) {
    a += q[i] * rows[i];
    b += q[i + 1] * rows[i + 1];
    c += q[i + 2] * rows[i + 2];
    d += q[i + 3] * rows[i + 3];
  }
  for (; i < size; i++) a += q[i] * rows[i];
  *reinterpret_cast<V*>(scores) = ((a + b) + (c + d)) * scale;
}

// y[C] += p[count] · v[count, C], sixteen values of the head at a time.
template <class T>
void mixBlock(const T* p, const T* v, int64_t count, int64_t size, T* y) {
  using V = typename Wide<T>::type;
  int64_t c = 0;
  for (; c + kBlock <= size; c += kBlock) {
    V even = *reinterpret_cast<const V*>(y + c), odd{};
    int64_t j = 0;
    for (; j + 2 <= count; j += 2) {
      even += p[j] * *reinterpret_cast<const V*>(v + j * size + c);
      odd += p[j + 1] * *reinterpret_cast<const V*>(v + (j + 1) * size + c);
    }
    if (j < count) even += p[j] * *reinterpret_cast<const V*>(v + j * size + c);
    *reinterpret_cast<V*>(y + c) = even + odd;
  }
  for (; c < size; c++)
    for (int64_t j = 0; j < count; j++) y[c] += p[j] * v[j * size + c];
}

// Puts k[C] and v[C] at a position of a block of the pools.
template <class T>
void writeAt(const T* k, const T* v, int64_t size, int64_t at, T* keys, T* values) {
  for (int64_t c = 0; c < size; c++) keys[c * kBlock + at] = k[c];
  std::memcpy(values + at * size, v, size * sizeof(T));
}

void checkPools(const at::Tensor& keys, const at::Tensor& values) {
  require(keys.dim() == 4 && keys.size(3) == kBlock, "the key pool must be [B, K, C, 16]");
  require(values.dim() == 4 && values.size(2) == kBlock, "the value pool must be [B, K, 16, C]");
  require(keys.is_contiguous() && values.is_contiguous(), "the pools must be contiguous");
}

}  // namespace

// (keyPool [B, K, C, 16], valuePool [B, K, 16, C], k [N, K, C], v [N, K, C], slots int64 [N]): slot = block · 16 + offset.
AHA_OP(kvWrite) {
  at::Tensor keys = call.tensor(0), values = call.tensor(1), k = denseRows(call.tensor(2)), v = denseRows(call.tensor(3)), slots = call.tensor(4);
  checkPools(keys, values);
  int64_t heads = k.size(1), size = k.size(2), limit = keys.size(0) * kBlock;
  require(keys.size(1) == heads && keys.size(2) == size && slots.numel() == k.size(0), "k and v do not fit the pools");
  require(slots.scalar_type() == at::kLong, "slots must be int64");
  const int64_t* slot = slots.data_ptr<int64_t>();
  for (int64_t n = 0; n < k.size(0); n++) require(slot[n] >= 0 && slot[n] < limit, "a slot is outside the pool");
  floating(keys, [&](auto zero) {
    using scalar_t = decltype(zero);
    scalar_t *pk = keys.data_ptr<scalar_t>(), *pv = values.data_ptr<scalar_t>();
    const scalar_t *ik = k.data_ptr<scalar_t>(), *iv = v.data_ptr<scalar_t>();
    int64_t ks = rowStride(k), vs = rowStride(v);
    forRows(k.size(0), 2 * heads * size, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++) {
        int64_t block = slot[n] / kBlock, at = slot[n] % kBlock;
        for (int64_t h = 0; h < heads; h++) {
          int64_t start = (block * heads + h) * size * kBlock;
          writeAt(ik + n * ks + h * size, iv + n * vs + h * size, size, at, pk + start, pv + start);
        }
      }
    });
  });
  return call.nothing();
}

// (q [S, H, C], k [S, K, C], v [S, K, C], keyPool, valuePool, blocks int32 [S, M], lengths int32 [S], scale) -> [S, H, C].
// k and v become each sequence's last position, lengths − 1.
AHA_OP(pagedAttention) {
  at::Tensor q = denseRows(call.tensor(0)), k = denseRows(call.tensor(1)), v = denseRows(call.tensor(2)), keys = call.tensor(3), values = call.tensor(4);
  at::Tensor blocks = call.tensor(5), lengths = call.tensor(6);
  double scale = call.number(7);
  checkPools(keys, values);
  int64_t sequences = q.size(0), heads = q.size(1), size = q.size(2), kvHeads = keys.size(1), group = heads / kvHeads, width = blocks.size(1);
  require(keys.size(2) == size && heads % kvHeads == 0, "q does not fit the pools");
  require(k.sizes() == v.sizes() && k.size(0) == sequences && k.size(1) == kvHeads && k.size(2) == size, "k and v do not fit q and the pools");
  require(blocks.scalar_type() == at::kInt && lengths.scalar_type() == at::kInt && blocks.is_contiguous(), "blocks and lengths must be int32");
  const int32_t *table = blocks.data_ptr<int32_t>(), *length = lengths.data_ptr<int32_t>();
  int64_t items = sequences * kvHeads, work = 0;
  for (int64_t s = 0; s < sequences; s++) {
    require(length[s] > 0 && (length[s] + kBlock - 1) / kBlock <= width, "a length does not fit its blocks");
    for (int64_t b = 0; b * kBlock < length[s]; b++) require(table[s * width + b] >= 0 && table[s * width + b] < keys.size(0), "a block is outside the pool");
    work += length[s];
  }
  at::Tensor out = at::empty({sequences, heads, size}, q.options());
  floating(q, [&](auto zero) {
    using scalar_t = decltype(zero);
    const scalar_t *pq = q.data_ptr<scalar_t>(), *ik = k.data_ptr<scalar_t>(), *iv = v.data_ptr<scalar_t>();
    scalar_t *pk = keys.data_ptr<scalar_t>(), *pv = values.data_ptr<scalar_t>(), *po = out.data_ptr<scalar_t>();
    int64_t qs = rowStride(q), ks = rowStride(k), vs = rowStride(v);
    auto placeOf = [&](int64_t s, int64_t kh, int64_t b) { return (int64_t(table[s * width + b]) * kvHeads + kh) * size * kBlock; };
    forRows(items, work * heads * size / std::max<int64_t>(1, items), [&](int64_t begin, int64_t end) {
      // All are written before any is read: a vector loaded from single values just stored has to wait for them.
      for (int64_t item = begin; item < end; item++) {
        int64_t s = item / kvHeads, kh = item % kvHeads, last = length[s] - 1, place = placeOf(s, kh, last / kBlock);
        writeAt(ik + s * ks + kh * size, iv + s * vs + kh * size, size, last % kBlock, pk + place, pv + place);
      }
      std::vector<scalar_t> scores;
      for (int64_t item = begin; item < end; item++) {
        int64_t s = item / kvHeads, kh = item % kvHeads, total = length[s], count = (total + kBlock - 1) / kBlock;
        scores.resize(count * kBlock);
        for (int64_t g = 0; g < group; g++) {
          const scalar_t* query = pq + s * qs + (kh * group + g) * size;
          scalar_t* y = po + (s * heads + kh * group + g) * size;
          for (int64_t b = 0; b < count; b++) scoreBlock(query, pk + placeOf(s, kh, b), size, scalar_t(scale), scores.data() + b * kBlock);
          scalar_t top = scores[0], sum = 0;
#pragma omp simd reduction(max : top)
          for (int64_t j = 0; j < total; j++) top = scores[j] > top ? scores[j] : top;
#pragma omp simd reduction(+ : sum)
          for (int64_t j = 0; j < total; j++) {
            scores[j] = fastExp(scores[j] - top);
            sum += scores[j];
          }
          for (int64_t c = 0; c < size; c++) y[c] = 0;
          for (int64_t b = 0; b < count; b++) mixBlock(scores.data() + b * kBlock, pv + placeOf(s, kh, b), std::min(kBlock, total - b * kBlock), size, y);
          for (int64_t c = 0; c < size; c++) y[c] /= sum;
        }
      }
    });
  });
  return call.give(out);
}

// (pool [B, …], from int[], to int[]): copies whole blocks within a pool.
AHA_OP(copyBlocks) {
  at::Tensor& pool = call.tensor(0);
  auto from = call.integers(1), to = call.integers(2);
  require(pool.is_contiguous() && from.size() == to.size(), "the pool must be contiguous and the two lists of one length");
  for (size_t i = 0; i < from.size(); i++) pool.select(0, to[i]).copy_(pool.select(0, from[i]));
  return call.nothing();
}

}  // namespace aha
