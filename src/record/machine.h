// What a report says of the machine it was made on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace nongemm {

/// {name, value} in a fixed order: program version and revision, time, operating system, processor, cores, memory,
/// load.
std::vector<std::pair<std::string, std::string>> describe_machine();

/// "2026-11-22T10:00:00Z"
std::string utc_now();

}  // namespace nongemm
