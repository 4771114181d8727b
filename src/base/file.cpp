#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace nongemm {

std::filesystem::path cache_folder() {
  // Empty means unset (XDG Base Directory Specification).
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
  };
  if (const char* cache = set("XDG_CACHE_HOME")) return std::filesystem::path(cache) / "nongemm";
  if (const char* home = set("HOME")) return std::filesystem::path(home) / ".cache" / "nongemm";
  return {};
}
namespace {

std::string reason(int error_number) { return std::generic_category().message(error_number); }

/// An open descriptor of a regular file, and its size.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : path_(path) {
    // O_NONBLOCK: opening a pipe must not wait for a writer that never comes.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) {
      const int error_number = errno;
      throw Error(ErrorKind::kIo, path.string() + ": cannot be opened: " + reason(error_number),
                  error_number == ENOENT ? "check the path" : "");
    }
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw Error(ErrorKind::kIo, path.string() + ": is not a regular file");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::uint64_t size() const { return size_; }

  std::string read(std::size_t count) const {
    std::string content(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::read(descriptor_, content.data() + done, count - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(ErrorKind::kIo, path_.string() + ": cannot be read: " + reason(errno));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    content.resize(done);
    return content;
  }

 private:
  const std::filesystem::path& path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// What is handed to the system in one call.
constexpr std::size_t kPiece = std::size_t{16} << 20;

/// Has the disk begin with what was written last, while the rest is still being prepared: commit() waits for the disk.
void start_writing(int descriptor, ssize_t count) {
  const off_t end = ::lseek(descriptor, 0, SEEK_CUR);
  // Pipes have no position, and some file systems do not offer this: nothing is lost then.
  if (end >= count) ::sync_file_range(descriptor, end - count, count, SYNC_FILE_RANGE_WRITE);
}

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter = 0;
  std::filesystem::path temporary = target;
  temporary += ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter++);
  return temporary;
}

}  // namespace

MappedFile::MappedFile(std::filesystem::path path, std::span<const std::byte> bytes,
                       std::shared_ptr<const std::byte> owner)
    : path_(std::move(path)), bytes_(bytes), owner_(std::move(owner)) {}

std::shared_ptr<const MappedFile> MappedFile::of(std::shared_ptr<const std::byte> data, std::size_t size,
                                                 std::filesystem::path path) {
  const std::span<const std::byte> bytes(data.get(), size);
  return std::shared_ptr<const MappedFile>(new MappedFile(std::move(path), bytes, std::move(data)));
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const InputFile file(path);
  if (file.size() > std::numeric_limits<std::size_t>::max() / 2) {
    throw Error(ErrorKind::kIo, path.string() + ": is too large to be mapped");
  }
  const auto size = static_cast<std::size_t>(file.size());
  std::span<const std::byte> bytes;
  if (size > 0) {  // mmap refuses a length of 0
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (address == MAP_FAILED) {
      throw Error(ErrorKind::kIo, path.string() + ": cannot be mapped: " + reason(errno));
    }
    bytes = {static_cast<const std::byte*>(address), size};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(path, bytes));
}

MappedFile::~MappedFile() {
  if (owner_ == nullptr && !bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) {
    throw Error(ErrorKind::kBadInput, path.string() + ": has " + std::to_string(file.size()) + " bytes, at most " +
                                          std::to_string(max_bytes) + " are expected here");
  }
  return file.read(static_cast<std::size_t>(file.size()));
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), target_(path_) {
  std::error_code ignored;
  if (std::filesystem::is_symlink(target_, ignored)) {
    // Renaming over a link would replace the link and leave the file it names as it was.
    const std::filesystem::path resolved = std::filesystem::weakly_canonical(target_, ignored);
    if (!ignored) target_ = resolved;
  }
  const std::filesystem::file_status status = std::filesystem::status(target_, ignored);
  if (std::filesystem::is_directory(status)) fail("cannot be written", EISDIR);
  const bool direct = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  if (direct) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    temporary_ = temporary_beside(target_);
    registered_.emplace(temporary_);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (descriptor_ < 0) {
    temporary_.clear();
    fail("cannot be written", errno);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action, int error_number) const {
  std::string way_out;
  if (error_number == ENOSPC || error_number == EDQUOT) way_out = "free some space or choose another folder";
  if (error_number == EACCES || error_number == EROFS || error_number == EPERM) way_out = "choose a writable folder";
  if (error_number == ENOENT) way_out = "create its folder first";
  throw Error(ErrorKind::kIo, path_.string() + ": " + action + ": " + reason(error_number), way_out);
}

void AtomicFile::write(std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor_, content.data(), std::min(content.size(), kPiece));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) == kPiece) start_writing(descriptor_, written);
  }
}

void AtomicFile::write(std::span<const std::byte> content) {
  write(std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
}

void AtomicFile::commit() {
  // Some file systems report a full disk only now. Devices and pipes cannot be synchronised; that is no failure.
  if (!temporary_.empty() && ::fsync(descriptor_) != 0 && errno != EINVAL) fail("cannot be written", errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be written", errno);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot be replaced", errno);
  temporary_.clear();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace nongemm
