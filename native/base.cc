// Making tensors, reading them, autograd's switches, and what the machine offers.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_put.h>
#include <torch/csrc/autograd/variable.h>

#include <cstring>

#include "core.h"
#include "version.h"

namespace aha {
namespace {

at::TensorOptions options(at::ScalarType dtype, const std::string& device) {
  return at::TensorOptions().dtype(dtype).device(c10::Device(device));
}

at::ScalarType typedArrayDtype(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array: return at::kFloat;
    case napi_float64_array: return at::kDouble;
    case napi_int32_array: return at::kInt;
    case napi_bigint64_array: return at::kLong;
    case napi_uint8_array: return at::kByte;
    default: throw std::runtime_error("takes Float32Array, Float64Array, Int32Array, BigInt64Array or Uint8Array");
  }
}

}  // namespace

AHA_OP(release) {
  int32_t handle = static_cast<int32_t>(call.integer(0));
  handles().release(handle);
  return call.nothing();
}

// (handles[])
AHA_OP(releaseAll) {
  for (int64_t handle : call.integers(0)) handles().release(static_cast<int32_t>(handle));
  return call.nothing();
}

AHA_OP(liveTensors) { return call.give(double(handles().live())); }

AHA_OP(shape) {
  auto sizes = call.tensor(0).sizes();
  napi_value out;
  napi_create_array_with_length(call.env, sizes.size(), &out);
  for (size_t i = 0; i < sizes.size(); i++) napi_set_element(call.env, out, i, call.give(double(sizes[i])));
  return out;
}

AHA_OP(dtypeOf) { return call.give(double(static_cast<int>(call.tensor(0).scalar_type()))); }
AHA_OP(deviceOf) { return call.give(call.tensor(0).device().str()); }
AHA_OP(isContiguous) { return call.give(call.tensor(0).is_contiguous()); }

// (typed array, shape, dtype, device): copies.
AHA_OP(fromData) {
  size_t length = 0;
  napi_typedarray_type type;
  void* data = call.typedArray(0, &length, &type);
  auto shape = call.integers(1);
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  if (count != static_cast<int64_t>(length))
    throw std::runtime_error(std::to_string(length) + " values do not fill a shape of " + std::to_string(count));
  at::ScalarType from = typedArrayDtype(type), to = call.dtype(2);
  at::Tensor source = at::from_blob(data, shape, at::TensorOptions().dtype(from));
  at::Tensor out = at::empty(shape, options(to, call.text(3)));
  out.copy_(source);
  return call.give(out);
}

// (tensor, typed array): copies out, converting to the array's type.
AHA_OP(toData) {
  at::Tensor tensor = call.tensor(0);
  size_t length = 0;
  napi_typedarray_type type;
  void* data = call.typedArray(1, &length, &type);
  if (static_cast<int64_t>(length) != tensor.numel()) throw std::runtime_error("the array holds " + std::to_string(length) + " values");
  at::from_blob(data, tensor.sizes(), at::TensorOptions().dtype(typedArrayDtype(type))).copy_(tensor.detach());
  return call.nothing();
}

AHA_OP(item) {
  at::Tensor& tensor = call.tensor(0);
  if (tensor.numel() != 1) throw std::runtime_error("only a tensor of one value has an item");
  return call.give(tensor.item().toDouble());
}

// (shape, dtype, device, value): value absent leaves the memory as it is.
AHA_OP(full) {
  auto shape = call.integers(0);
  auto opts = options(call.dtype(1), call.text(2));
  return call.give(call.isAbsent(3) ? at::empty(shape, opts) : at::full(shape, call.number(3), opts));
}

// (start, end, dtype, device)
AHA_OP(arange) { return call.give(at::arange(call.number(0), call.number(1), options(call.dtype(2), call.text(3)))); }

// (tensor, indices int64 [N] of the first two dimensions, values [N, …]): tensor[i0[n], i1[n]] = values[n], in place.
AHA_OP(indexPut2) {
  c10::List<Optional<at::Tensor>> indices;
  indices.push_back(call.tensor(1));
  indices.push_back(call.tensor(2));
  at::index_put_(call.tensor(0), indices, call.tensor(3));
  return call.nothing();
}

AHA_OP(toDevice) { return call.give(call.tensor(0).to(c10::Device(call.text(1)))); }

AHA_OP(setRequiresGrad) {
  call.tensor(0).set_requires_grad(call.boolean(1));
  return call.nothing();
}
AHA_OP(requiresGrad) { return call.give(call.tensor(0).requires_grad()); }

// (tensor, gradient?): runs the graph backwards and frees it.
AHA_OP(backward) {
  at::Tensor& tensor = call.tensor(0);
  auto gradient = call.maybeTensor(1);
  if (gradient) tensor.backward(*gradient);
  else tensor.backward();
  return call.nothing();
}

// The gradient, or 0 where there is none.
AHA_OP(grad) {
  at::Tensor gradient = call.tensor(0).grad();
  if (!gradient.defined()) return call.give(0.0);
  return call.give(gradient);
}

AHA_OP(clearGrad) {
  call.tensor(0).mutable_grad() = at::Tensor();
  return call.nothing();
}

AHA_OP(setGradEnabled) {
  bool was = at::GradMode::is_enabled();
  at::GradMode::set_enabled(call.boolean(0));
  return call.give(was);
}

AHA_OP(setNumThreads) {
  at::set_num_threads(static_cast<int>(call.integer(0)));
  return call.nothing();
}
AHA_OP(numThreads) { return call.give(double(at::get_num_threads())); }

// How many distinct threads a parallel region really uses: 1 where parallelism was lost at build or link time.
AHA_OP(threadsUsed) {
  int count = 0;
#pragma omp parallel
  {
#pragma omp atomic
    count++;
  }
  return call.give(double(count));
}

AHA_OP(cpuCapability) {
#if TORCH_VERSION_MAJOR < 2
  // It is exported as text alone.
  const std::string config = at::show_config(), label = "CPU capability usage: ";
  auto found = config.find(label);
  if (found == std::string::npos) return call.give(std::string("unknown"));
  return call.give(config.substr(found + label.size(), config.find('\n', found) - found - label.size()));
#else
  return call.give(at::get_cpu_capability());
#endif
}
AHA_OP(hasCuda) { return call.give(at::globalContext().hasCUDA()); }
AHA_OP(torchVersion) { return call.give(std::string(TORCH_VERSION)); }

}  // namespace aha
