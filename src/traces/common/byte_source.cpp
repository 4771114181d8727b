#include "traces/common/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace nongemm::traces {
namespace {

constexpr std::size_t kBlock = std::size_t{256} << 10U;
constexpr std::size_t kBlocks = 4;

/// The file itself.
class File {
 public:
  explicit File(const std::filesystem::path& path) : name_(path.filename().string()) {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // NOLINT: open() takes its mode as a vararg
    struct stat state = {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &state) != 0) fail(path.string());
    if (S_ISDIR(state.st_mode)) {
      ::close(descriptor_);
      throw Error(ErrorKind::kIo, "'" + path.string() + "' is a folder", "give the files inside it");
    }
    size_ = state.st_size;
    ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t read(char* to, std::size_t most) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, to, most);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail(name_);
    }
  }

  bool has_grown() const {
    struct stat state = {};
    return ::fstat(descriptor_, &state) == 0 && S_ISREG(state.st_mode) && state.st_size != size_;
  }

 private:
  [[noreturn]] static void fail(const std::string& name) {
    throw Error(ErrorKind::kIo, fmt::format("'{}' cannot be read: {}", name, std::strerror(errno)));  // NOLINT
  }

  std::string name_;
  int descriptor_ = -1;
  off_t size_ = 0;
};

/// gzip, one member after another.
class Inflater {
 public:
  Inflater(File& file, std::vector<char> begun) : file_(file), in_(std::move(begun)) {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error(ErrorKind::kFailed, "zlib cannot be started");
    stream_.avail_in = static_cast<uInt>(in_.size());
    in_.resize(std::max(in_.size(), kBlock));
    stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::size_t read(char* to, std::size_t most) {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(most);
    while (stream_.avail_out > 0 && !ended_) step();
    return most - stream_.avail_out;
  }
  const std::string& complaint() const { return complaint_; }

 private:
  bool refill() {
    const std::size_t count = file_.read(in_.data(), kBlock);
    stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
    stream_.avail_in = static_cast<uInt>(count);
    return count > 0;
  }

  void step() {
    if (stream_.avail_in == 0 && !refill()) {
      if (inside_) complaint_ = "the compressed data end too early";
      ended_ = true;
      return;
    }
    inside_ = true;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      inside_ = false;
      any_ = true;
      inflateReset(&stream_);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      // Padding behind the last member is usual and harmless.
      if (!any_ || stream_.total_out > 0) complaint_ = "the compressed data are damaged";
      ended_ = true;
    }
  }

  File& file_;
  std::vector<char> in_;
  z_stream stream_ = {};
  bool ended_ = false;
  bool inside_ = false;
  bool any_ = false;
  std::string complaint_;
};

}  // namespace

/// A ring of blocks that a thread fills.
class ByteSource::Ahead {
 public:
  explicit Ahead(const std::filesystem::path& path) : file_(path), thread_([this] { fill(); }) {}
  ~Ahead() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  std::size_t read(char* to, std::size_t most) {
    if (taken_ == filled_now_) {
      if (!next_block()) return 0;
    }
    const Block& block = blocks_[first_ % kBlocks];
    const std::size_t count = std::min(most, filled_now_ - taken_);
    std::memcpy(to, block.data.data() + taken_, count);
    taken_ += count;
    return count;
  }

  std::string complaint() {
    const std::lock_guard lock(mutex_);
    return complaint_;
  }

 private:
  struct Block {
    std::vector<char> data = std::vector<char>(kBlock);
    std::size_t size = 0;
  };

  /// Gives the block that was read back to the thread and waits for the next.
  bool next_block() {
    std::unique_lock lock(mutex_);
    if (filled_now_ > 0) {
      ++first_;
      changed_.notify_all();
    }
    taken_ = filled_now_ = 0;
    changed_.wait(lock, [&] { return first_ < last_ || ended_; });
    if (first_ == last_) {
      if (failure_) std::rethrow_exception(failure_);
      return false;
    }
    filled_now_ = blocks_[first_ % kBlocks].size;
    return true;
  }

  void fill() {
    std::string complaint;
    std::exception_ptr failure;
    try {
      complaint = fill_blocks();
    } catch (...) {  // told to whoever reads
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    complaint_ = std::move(complaint);
    failure_ = failure;
    ended_ = true;
    changed_.notify_all();
  }

  std::string fill_blocks() {
    std::vector<char> start(2);
    std::size_t got = 0;
    while (got < start.size()) {
      const std::size_t count = file_.read(start.data() + got, start.size() - got);
      if (count == 0) break;
      got += count;
    }
    start.resize(got);
    const bool packed = got == 2 && start[0] == '\x1f' && start[1] == '\x8b';
    if (!packed) {
      pump([&](char* to, std::size_t most) {
        const std::size_t count = start.size();  // once
        std::copy(start.begin(), start.end(), to);
        start.clear();
        return count + file_.read(to + count, most - count);
      });
      return file_.has_grown() ? "the file grew while it was read" : "";
    }
    Inflater inflater(file_, std::move(start));
    pump([&](char* to, std::size_t most) { return inflater.read(to, most); });
    return inflater.complaint();
  }

  template <typename Read>
  void pump(const Read& read) {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return last_ - first_ < kBlocks || stopped_; });
        if (stopped_) return;
      }
      Block& block = blocks_[last_ % kBlocks];
      block.size = read(block.data.data(), kBlock);
      if (block.size == 0) return;
      {
        const std::lock_guard lock(mutex_);
        ++last_;
      }
      changed_.notify_all();
    }
  }

  File file_;
  std::array<Block, kBlocks> blocks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t first_ = 0;  // the block that is being read
  std::size_t last_ = 0;   // the one that is being filled
  bool stopped_ = false;
  bool ended_ = false;
  std::string complaint_;
  std::exception_ptr failure_;
  // Of the reading side alone.
  std::size_t filled_now_ = 0;
  std::size_t taken_ = 0;
  std::thread thread_;  // last: it uses all of the above
};

ByteSource::ByteSource(const std::filesystem::path& path) : ahead_(std::make_unique<Ahead>(path)) {}
ByteSource::~ByteSource() = default;
std::size_t ByteSource::read(char* to, std::size_t most) { return ahead_->read(to, most); }
std::string ByteSource::complaint() const { return ahead_->complaint(); }

}  // namespace nongemm::traces
