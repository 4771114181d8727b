// The module as a tool that NVTX loads: the other side is played here, with the tables of nvtxTypes.h.
#include "programs/tensorrt/ranges.h"

#include <gmock/gmock.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nongemm::tensorrt {
namespace {

using testing::ElementsAre;

using Function = void (*)();

std::array<Function, 16> core;
std::array<Function, 16> domains;
std::array<Function*, 16> core_places;
std::array<Function*, 16> domain_places;

int module_table(std::uint32_t module, Function*** table, unsigned* size) {
  *table = module == 1 ? core_places.data() : domain_places.data();
  *size = module == 1 || module == 5 ? 16 : 0;
  return *size > 0 ? 1 : 0;
}

const void* get_export_table(std::uint32_t id) {
  struct Callbacks {
    std::size_t size;
    int (*module_table)(std::uint32_t, Function***, unsigned*);
  };
  static const Callbacks callbacks{sizeof(Callbacks), &module_table};
  return id == 1 ? &callbacks : nullptr;
}

class Recorder : public RangeListener {
 public:
  void push(const char* name) noexcept override { events.emplace_back(name); }
  void pop() noexcept override { events.emplace_back("end"); }
  std::vector<std::string> events;
};

struct Event {
  std::uint16_t version = 3, size = 48;
  std::uint32_t category = 0;
  std::int32_t color_type = 0;
  std::uint32_t color = 0;
  std::int32_t payload_type = 0, reserved = 0;
  std::uint64_t payload = 0;
  std::int32_t message_type = 0;
  const void* message = nullptr;
};

TEST(Ranges, ReachTheListener) {
  for (std::size_t i = 0; i < 16; ++i) {
    core_places[i] = &core[i];
    domain_places[i] = &domains[i];
  }
  ASSERT_EQ(begin_listening(&get_export_table), 1);
  const auto push = reinterpret_cast<int (*)(const void*, const Event*)>(domains[4]);
  const auto pop = reinterpret_cast<int (*)(const void*)>(domains[5]);
  const auto register_string = reinterpret_cast<const void* (*)(const void*, const char*)>(domains[10]);
  const auto push_text = reinterpret_cast<int (*)(const char*)>(core[9]);

  Event ascii;
  ascii.message_type = 1;
  ascii.message = "layer a";
  push(nullptr, &ascii);  // nobody listens
  Recorder recorder;
  auto listening = std::make_unique<Listening>(recorder);
  push(nullptr, &ascii);
  Event registered;
  registered.message_type = 3;
  registered.message = register_string(nullptr, std::string("layer b").c_str());
  push(nullptr, &registered);
  Event wide;
  wide.message_type = 2;
  wide.message = L"c";
  push(nullptr, &wide);
  pop(nullptr);
  push_text("layer d");
  listening.reset();
  pop(nullptr);
  EXPECT_THAT(recorder.events, ElementsAre("layer a", "layer b", "", "end", "layer d"));
  EXPECT_EQ(domains[1], nullptr);  // marks are of no interest
  const auto create_domain = reinterpret_cast<const void* (*)(const char*)>(domains[12]);
  EXPECT_NE(create_domain("TensorRT"), nullptr);  // TensorRT announces no layers without one
}

TEST(Ranges, RefusesAnotherInterface) {
  EXPECT_EQ(begin_listening([](std::uint32_t) -> const void* { return nullptr; }), 0);
}

}  // namespace
}  // namespace nongemm::tensorrt
