#include "cli/launch.h"

#include <cstdlib>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "cli/command.h"
#include "spec/command_line.h"

namespace nongemm::cli {
namespace {

bool is_slurm(const SweepOptions& options) { return options.launcher == "slurm"; }

/// N of local:N; 1 without.
std::size_t slots_of(const SweepOptions& options) {
  const std::size_t colon = options.launcher.find(':');
  return colon == std::string::npos ? 1 : std::stoull(options.launcher.substr(colon + 1));
}

/// The slot's device, of those that this process may see.
std::string visible_device(std::size_t slot) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr || *visible == '\0') return std::to_string(slot);
  std::istringstream list(visible);
  std::string device;
  for (std::size_t i = 0; std::getline(list, device, ',');) {
    if (i++ == slot) return device;
  }
  throw Error(ErrorKind::kUsage,
              std::string("CUDA_VISIBLE_DEVICES=") + visible + " has fewer devices than --launcher asks for",
              "ask for fewer, or let more be seen");
}

void require(bool fine, const char* option, const char* why, const char* way_out) {
  if (!fine) throw Error(ErrorKind::kUsage, std::string(option) + " has no effect: " + why, way_out);
}

}  // namespace

bool is_isolated(const SweepOptions& options) {
  return !is_slurm(options) && (options.isolate || options.processes > 1 || !options.launcher.empty());
}

void check_sweep(const Request& request) {
  const SweepOptions& options = request.sweep;
  const bool slurm = is_slurm(options);
  require(!options.point_timeout || is_isolated(options) || (slurm && options.isolate), "--point-timeout",
          "points are not in processes of their own", "add --isolate");
  if (slurm && request.output.folder.empty()) {
    throw Error(ErrorKind::kUsage, "--launcher slurm needs a folder that all nodes share", "add --output FOLDER");
  }
  const Device& device = request.run.runtime.device;
  if (slots_of(options) > 1 && !device.is_host() && device.index > 0) {
    throw Error(ErrorKind::kUsage,
                to_string(device) + " is no device for --launcher local:N, which gives each point one",
                "write --device cuda");
  }
}

std::function<ChildTask(std::size_t i, std::size_t slot)> child_task(
    std::function<const Request&(std::size_t i)> request) {
  return [request = std::move(request)](std::size_t i, std::size_t slot) {
    const Request& point = request(i);
    ChildTask task;
    task.words = option_table().words_of(kRun, point);
    const bool has_device = slots_of(point.sweep) > 1 && !point.run.runtime.device.is_host();
    if (has_device) task.environment.emplace_back("CUDA_VISIBLE_DEVICES", visible_device(slot));
    return task;
  };
}

ChildOptions child_options(const SweepOptions& options) {
  return {.slots = slots_of(options), .most_seconds = options.point_timeout.value_or(0)};
}

SlurmOptions slurm_options(const std::string& command, const Selection& selection, const Request& request) {
  const auto for_task = [](const Option& option) {
    const bool of_sweep = option.section == OptionSection::kSweep || option.section == OptionSection::kOutput;
    return !of_sweep || option.name == "isolate" || option.name == "processes" || option.name == "point-timeout";
  };
  SlurmOptions options;
  options.folder = request.output.folder;
  options.run = words_of(part_of(selection, for_task));
  options.run.insert(options.run.begin(), command);
  options.job_options = shell_words(request.sweep.slurm_options);
  options.points_per_task = static_cast<std::size_t>(request.sweep.points_per_task);
  options.at_once = request.sweep.tasks_at_once;
  return options;
}

}  // namespace nongemm::cli
