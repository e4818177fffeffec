// Matrix products from packed panels (the scheme of Goto & van de Geijn 2008): B in panels of kColumns columns,
// A a few rows at a time, a tile of the result in registers. On AVX-512 machines whose maker MKL does not favour this is
// twice as fast as its sgemm. Each row is summed in one order whatever the other rows and the threads, so a row's bits do
// not depend on its neighbours.
#pragma once
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kernel.h"

namespace aha::packed {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kRows = 12;
#else
constexpr int kBytes = 32, kRows = 6;
#endif
template <class T>
constexpr int kLanes = kBytes / sizeof(T);
template <class T>
constexpr int kColumns = 2 * kLanes<T>;
constexpr int64_t kDepth = 256;  // of a panel of B that stays in the first-level cache
constexpr int64_t kBlock = 192;  // rows of A that stay in the second-level cache

template <class T>
struct Vector {
  typedef T type __attribute__((vector_size(kBytes), aligned(sizeof(T))));
};
template <class T>
using Lanes = typename Vector<T>::type;

// A matrix by its strides: element (i, k) is data[i · row + k · step]. k is what a product sums over.
template <class T>
struct Operand {
  const T* data;
  int64_t row, step;
  Operand from(int64_t i, int64_t k) const { return {data + i * row + k * step, row, step}; }
};
template <class T>
Operand<T> rowsOf(const at::Tensor& x) {
  return {x.data_ptr<T>(), rowStride(x), 1};
}
template <class T>
Operand<T> columnsOf(const at::Tensor& x) {
  return {x.data_ptr<T>(), 1, rowStride(x)};
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define AHA_SHUFFLES 1
// a and b lane by lane, from lane `First` on: a0 b0 a1 b1 …
template <int First, class T, int... I>
Lanes<T> interleave(Lanes<T> a, Lanes<T> b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (First + I / 2 + I % 2 * int(sizeof...(I)))...);
}

// to[k · W + i] = from[i · row + k] for one vector of k: each of log2(lanes) perfect shuffles halves the way to the
// transpose. Where W is below the lanes each store runs into the next one's place.
template <class T, int W>
void transpose(const T* from, int64_t row, T* to) {
  constexpr int lanes = kLanes<T>;
  constexpr std::make_integer_sequence<int, lanes> all{};
  for (int i = 0; i < W; i += lanes) {
    Lanes<T> x[lanes], y[lanes];
    for (int r = 0; r < lanes; r++) x[r] = i + r < W ? *reinterpret_cast<const Lanes<T>*>(from + (i + r) * row) : Lanes<T>{};
    for (int round = 1; round < lanes; round *= 2) {
      for (int r = 0; r < lanes / 2; r++) {
        y[2 * r] = interleave<0, T>(x[r], x[r + lanes / 2], all);
        y[2 * r + 1] = interleave<lanes / 2, T>(x[r], x[r + lanes / 2], all);
      }
      for (int r = 0; r < lanes; r++) x[r] = y[r];
    }
    for (int k = 0; k < lanes; k++) *reinterpret_cast<Lanes<T>*>(to + k * W + i) = x[k];
  }
}
#endif
#endif

template <class T, int W>
void packFixed(Operand<T> from, int64_t depth, T* to) {
  if (from.row == 1) {
    for (int64_t k = 0; k < depth; k++) std::memcpy(to + k * W, from.data + k * from.step, W * sizeof(T));
    return;
  }
  int64_t k = 0;
#if defined(AHA_SHUFFLES)
  if constexpr (W <= kLanes<T> || W % kLanes<T> == 0)
    if (from.step == 1)
      for (; k + kLanes<T> <= depth; k += kLanes<T>) transpose<T, W>(from.data + k, from.row, to + k * W);
#endif
  for (; k < depth; k++)
    for (int i = 0; i < W; i++) to[k * W + i] = from.data[i * from.row + k * from.step];
}

template <class T, int... W>
constexpr std::array<void (*)(Operand<T>, int64_t, T*), sizeof...(W)> packersOf(std::integer_sequence<int, W...>) {
  return {packFixed<T, W + 1>...};
}
template <class T>
inline constexpr auto packers = packersOf<T>(std::make_integer_sequence<int, kRows>());

// to[k][i] for `width` values of i, those from `count` on zero. Up to a vector beyond the end may be overwritten: pack
// panels in their order, with room for one vector after the last.
template <class T>
void packPanel(Operand<T> from, int64_t count, int64_t width, int64_t depth, T* to) {
  if (count == width && width <= kRows) return packers<T>[width - 1](from, depth, to);
  if (count == kColumns<T> && width == kColumns<T>) return packFixed<T, kColumns<T>>(from, depth, to);
  for (int64_t k = 0; k < depth; k++)
    for (int64_t i = 0; i < width; i++) to[k * width + i] = i < count ? from.data[i * from.row + k * from.step] : T(0);
}

// y[R, columns] = base + A[R, depth] · b[depth, kColumns], with element (r, k) of A at a[r · Row + k · step]; base is y
// itself, or one row (a stride of 0). Meanwhile the next panel of b is fetched: a hardware prefetcher does not see beyond
// the one that it is in.
template <class T, int Row, int R>
void tile(const T* a, int64_t step, const T* b, const T* next, int64_t depth, T* y, int64_t ldy, const T* base, int64_t ldbase, int64_t columns) {
  using V = Lanes<T>;
  V sum[R][2];
  for (int r = 0; r < R; r++) sum[r][0] = sum[r][1] = V{};
  for (int64_t k = 0; k < depth; k++) {
    V b0 = *reinterpret_cast<const V*>(b + k * kColumns<T>), b1 = *reinterpret_cast<const V*>(b + k * kColumns<T> + kLanes<T>);
    for (int line = 0; line < kColumns<T>; line += 64 / int(sizeof(T))) __builtin_prefetch(next + k * kColumns<T> + line, 0, 2);
    for (int r = 0; r < R; r++) {
      T value = a[k * step + r * Row];
      sum[r][0] += value * b0;
      sum[r][1] += value * b1;
    }
  }
  for (int r = 0; r < R; r++) {
    if (columns == kColumns<T>) {
      V* to = reinterpret_cast<V*>(y + r * ldy);
      const V* from = reinterpret_cast<const V*>(base + r * ldbase);
      to[0] = from[0] + sum[r][0];
      to[1] = from[1] + sum[r][1];
    } else {
      const T* values = reinterpret_cast<const T*>(sum[r]);
      for (int64_t c = 0; c < columns; c++) y[r * ldy + c] = base[r * ldbase + c] + values[c];
    }
  }
}

template <class T>
using Tile = void (*)(const T*, int64_t, const T*, const T*, int64_t, T*, int64_t, const T*, int64_t, int64_t);

template <class T, int Row, int... R>
constexpr std::array<Tile<T>, sizeof...(R)> tilesOf(std::integer_sequence<int, R...>) {
  return {tile<T, Row, R + 1>...};
}
// tiles[R - 1] for 1 to kRows rows. Row is 1 for a panel of A that was packed, kColumns for one in rows as long as a panel of B.
template <class T, int Row = 1>
inline constexpr auto tiles = tilesOf<T, Row>(std::make_integer_sequence<int, kRows>());

// What a tile adds to when there is nothing yet.
template <class T>
inline constexpr T zeros[kColumns<T>] = {};

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// B [columns, depth] -> [panels, depth, kColumns], zeros beyond the last column.
template <class T>
at::Tensor pack(Operand<T> b, int64_t columns, int64_t depth, const at::TensorOptions& options) {
  int64_t panels = ceilDiv(columns, kColumns<T>);
  at::Tensor packed = at::empty({panels, depth, kColumns<T>}, options);
  T* to = packed.data_ptr<T>();
  forRows(panels, depth * kColumns<T>, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++)
      packPanel<T>(b.from(p * kColumns<T>, 0), std::min<int64_t>(kColumns<T>, columns - p * kColumns<T>), kColumns<T>, depth, to + p * depth * kColumns<T>);
  });
  return packed;
}

// [rows, columns] = A [rows, depth] · the packed B, plus `bias` in each row where it is not null. Few rows are split over
// the threads by panels, many by rows.
template <class T>
at::Tensor multiply(Operand<T> a, int64_t rows, const at::Tensor& b, int64_t columns, const T* bias) {
  at::Tensor y = at::empty({rows, columns}, b.options());
  if (rows == 0) return y;
  int64_t depth = b.size(1), panels = b.size(0), threads = at::get_num_threads();
  bool byRows = rows >= threads * 4 * kRows;
  int64_t share = byRows ? ceilDiv(rows, threads * ceilDiv(rows, threads * kBlock)) : std::min(rows, kBlock);
  int64_t height = ceilDiv(share, kRows) * kRows, blocks = ceilDiv(rows, height);
  int64_t width = byRows ? panels : ceilDiv(panels, threads), ranges = ceilDiv(panels, width);
  at::Tensor scratch = at::empty({threads, height * std::min(kDepth, depth) + kLanes<T>}, b.options());
  const T* pb = b.data_ptr<T>();
  T *py = y.data_ptr<T>(), *ps = scratch.data_ptr<T>();
  forRows(blocks * ranges, height * width * kColumns<T> * depth, [&](int64_t begin, int64_t end) {
    T* pa = ps + at::get_thread_num() * scratch.size(1);
    for (int64_t item = begin; item < end; item++) {
      int64_t first = item / ranges * height, count = std::min(height, rows - first), panel = item % ranges * width;
      for (int64_t k = 0; k < depth; k += kDepth) {
        int64_t steps = std::min(kDepth, depth - k);
        for (int64_t r = 0; r < count; r += kRows) {
          int64_t some = std::min<int64_t>(kRows, count - r);
          packPanel<T>(a.from(first + r, k), some, some, steps, pa + r * steps);
        }
        for (int64_t p = panel; p < std::min(panels, panel + width); p++) {
          int64_t column = p * kColumns<T>, some = std::min<int64_t>(kColumns<T>, columns - column);
          const T *from = pb + (p * depth + k) * kColumns<T>, *start = bias ? bias + column : zeros<T>;
          for (int64_t r = 0; r < count; r += kRows) {
            T* to = py + (first + r) * columns + column;
            int64_t tall = std::min<int64_t>(kRows, count - r);
            tiles<T>[tall - 1](pa + r * steps, tall, from, from + depth * kColumns<T>, steps, to, columns, k > 0 ? to : start, k > 0 ? columns : 0, some);
          }
        }
      }
    }
  });
  return y;
}

}  // namespace aha::packed
