#include "core.h"

#include <c10/util/Exception.h>

#include <cmath>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace aha {

int32_t Handles::put(at::Tensor tensor) {
  live_++;
  if (!free_.empty()) {
    int32_t handle = free_.back();
    free_.pop_back();
    slots_[handle] = std::move(tensor);
    return handle;
  }
  slots_.push_back(std::move(tensor));
  return static_cast<int32_t>(slots_.size() - 1);
}

bool Handles::has(int32_t handle) const {
  return handle > 0 && static_cast<size_t>(handle) < slots_.size() && slots_[handle].defined();
}

at::Tensor& Handles::get(int32_t handle) {
  if (!has(handle)) throw std::runtime_error("a tensor was used after it was freed (by tidy or dispose)");
  return slots_[handle];
}

void Handles::release(int32_t handle) {
  if (!has(handle)) return;
  slots_[handle] = at::Tensor();
  free_.push_back(handle);
  live_--;
}

// Never destroyed: libtorch's own statics may be gone before ours when the process leaves.
Handles& handles() {
  static Handles* table = new Handles();
  return *table;
}

// Element types under the names that this library gives them: float32, not Float.
std::string dtypeName(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return "float32";
    case at::kDouble: return "float64";
    case at::kHalf: return "float16";
    case at::kBFloat16: return "bfloat16";
    case at::kLong: return "int64";
    case at::kInt: return "int32";
    case at::kBool: return "bool";
    default: return at::toString(type);
  }
}

std::string describe(const at::Tensor& tensor) {
  std::ostringstream out;
  out << dtypeName(tensor.scalar_type()) << " [";
  for (int64_t i = 0; i < tensor.dim(); i++) out << (i ? ", " : "") << tensor.size(i);
  out << "]";
  if (!tensor.is_cpu()) out << " on " << tensor.device().str();
  return out.str();
}

Call::Call(napi_env env, napi_callback_info info, const char* op) : env(env), op_(op) {
  napi_get_cb_info(env, info, &count_, argv_, nullptr, nullptr);
}

bool Call::isAbsent(int i) {
  if (static_cast<size_t>(i) >= count_) return true;
  napi_valuetype type;
  napi_typeof(env, argv_[i], &type);
  return type == napi_undefined || type == napi_null;
}

static std::runtime_error wants(int i, const char* what) {
  return std::runtime_error("argument " + std::to_string(i) + " is not " + what);
}

at::Tensor& Call::tensor(int i) {
  int32_t handle = 0;
  if (static_cast<size_t>(i) >= count_ || napi_get_value_int32(env, argv_[i], &handle) != napi_ok) throw wants(i, "a tensor");
  at::Tensor& found = handles().get(handle);
  seen_.push_back(found);
  return found;
}

Optional<at::Tensor> Call::maybeTensor(int i) {
  if (isAbsent(i)) return {};
  return tensor(i);
}

std::vector<at::Tensor> Call::tensors(int i) {
  uint32_t length = 0;
  if (napi_get_array_length(env, argv_[i], &length) != napi_ok) throw wants(i, "an array of tensors");
  std::vector<at::Tensor> out;
  out.reserve(length);
  for (uint32_t j = 0; j < length; j++) {
    napi_value item;
    int32_t handle = 0;
    napi_get_element(env, argv_[i], j, &item);
    if (napi_get_value_int32(env, item, &handle) != napi_ok) throw wants(i, "an array of tensors");
    out.push_back(handles().get(handle));
  }
  for (size_t j = 0; j < out.size() && j < 4; j++) seen_.push_back(out[j]);
  return out;
}

double Call::number(int i) {
  double value = 0;
  if (static_cast<size_t>(i) >= count_ || napi_get_value_double(env, argv_[i], &value) != napi_ok) throw wants(i, "a number");
  return value;
}

at::Scalar Call::scalar(int i) {
  double value = number(i);
  bool isWhole = std::trunc(value) == value && std::abs(value) < 9007199254740992.0 && !(value == 0 && std::signbit(value));
  return isWhole ? at::Scalar(static_cast<int64_t>(value)) : at::Scalar(value);
}

Optional<at::Scalar> Call::maybeScalar(int i) {
  if (isAbsent(i)) return {};
  return scalar(i);
}

int64_t Call::integer(int i) {
  int64_t value = 0;
  if (static_cast<size_t>(i) >= count_ || napi_get_value_int64(env, argv_[i], &value) != napi_ok) throw wants(i, "an integer");
  return value;
}

std::vector<int64_t> Call::integers(int i) {
  std::vector<int64_t> out;
  napi_valuetype type;
  napi_typeof(env, argv_[i], &type);
  if (type == napi_number) return {integer(i)};
  uint32_t length = 0;
  if (napi_get_array_length(env, argv_[i], &length) != napi_ok) throw wants(i, "an array of integers");
  for (uint32_t j = 0; j < length; j++) {
    napi_value item;
    int64_t value = 0;
    napi_get_element(env, argv_[i], j, &item);
    if (napi_get_value_int64(env, item, &value) != napi_ok) throw wants(i, "an array of integers");
    out.push_back(value);
  }
  return out;
}

Optional<std::vector<int64_t>> Call::maybeIntegers(int i) {
  if (isAbsent(i)) return {};
  return integers(i);
}

bool Call::boolean(int i) {
  bool value = false;
  if (static_cast<size_t>(i) >= count_ || napi_get_value_bool(env, argv_[i], &value) != napi_ok) throw wants(i, "a boolean");
  return value;
}

std::string Call::text(int i) {
  size_t length = 0;
  if (static_cast<size_t>(i) >= count_ || napi_get_value_string_utf8(env, argv_[i], nullptr, 0, &length) != napi_ok) throw wants(i, "a string");
  std::string out(length, '\0');
  napi_get_value_string_utf8(env, argv_[i], out.data(), length + 1, &length);
  return out;
}

at::ScalarType Call::dtype(int i) { return static_cast<at::ScalarType>(integer(i)); }

void* Call::typedArray(int i, size_t* length, napi_typedarray_type* type) {
  void* data = nullptr;
  if (static_cast<size_t>(i) >= count_ || napi_get_typedarray_info(env, argv_[i], type, length, &data, nullptr, nullptr) != napi_ok)
    throw wants(i, "a typed array");
  return data;
}

napi_value Call::give(at::Tensor tensor) {
  napi_value out;
  napi_create_int32(env, handles().put(std::move(tensor)), &out);
  return out;
}

napi_value Call::give(const std::vector<at::Tensor>& tensors) {
  napi_value out;
  napi_create_array_with_length(env, tensors.size(), &out);
  for (size_t i = 0; i < tensors.size(); i++) napi_set_element(env, out, i, give(tensors[i]));
  return out;
}

napi_value Call::give(double value) {
  napi_value out;
  napi_create_double(env, value, &out);
  return out;
}

napi_value Call::give(bool value) {
  napi_value out;
  napi_get_boolean(env, value, &out);
  return out;
}

napi_value Call::give(const std::string& value) {
  napi_value out;
  napi_create_string_utf8(env, value.data(), value.size(), &out);
  return out;
}

napi_value Call::nothing() {
  napi_value out;
  napi_get_undefined(env, &out);
  return out;
}

napi_value Call::fail(const char* message) {
  std::string text = std::string(op_) + ": " + message;
  if (!seen_.empty()) {
    text += " (operands: ";
    for (size_t i = 0; i < seen_.size(); i++) text += (i ? ", " : "") + describe(seen_[i]);
    text += ")";
  }
  napi_throw_error(env, nullptr, text.c_str());
  return nullptr;
}

struct Entry {
  const char* name;
  Native fn;
};

static std::vector<Entry>& entries() {
  static std::vector<Entry>* list = new std::vector<Entry>();
  return *list;
}

Register::Register(const char* name, Native fn) { entries().push_back({name, fn}); }

static napi_value invoke(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  Entry* entry = static_cast<Entry*>(data);
  Call call(env, info, entry->name);
  try {
    return entry->fn(call);
  } catch (const c10::Error& error) {
    return call.fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return call.fail(error.what());
  }
}

}  // namespace aha

NAPI_MODULE_INIT() {
  for (aha::Entry& entry : aha::entries()) {
    napi_value fn;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, aha::invoke, &entry, &fn);
    napi_set_named_property(env, exports, entry.name, fn);
  }
  return exports;
}
