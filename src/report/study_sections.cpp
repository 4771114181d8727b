#include "report/study_sections.h"

#include "report/study_fields.h"

namespace nongemm {
namespace {

const Section<StudySentence>& reading_section() {
  using R = StudySentence;
  static const Section<R> section(
      {.id = "study_reading",
       .title = "Reading",
       .doc = "What the figures say, made from them.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"about", "About", Unit::kText, "what the sentence is about"}, [](const R& r) { return text(r.about); }},
          {{"text", "Finding", Unit::kText, "agreement, difference, or what is missing"},
           [](const R& r) { return text(r.text); }},
      });
  return section;
}

const Section<StudyShareRow>& share_section() {
  using R = StudyShareRow;
  static const Section<R> section(
      {.id = "study_paper",
       .title = "Beside the paper",
       .doc = "Shares of latency that the paper gives, and ours in three ways. A difference of more than 10 points has "
              "its reason.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(joined<R>({where_field<R>(), what_field<R>()},
                       three_fields<R, &R::ours>("ours_device", "ours_charged", "ours_published", "Ours, device time",
                                                 "Ours, waits charged", "Ours, published way")),
             {
                 {{"paper", "Paper", Unit::kShare, "as printed there"}, [](const R& r) { return measured(r.paper); }},
                 {{"difference", "Difference", Unit::kShare,
                   "ours minus the paper's in points: the published way, or where that is not measured waits charged"},
                  [](const R& r) { return measured(r.difference); }},
                 reason_field<R>("what differs, or why there is no figure of ours"),
             }));
  return section;
}

const Section<StudyNumberRow>& number_section() {
  using R = StudyNumberRow;
  static const Section<R> section(
      {.id = "study_paper_numbers",
       .title = "Beside the paper: other figures",
       .doc = "Figures of the paper that are no shares.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          where_field<R>(),
          what_field<R>(),
          {{"unit", "Unit", Unit::kText, "of both figures"}, [](const R& r) { return text_if_any(r.unit); }},
          {{"ours", "Ours", Unit::kNumber, "measured here"}, [](const R& r) { return measured(r.ours); }},
          {{"paper", "Paper", Unit::kNumber, "as printed there"}, [](const R& r) { return measured(r.paper); }},
          reason_field<R>("what differs, or why there is no figure of ours"),
      });
  return section;
}

const Section<StudyRunRow>& run_section() {
  using R = StudyRunRow;
  static const Section<R> section(
      {.id = "study_runs",
       .title = "Runs",
       .doc = "The points that the study rests on, non-GEMM operators in three ways of counting.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(
          joined<R>(
              {
                  model_field<R>(),
                  task_field<R>(),
                  flow_field<R>(),
                  device_field<R>(),
                  {{"dtype", "Dtype", Unit::kText, "of the weights"}, [](const R& r) { return text_if_any(r.dtype); }},
                  {{"others", "Settings", Unit::kText, "that set the point apart"},
                   [](const R& r) { return text_if_any(r.others); }},
                  {{"batch", "Batch", Unit::kCount, "samples per inference"},
                   [](const R& r) -> FieldValue { return r.batch > 0 ? count(r.batch) : FieldValue{}; }},
                  tokens_field<R>(),
                  {{"latency", "Latency (median)", Unit::kSeconds, "wall time of one inference"},
                   [](const R& r) { return measured(r.latency_s); }},
                  {{"throughput", "Samples", Unit::kPerSecond, "batch over median latency", false, 6},
                   [](const R& r) { return measured(r.samples_per_s); }},
              },
              nongemm_fields<R, &R::nongemm>()),
          {
              {{"memory", "Memory operators", Unit::kShare,
                "layout and movement: the published way, or where that is not measured waits charged", false, 4},
               [](const R& r) { return measured(r.memory_share); }},
              {{"waits", "Device waits", Unit::kShare, "of the wall time", false, 3},
               [](const R& r) { return measured(r.waits_share); }},
              {{"dominant", "Dominant group", Unit::kText, "the non-GEMM group with the most time", false, 2},
               [](const R& r) { return text_if_any(r.dominant); }},
              {{"peak_memory", "Peak memory", Unit::kBytes, "most that was allocated at once", false, 5},
               [](const R& r) { return measured(r.peak_bytes); }},
              {{"status", "Status", Unit::kText, "ok, or why there are no figures"},
               [](const R& r) { return text(r.status); }},
              reason_field<R>("why there are no figures"),
          }));
  return section;
}

const Section<StudyTaskRow>& task_section() {
  using R = StudyTaskRow;
  static const Section<R> section(
      {.id = "study_tasks",
       .title = "Non-GEMM by task",
       .doc = "Means over the models of a task.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      joined(joined<R>(
                 {
                     task_field<R>(),
                     device_field<R>(),
                     {{"batch", "Batch", Unit::kCount, "samples per inference"},
                      [](const R& r) { return count(r.batch); }},
                     {{"models", "Models", Unit::kCount, "that ran"}, [](const R& r) { return count(r.models); }},
                 },
                 nongemm_fields<R, &R::nongemm>()),
             {
                 {{"least", "Least", Unit::kShare, "of one model, waits charged"},
                  [](const R& r) { return measured(r.least); }},
                 {{"most", "Most", Unit::kShare, "of one model, waits charged"},
                  [](const R& r) { return measured(r.most); }},
             }));
  return section;
}

const Section<StudyDominantRow>& dominant_section() {
  using R = StudyDominantRow;
  static const Section<R> section(
      {.id = "study_dominant",
       .title = "Dominant non-GEMM groups (Table IV)",
       .doc = "The non-GEMM group with the most time, in three ways of counting, beside the paper's.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          model_field<R>(),
          task_field<R>(),
          {{"group_published", "Published way", Unit::kText, "dominant by host and device times added up"},
           [](const R& r) { return text_if_any(r.group_published); }},
          {{"share_published", "Share", Unit::kShare, kPublishedDoc},
           [](const R& r) { return measured(r.share.published); }},
          {{"group_charged", "Waits charged", Unit::kText, "dominant with the device's waits"},
           [](const R& r) { return text_if_any(r.group_charged); }},
          {{"share_charged", "Share ", Unit::kShare, kChargedDoc},
           [](const R& r) { return measured(r.share.charged); }},
          {{"group_device", "Device time", Unit::kText, "dominant by time in operators"},
           [](const R& r) { return text_if_any(r.group_device); }},
          {{"share_device", "Share  ", Unit::kShare, kDeviceDoc}, [](const R& r) { return measured(r.share.device); }},
          {{"paper_group", "Paper", Unit::kText, "Table IV"}, [](const R& r) { return text_if_any(r.paper_group); }},
          {{"paper_share", "Paper's share", Unit::kShare, "Table IV"},
           [](const R& r) { return measured(r.paper_share); }},
          {{"ours_of_paper_group", "Its share here", Unit::kShare,
            "of the paper's group in ours, the published way or else waits charged"},
           [](const R& r) {
             return measured(std::isnan(r.share_of_paper_group.published) ? r.share_of_paper_group.charged
                                                                          : r.share_of_paper_group.published);
           }},
          {{"agree", "Agrees", Unit::kText, "in which ways of counting ours is the paper's"},
           [](const R& r) { return text_if_any(r.agree); }},
          reason_field<R>("what differs"),
      });
  return section;
}

}  // namespace

const std::vector<const SectionInfo*>& study_section_infos() {
  static const std::vector<const SectionInfo*> kAll = [] {
    std::vector<const SectionInfo*> all = {&reading_section().info(), &share_section().info(),
                                           &number_section().info(),  &run_section().info(),
                                           &task_section().info(),    &dominant_section().info()};
    const auto details = study_detail_section_infos();
    all.insert(all.end(), details.begin(), details.end());
    return all;
  }();
  return kAll;
}

Table make_study_reading_table(const std::vector<StudySentence>& rows) { return reading_section().fill(rows); }
Table make_study_share_table(const std::vector<StudyShareRow>& rows) { return share_section().fill(rows); }
Table make_study_number_table(const std::vector<StudyNumberRow>& rows) { return number_section().fill(rows); }
Table make_study_run_table(const std::vector<StudyRunRow>& rows) { return run_section().fill(rows); }
Table make_study_task_table(const std::vector<StudyTaskRow>& rows) { return task_section().fill(rows); }
Table make_study_dominant_table(const std::vector<StudyDominantRow>& rows) { return dominant_section().fill(rows); }

bool is_study(const Document& document) {
  return !document.points.empty() && !document.points.front().setting(kStudySetting).empty();
}

}  // namespace nongemm
