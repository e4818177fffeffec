// The border between Node and libtorch: tensor handles, argument readers, and the one door through which C++ errors leave.
#pragma once
#include <ATen/core/Tensor.h>
#include <node_api.h>

#include <string>
#include <vector>

#include "version.h"

namespace aha {

// JavaScript holds integers; the tensors live here. Slot 0 is never used, so 0 can mean "no tensor".
class Handles {
 public:
  int32_t put(at::Tensor tensor);
  at::Tensor& get(int32_t handle);
  bool has(int32_t handle) const;
  void release(int32_t handle);
  size_t live() const { return live_; }

 private:
  std::vector<at::Tensor> slots_{1};
  std::vector<int32_t> free_;
  size_t live_ = 0;
};

Handles& handles();

// The arguments of one call, and its return value. Remembers every tensor read, so that an error can name them.
class Call {
 public:
  Call(napi_env env, napi_callback_info info, const char* op);
  at::Tensor& tensor(int i);
  Optional<at::Tensor> maybeTensor(int i);
  std::vector<at::Tensor> tensors(int i);
  double number(int i);
  // A whole number is an integer, so that an integer tensor stays one.
  at::Scalar scalar(int i);
  Optional<at::Scalar> maybeScalar(int i);
  int64_t integer(int i);
  std::vector<int64_t> integers(int i);
  Optional<std::vector<int64_t>> maybeIntegers(int i);
  bool boolean(int i);
  std::string text(int i);
  at::ScalarType dtype(int i);
  void* typedArray(int i, size_t* length, napi_typedarray_type* type);
  bool isAbsent(int i);

  napi_value give(at::Tensor tensor);
  napi_value give(const std::vector<at::Tensor>& tensors);
  napi_value give(double value);
  napi_value give(bool value);
  napi_value give(const std::string& value);
  napi_value nothing();
  napi_value fail(const char* message);

  napi_env env;

 private:
  const char* op_;
  size_t count_ = 10;
  napi_value argv_[10];
  std::vector<at::Tensor> seen_;
};

std::string describe(const at::Tensor& tensor);

using Native = napi_value (*)(Call&);

// Registers a function under its name when the addon is loaded.
struct Register {
  Register(const char* name, Native fn);
};

}  // namespace aha

#define AHA_OP(name)                                    \
  static napi_value name##_(aha::Call& call);           \
  static aha::Register name##_entry(#name, name##_);    \
  static napi_value name##_([[maybe_unused]] aha::Call& call)
