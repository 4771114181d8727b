// Preloaded into the program: a disk that is full at the n-th call which would change a file below a folder.
//   NONGEMM_DISK_FOLDER  what lies on the disk
//   NONGEMM_DISK_FAILS   n, from 1; 0: never
//   NONGEMM_DISK_STAYS   full from then on, in place of once
//   NONGEMM_DISK_COUNT   a file elsewhere that gets how many such calls there were
// A write that fails has half of its bytes on the disk, as the system does it: a short count first, the error next.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string text_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

long limit() {
  static const long n = std::atol(text_of("NONGEMM_DISK_FAILS").c_str());
  return n;
}

bool stays() {
  static const bool value = !text_of("NONGEMM_DISK_STAYS").empty();
  return value;
}

bool below(const char* path) {
  static const std::string folder = text_of("NONGEMM_DISK_FOLDER");
  return !folder.empty() && std::strncmp(path, folder.c_str(), folder.size()) == 0;
}

bool below(int descriptor) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  return below(path);
}

std::atomic<long> calls{0};

/// Counts the call. @return whether the disk is full at it
bool full() {
  const long n = ++calls;
  return limit() > 0 && (n == limit() || (stays() && n > limit()));
}

/// Short counts are followed by the error.
thread_local int owed = -1;

__attribute__((destructor)) void tell() {
  const std::string path = text_of("NONGEMM_DISK_COUNT");
  if (path.empty()) return;
  if (std::FILE* file = std::fopen(path.c_str(), "w")) {
    std::fprintf(file, "%ld\n", calls.load());
    std::fclose(file);
  }
}

int no_space() {
  errno = ENOSPC;
  return -1;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size) {
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  if (!below(descriptor)) return next(descriptor, data, size);
  if (owed == descriptor) {
    owed = -1;
    return no_space();
  }
  if (!full()) return next(descriptor, data, size);
  if (size < 2) return no_space();
  owed = descriptor;
  return next(descriptor, data, size / 2);
}

ssize_t writev(int descriptor, const iovec* pieces, int count) {
  static auto* const next = real<ssize_t(int, const iovec*, int)>("writev");
  if (below(descriptor) && full()) return no_space();
  return next(descriptor, pieces, count);
}

int fsync(int descriptor) {
  static auto* const next = real<int(int)>("fsync");
  if (below(descriptor) && full()) return no_space();
  return next(descriptor);
}

int fdatasync(int descriptor) {
  static auto* const next = real<int(int)>("fdatasync");
  if (below(descriptor) && full()) return no_space();
  return next(descriptor);
}

int rename(const char* from, const char* to) {
  static auto* const next = real<int(const char*, const char*)>("rename");
  if (below(to) && full()) return no_space();
  return next(from, to);
}

/// A full disk has no room for a new file's entry either.
int open(const char* path, int flags, ...) {
  static auto* const next = real<int(const char*, int, ...)>("open");
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, flags);
    mode = __builtin_va_arg(arguments, mode_t);
    __builtin_va_end(arguments);
  }
  if ((flags & O_CREAT) != 0 && below(path) && access(path, F_OK) != 0 && full()) return no_space();
  return next(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, flags);
    mode = __builtin_va_arg(arguments, mode_t);
    __builtin_va_end(arguments);
  }
  return open(path, flags | O_LARGEFILE, mode);
}

}  // extern "C"
