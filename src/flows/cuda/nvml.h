// libnvidia-ml, loaded when it is first asked: it comes with the driver, not with the toolkit.
#pragma once

#include <string>

#include "record/device_state.h"

namespace nongemm::cuda {

/// "580.159.04"; empty where NVML is missing.
std::string driver_version();

/// A reading of the device at this PCI address ("0000:04:00.0"); figures that NVML does not give stay absent.
DeviceState read_state(const std::string& pci_address);

}  // namespace nongemm::cuda
