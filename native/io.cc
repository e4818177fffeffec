// Tensor bytes to and from files, at an offset, without a copy through JavaScript.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core.h"

namespace aha {
namespace {

// The number tells TypeScript the error's name, which node:fs errors have as their code.
std::runtime_error failed(const char* what) {
  int number = errno;
  return std::runtime_error(std::string(what) + ": " + std::strerror(number) + " (errno " + std::to_string(number) + ")");
}

at::Tensor& plain(at::Tensor& tensor) {
  if (!tensor.is_cpu() || !tensor.is_contiguous()) throw std::runtime_error("takes a contiguous CPU tensor");
  return tensor;
}

}  // namespace

// (tensor, file descriptor, offset): fills the tensor from the file.
AHA_OP(readInto) {
  at::Tensor& tensor = plain(call.tensor(0));
  int fd = static_cast<int>(call.integer(1));
  off_t offset = call.integer(2);
  char* data = static_cast<char*>(tensor.data_ptr());
  for (size_t left = tensor.nbytes(); left > 0;) {
    ssize_t count = pread(fd, data, left, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw failed("cannot read");
    if (count == 0) throw std::runtime_error("the file ends " + std::to_string(left) + " bytes too early");
    data += count, offset += count, left -= count;
  }
  return call.nothing();
}

// (tensor, file descriptor, offset): writes the tensor's bytes.
AHA_OP(writeFrom) {
  at::Tensor& tensor = plain(call.tensor(0));
  int fd = static_cast<int>(call.integer(1));
  off_t offset = call.integer(2);
  const char* data = static_cast<const char*>(tensor.data_ptr());
  for (size_t left = tensor.nbytes(); left > 0;) {
    ssize_t count = pwrite(fd, data, left, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw failed("cannot write");
    data += count, offset += count, left -= count;
  }
  return call.nothing();
}

}  // namespace aha
