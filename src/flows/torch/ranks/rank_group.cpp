#include "flows/torch/ranks/rank_group.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "base/error.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/ranks/gloo_backend.h"
#include "flows/torch/ranks/measure_collectives.h"
#include "flows/torch/ranks/nccl_backend.h"

namespace nongemm::torch_flow {
namespace {

/// passes::kRankGroup: flows do not know passes.
constexpr const char* kGroup = "tensor_parallel";

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

/// "tcp" of "tcp:host:port".
struct Meeting {
  std::string kind;
  std::string where;

  explicit Meeting(const std::string& text)
      : kind(text.substr(0, text.find(':'))), where(text.substr(std::min(text.size(), kind.size() + 1))) {}
};

c10::intrusive_ptr<c10d::Store> open_tcp_store(const std::string& host, const c10d::TCPStoreOptions& options) {
  try {
    return c10::make_intrusive<c10d::TCPStore>(host, options);
  } catch (const std::exception& error) {
    const std::string words = error.what();
    if (words.find("EADDRINUSE") != std::string::npos) {
      throw Error(ErrorKind::kFailed,
                  "port " + std::to_string(options.port) + ", where the ranks are to meet, is in use",
                  "set MASTER_PORT to another one, on all ranks alike; ranks that no launcher starts need none");
    }
    if (options.isServer || words.find("timed out") == std::string::npos) throw;
    throw Error(ErrorKind::kFailed,
                "rank 0 did not come to " + host + ":" + std::to_string(options.port) +
                    ", where the ranks are to meet, within " + std::to_string(options.timeout.count() / 1000) + " s",
                "start it there, or set MASTER_ADDR and MASTER_PORT, on all ranks alike");
  }
}

/// Writes what it opens.
c10::intrusive_ptr<c10d::Store> open_file_store(const std::string& path, int ranks) {
  try {
    return c10::make_intrusive<c10d::FileStore>(path, ranks);
  } catch (const std::exception& error) {
    const std::string words = error.what();  // with a backtrace
    throw Error(ErrorKind::kIo,
                path + ", where the ranks are to meet, cannot be written: " + words.substr(0, words.find('\n')),
                "free some space, or set TMPDIR to another folder");
  }
}

c10::intrusive_ptr<c10d::Store> open_store(const RankPlace& place, const Meeting& meeting) {
  c10::intrusive_ptr<c10d::Store> store;
  if (meeting.kind == "file") {
    store = open_file_store(meeting.where, place.ranks);
  } else {
    const std::size_t colon = meeting.where.rfind(':');
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(std::stoul(meeting.where.substr(colon + 1)));
    options.isServer = meeting.kind == "tcp" && place.rank == 0;
    options.waitWorkers = false;
    options.timeout = milliseconds(place.most_seconds);
    store = open_tcp_store(meeting.where.substr(0, colon), options);
  }
  store->setTimeout(milliseconds(place.most_seconds));
  return store;
}

class RankGroup : public Communicator {
 public:
  RankGroup(const RankPlace& place, c10::Device device) : place_(place), on_(device) {
    const Meeting meeting(place.meeting);
    // A launcher's store has keys of its own.
    const auto store = c10::make_intrusive<c10d::PrefixStore>("nongemm", open_store(place, meeting));
    require_all(*store);
    const auto timeout = milliseconds(place.most_seconds);
    host_ = make_gloo_backend(c10::make_intrusive<c10d::PrefixStore>("host", store), place.rank, place.ranks, timeout,
                              meeting.kind == "file");
    group_ = c10::make_intrusive<c10d::ProcessGroup>(store, place.rank, place.ranks);
    group_->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, host_);
    group_->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
    if (device.is_cuda()) {
      const auto on_device = c10::make_intrusive<c10d::PrefixStore>("device", store);
      group_->setBoundDeviceId(device);
      device_ = make_nccl_backend(on_device, place.rank, place.ranks, timeout);
      group_->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, device_);
      group_->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
    }
    group_->setGroupName(kGroup);
    c10d::register_process_group(kGroup, group_);
  }
  ~RankGroup() override {
    c10d::unregister_process_group(kGroup);
    try {
      if (device_ != nullptr) device_->shutdown();
    } catch (...) {  // another rank is gone: there is nobody to take leave of
    }
  }
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  int rank() const override { return place_.rank; }
  int ranks() const override { return place_.ranks; }

  void barrier() override {
    with_errors("waiting for the other ranks", [&] { host_->barrier()->wait(); });
  }

  std::int64_t from_first(std::int64_t number) override {
    return with_errors("listening to the first rank", [&] {
      std::vector<at::Tensor> tensors{at::full({1}, number, at::kLong)};
      host_->broadcast(tensors)->wait();
      return tensors[0].item<std::int64_t>();
    });
  }

  std::vector<std::string> exchange(const std::string& words) override {
    return with_errors("exchanging with the other ranks", [&] {
      std::vector<std::int64_t> sizes;
      for (const at::Tensor& size : gather(at::full({1}, static_cast<std::int64_t>(words.size()), at::kLong))) {
        sizes.push_back(size.item<std::int64_t>());
      }
      at::Tensor own = at::full({*std::max_element(sizes.begin(), sizes.end()) + 1}, 0, at::kByte);
      std::memcpy(own.mutable_data_ptr(), words.data(), words.size());
      std::vector<std::string> all;
      for (const at::Tensor& told : gather(own)) {
        const auto* text = static_cast<const char*>(told.const_data_ptr());
        all.emplace_back(text, static_cast<std::size_t>(sizes[all.size()]));
      }
      return all;
    });
  }

  CollectiveLimits measure_collectives() override {
    return with_errors("measuring collectives", [&] {
      return torch_flow::measure_collectives(device_ != nullptr ? *device_ : *host_, *this, on_);
    });
  }

 private:
  /// Who is there is told, so that who is missing can be named.
  void require_all(c10d::Store& store) const {
    store.set("here/" + std::to_string(place_.rank), std::vector<std::uint8_t>{1});
    for (int rank = 0; rank < place_.ranks; ++rank) {
      try {
        store.wait({"here/" + std::to_string(rank)}, milliseconds(place_.most_seconds));
      } catch (const std::exception&) {
        throw Error(ErrorKind::kFailed,
                    "rank " + std::to_string(rank) + " of " + std::to_string(place_.ranks) + " did not come within " +
                        std::to_string(static_cast<std::int64_t>(place_.most_seconds)) + " s",
                    "--rank-timeout S waits for longer");
      }
    }
  }

  std::vector<at::Tensor> gather(const at::Tensor& own) {
    std::vector<std::vector<at::Tensor>> all(1);
    for (int rank = 0; rank < place_.ranks; ++rank) all[0].push_back(at::empty_like(own));
    std::vector<at::Tensor> input{own};
    host_->allgather(all, input)->wait();
    return all[0];
  }

  RankPlace place_;
  c10::Device on_;
  c10::intrusive_ptr<c10d::Backend> host_;
  c10::intrusive_ptr<c10d::Backend> device_;  // none on a host
  c10::intrusive_ptr<c10d::ProcessGroup> group_;
};

}  // namespace

std::unique_ptr<Communicator> join_ranks(const RankPlace& place, c10::Device device) {
  return with_errors("meeting the other ranks", [&] { return std::make_unique<RankGroup>(place, device); });
}

}  // namespace nongemm::torch_flow
