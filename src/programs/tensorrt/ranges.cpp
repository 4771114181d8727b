#include "programs/tensorrt/ranges.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

namespace nongemm::tensorrt {
namespace {

thread_local RangeListener* current = nullptr;

// The binary interface between NVTX 3 and a tool (nvtxTypes.h of NVTX 3), as far as it is used.

using Function = void (*)();
using FunctionTable = Function**;

enum class Module : std::uint32_t { kCore = 1, kCore2 = 5 };
constexpr unsigned kRangePushEx = 8;  // of kCore
constexpr unsigned kRangePushA = 9;
constexpr unsigned kRangePop = 11;
constexpr unsigned kDomainRangePushEx = 4;  // of kCore2
constexpr unsigned kDomainRangePop = 5;
constexpr unsigned kDomainRegisterStringA = 10;
constexpr unsigned kDomainCreateA = 12;

struct Callbacks {
  std::size_t size;
  int (*module_table)(Module module, FunctionTable* table, unsigned* size);
};
constexpr std::uint32_t kCallbacks = 1;

struct EventAttributes {
  std::uint16_t version;
  std::uint16_t size;
  std::uint32_t category;
  std::int32_t color_type;
  std::uint32_t color;
  std::int32_t payload_type;
  std::int32_t reserved;
  std::uint64_t payload;
  std::int32_t message_type;
  const char* message;  // or a registered string, which is what register_string() gave
};
constexpr std::int32_t kAscii = 1;
constexpr std::int32_t kRegistered = 3;

int push(const char* name) {
  if (current != nullptr) current->push(name);
  return 0;
}

int push_event(const EventAttributes* event) {
  const bool text = event->message_type == kAscii || event->message_type == kRegistered;
  return push(text && event->message != nullptr ? event->message : "");
}

int pop() {
  if (current != nullptr) current->pop();
  return 0;
}

int push_domain_event(const void*, const EventAttributes* event) { return push_event(event); }
int pop_domain(const void*) { return pop(); }

/// Handles are pointers to the text, which stays for good.
const char* register_string(const void*, const char* text) {
  static std::mutex mutex;
  static auto* texts = new std::set<std::string>;
  const std::lock_guard lock(mutex);
  return texts->insert(text).first->c_str();
}

/// TensorRT announces no layers when it gets no handle. One is as good as another: ranges of all domains are heard.
const void* create_domain(const char*) {
  static const char domain = 0;
  return &domain;
}

template <typename Implementation>
void install(FunctionTable table, unsigned size, unsigned id, Implementation* implementation) {
  if (id < size && table[id] != nullptr) *table[id] = reinterpret_cast<Function>(implementation);
}

}  // namespace

void offer_to_listen() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&offer_to_listen), &info) == 0 || info.dli_fname == nullptr) return;
  setenv("NVTX_INJECTION64_PATH", info.dli_fname, /*overwrite=*/0);
}

Listening::Listening(RangeListener& listener) { current = &listener; }

Listening::~Listening() { current = nullptr; }

int begin_listening(GetExportTable get_export_table) {
  const auto* callbacks = static_cast<const Callbacks*>(get_export_table(kCallbacks));
  if (callbacks == nullptr || callbacks->size < sizeof(Callbacks)) return 0;
  FunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks->module_table(Module::kCore, &table, &size) != 0) {
    install(table, size, kRangePushEx, &push_event);
    install(table, size, kRangePushA, &push);
    install(table, size, kRangePop, &pop);
  }
  if (callbacks->module_table(Module::kCore2, &table, &size) != 0) {
    install(table, size, kDomainRangePushEx, &push_domain_event);
    install(table, size, kDomainRangePop, &pop_domain);
    install(table, size, kDomainRegisterStringA, &register_string);
    install(table, size, kDomainCreateA, &create_domain);
  }
  return 1;
}

}  // namespace nongemm::tensorrt
