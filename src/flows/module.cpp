#include "flows/module.h"

#include <dlfcn.h>

#include <string_view>

#include "base/error.h"
#include "base/process_state.h"

namespace nongemm {

void* module_entry(const std::string& path, const char* entry, const std::string& missing, const std::string& way_out) {
  // Modules stay loaded until the process ends: runtimes register themselves in ways that cannot be undone.
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) throw Error(ErrorKind::kUnsupported, missing + ": " + dlerror(), way_out);
  void* function = dlsym(module, entry);
  if (function == nullptr) {
    throw Error(ErrorKind::kUnsupported, missing + ": " + path + " is no module of this program", way_out);
  }
  const auto* interface = static_cast<const char*>(dlsym(module, "nongemm_interface"));
  if (interface == nullptr || std::string_view(interface) != NONGEMM_INTERFACE) {
    throw Error(ErrorKind::kUnsupported, missing + ": " + path + " was built from other sources than this program",
                "build both again, or correct NONGEMM_MODULES");
  }
  // Libraries of ours that are no flows have nothing to attach.
  if (void* attach = dlsym(module, "nongemm_attach")) {
    reinterpret_cast<void (*)(ProcessState*)>(attach)(&process_state());
  }
  return function;
}

}  // namespace nongemm
