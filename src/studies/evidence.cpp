#include "studies/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "studies/paper.h"

namespace nongemm {
namespace {

constexpr std::string_view kMemory = "Memory";

std::string asked(const Point& point, std::string_view option) {
  for (const OptionValue& value : point.specification) {
    if (value.name == option) return fmt::format("{}", fmt::join(value.texts, " "));
  }
  return "";
}

/// What was decided goes before what was asked for: a point that failed has no more than that.
std::string said(const Point& point, std::string_view setting, std::string_view option) {
  std::string value = point.setting(setting);
  return value.empty() ? asked(point, option) : value;
}

std::int64_t count_in(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text.size() < 18
             ? std::stoll(text)
             : 0;
}

double or_zero(double value) { return std::isnan(value) ? 0.0 : value; }

std::vector<GroupTimes> groups_of(const Table& table) {
  std::vector<GroupTimes> groups;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    GroupTimes group;
    group.id = to_plain(value_at(table, r, "id"));
    group.title = to_plain(value_at(table, r, "group"));
    const std::optional<Group> known = parse_group(group.id);
    group.gemm = known && counts_as_gemm(*known);
    group.time_s = or_zero(number_at(table, r, "time"));
    group.gap_s = or_zero(number_at(table, r, "gap"));
    group.host_s = or_zero(number_at(table, r, "host_time"));
    group.limit_s = number_at(table, r, "limit");
    group.nodes = static_cast<std::int64_t>(or_zero(number_at(table, r, "nodes")));
    groups.push_back(std::move(group));
  }
  return groups;
}

Run run_of(const Point& point) {
  Run run;
  run.point = &point;
  run.model = said(point, "model", "model");
  run.flow = said(point, "flow", "flow");
  run.device = said(point, "device", "device");
  run.dtype = said(point, "dtype", "dtype");
  run.on_host = run.device.starts_with("cpu");
  run.batch = count_in(said(point, "batch", "batch"));
  run.tokens = count_in(said(point, "sequence", "seq-len"));
  const std::string scheme = asked(point, "quantize");
  if (!scheme.empty() && scheme != "none") {
    const std::string way = asked(point, "quantize.way");
    run.quantize = scheme == "llm.int8" && !way.empty() ? scheme + " " + way : scheme;
  }
  if (const RegisteredModel model = find_registered(run.model); model.architecture != nullptr) {
    run.task = title_of(model.architecture->domain);
  }
  const Table* groups = find_table(point, "groups");
  if (groups == nullptr || find_table(point, "performance") == nullptr) return run;
  run.groups = groups_of(*groups);
  run.latency_s = run.figure("performance", "latency");
  run.wall_s = or_zero(run.figure("performance", "node_wall"));
  run.measured = std::any_of(run.groups.begin(), run.groups.end(), [](const GroupTimes& g) { return g.time_s > 0; });
  return run;
}

double share(double part, double whole) { return whole > 0 ? part / whole : kNotMeasured; }

}  // namespace

double Run::figure(std::string_view section, std::string_view column) const {
  const Table* table = point == nullptr ? nullptr : find_table(*point, section);
  return table == nullptr || table->rows.empty() ? kNotMeasured : number_at(*table, 0, column);
}

const GroupTimes* Run::group(std::string_view id) const {
  const auto at = std::find_if(groups.begin(), groups.end(), [&](const GroupTimes& group) { return group.id == id; });
  return at == groups.end() ? nullptr : &*at;
}

bool is_nongemm(const GroupTimes& group) { return !group.gemm; }
bool is_memory(const GroupTimes& group) { return group.id.starts_with("memory-"); }

ThreeShares shares_of(const Run& run, const GroupPredicate& counts) {
  ThreeShares shares;
  if (!run.measured) return shares;
  double time = 0;
  double part = 0;
  double part_gap = 0;
  double host = 0;
  double part_host = 0;
  for (const GroupTimes& group : run.groups) {
    time += group.time_s;
    host += group.host_s;
    if (!counts(group)) continue;
    part += group.time_s;
    part_gap += group.gap_s;
    part_host += group.host_s;
  }
  shares.device = share(part, time);
  shares.charged = share(part + part_gap, run.wall_s);
  // On a host the call is the work, and some profilers have the device's time only. Elsewhere both are needed.
  if (run.on_host || paper::profiles_device_alone(run.flow)) {
    shares.published = shares.device;
  } else if (host > 0) {
    shares.published = share(part + part_host, time + host);
  }
  return shares;
}

std::string paper_name(const GroupTimes& group) { return is_memory(group) ? std::string(kMemory) : group.title; }

ThreeShares shares_of_named(const Run& run, const std::string& name) {
  return shares_of(run, [&](const GroupTimes& group) { return !group.gemm && paper_name(group) == name; });
}

NamedShare dominant(const Run& run, double ThreeShares::*way) {
  NamedShare most;
  std::set<std::string> names;
  for (const GroupTimes& group : run.groups) {
    if (!group.gemm) names.insert(paper_name(group));
  }
  for (const std::string& name : names) {
    const double part = shares_of_named(run, name).*way;
    if (part > 0 && !(part <= most.share)) most = {name, part};
  }
  return most;
}

double compared(const ThreeShares& shares) { return std::isnan(shares.published) ? shares.charged : shares.published; }

ThreeShares mean_of(const std::vector<ThreeShares>& shares) {
  ThreeShares mean;
  if (shares.empty()) return mean;
  for (double ThreeShares::*way : {&ThreeShares::device, &ThreeShares::charged, &ThreeShares::published}) {
    double sum = 0;
    for (const ThreeShares& one : shares) sum += one.*way;
    mean.*way = sum / static_cast<double>(shares.size());
  }
  return mean;
}

Evidence::Evidence(const Document& document) : context_(document.context) {
  for (const Point& point : document.points) {
    const bool other_kind = !point.setting(kStudySetting).empty() || !point.setting("operator").empty();
    if (other_kind || point.process > 1 || said(point, "model", "model").empty()) continue;
    runs_.push_back(run_of(point));
  }
}

std::string Evidence::context_of(std::string_view key) const {
  for (const auto& [name, value] : context_) {
    if (name == key) return value;
  }
  return "";
}

std::vector<const Run*> Evidence::select(const std::function<bool(const Run& run)>& wanted) const {
  std::vector<const Run*> found;
  for (const Run& run : runs_) {
    if (wanted(run)) found.push_back(&run);
  }
  return found;
}

const Run* Evidence::find(const std::function<bool(const Run& run)>& wanted) const {
  const std::vector<const Run*> found = select(wanted);
  const auto at = std::find_if(found.begin(), found.end(), [](const Run* run) { return run->measured; });
  if (at != found.end()) return *at;
  return found.empty() ? nullptr : found.front();
}

const Run* Evidence::torch(const std::string& model, bool on_host, std::int64_t batch) const {
  return find([&](const Run& run) {
    return run.model == model && run.on_host == on_host && run.batch == batch && run.flow == kBaselineFlow &&
           run.quantize.empty();
  });
}

std::vector<StudyRunRow> run_rows(const std::vector<const Run*>& runs) {
  std::vector<StudyRunRow> rows;
  for (const Run* run : runs) {
    StudyRunRow row;
    row.model = run->model;
    row.task = run->task;
    row.flow = run->flow;
    row.device = run->device;
    row.dtype = run->dtype;
    if (!run->quantize.empty()) row.others = "quantize " + run->quantize;
    row.batch = run->batch;
    row.tokens = run->tokens;
    row.latency_s = run->latency_s;
    row.samples_per_s = run->figure("performance", "throughput");
    row.nongemm = nongemm_shares(*run);
    row.memory_share = compared(shares_of(*run, is_memory));
    row.waits_share = run->on_host ? kNotMeasured : run->figure("performance", "gap_share");
    NamedShare most = dominant(*run, &ThreeShares::published);
    if (most.name.empty()) most = dominant(*run, &ThreeShares::charged);
    row.dominant = most.name;
    row.peak_bytes = run->figure("performance", "peak_memory");
    row.status = name_of(run->point->status.kind);
    row.reason = run->point->status.reason;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string why_not(const Run* run) {
  if (run == nullptr) return "not among the runs";
  if (run->measured) return "";
  const Status& status = run->point->status;
  if (status.ok()) return "nothing was timed";
  std::string reason = status.reason;
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  return fmt::format("{}: {}", name_of(status.kind), reason);
}

}  // namespace nongemm
