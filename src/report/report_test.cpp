#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "prepare/model.h"
#include "report/document.h"
#include "report/figures.h"
#include "report/sections.h"
#include "report/writers.h"
#include "test_paths.h"

namespace nongemm {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string written(const Document& document, const char* format) {
  std::ostringstream out;
  find_writer(format).write(document, out);
  return out.str();
}

/// A report with names that every format has to quote.
Document nasty_document() {
  const Record record = record_of(build_graph(find_model("gpt2"), {.sequence = 8}));
  static const Analysis analysis = analyse(record, {});
  Document document;
  document.context = {{"command", "nongemm run \"a,b\" <x> | y"}};
  Point point;
  point.settings = {{"model", "comma, \"quote\" <tag> | bar\nline"}, {"batch", "1"}};
  point.tables = make_tables({.record = &record, .analysis = &analysis});
  point.samples = {{"latency", {0.25, 0.5}}};
  point.key = "0123456789abcdef";
  point.specification = {{"model", OptionType::kText, false, {"comma, \"quote\""}},
                         {"batch", OptionType::kInteger, false, {"1"}},
                         {"seed", OptionType::kInteger, false, {"18446744073709551615"}},
                         {"max-seconds", OptionType::kNumber, false, {"0.1"}},
                         {"check", OptionType::kFlag, false, {"true"}},
                         {"input", OptionType::kText, true, {"x=1x2", "y=3"}}};
  document.points.push_back(point);
  Point failed;
  failed.status = {StatusKind::kOutOfMemory, "needs 27 GB"};
  failed.settings = {{"model", "big"}, {"batch", "8"}};
  document.points.push_back(failed);
  return document;
}

TEST(Report, TitlesOfFiguresEndBeforeTheirValues) {
  const SectionInfo info{.id = "x",
                         .title = "X",
                         .doc = "",
                         .single_row = true,
                         .columns = {{"a", "A title of more than thirty characters", Unit::kShare, ""}}};
  Document document;
  document.points.emplace_back().tables = {{&info, {{0.405}}}};
  EXPECT_THAT(written(document, "table"), HasSubstr("characters  40.5 %"));
}

TEST(Report, JsonComesBackAsItWas) {
  const std::string json = written(nasty_document(), "json");
  const Document back = parse_document(json, "test");
  EXPECT_EQ(written(back, "json"), json);
  EXPECT_EQ(back.points[0].samples[0].seconds, (std::vector<double>{0.25, 0.5}));
  for (const char* format : {"table", "csv", "md", "html"})
    EXPECT_EQ(written(back, format), written(nasty_document(), format));
}

TEST(Report, JsonHoldsTheSpecificationTyped) {
  const std::string json = written(nasty_document(), "json");
  EXPECT_THAT(json, HasSubstr("\"key\": \"0123456789abcdef\""));
  EXPECT_THAT(json, HasSubstr("\"batch\": 1,"));
  EXPECT_THAT(json, HasSubstr("\"seed\": 18446744073709551615,"));
  EXPECT_THAT(json, HasSubstr("\"max-seconds\": 0.1,"));
  EXPECT_THAT(json, HasSubstr("\"check\": true,"));
  const Document back = parse_document(json, "test");
  EXPECT_EQ(back.points[0].specification, nasty_document().points[0].specification);
  EXPECT_EQ(back.points[0].key, "0123456789abcdef");
  EXPECT_THROW(parse_document(R"({"schema":"nongemm-report","version":2,"points":[{"status":"ok",
                                  "specification":{"batch":null}}]})",
                              "test"),
               Error);
  EXPECT_THROW(parse_document(R"({"schema":"nongemm-report","version":2,"points":[{"status":"fine"}]})", "test"),
               Error);
}

TEST(Report, TheFirstSchemaIsStillRead) {
  const Document old = parse_document(R"({"schema":"nongemm-report","version":1,"points":[
      {"status":"incomplete","reason":"interrupted","command":"nongemm run gpt2 --cuda-graph","settings":{"model":"gpt2"},
       "sections":{},"samples":{"latency":[1.5]}}]})",
                                      "test");
  EXPECT_EQ(old.points[0].status.kind, StatusKind::kIncomplete);
  EXPECT_EQ(old.points[0].status.reason, "interrupted");
  EXPECT_TRUE(old.points[0].specification.empty());
  EXPECT_TRUE(old.points[0].key.empty());
}

TEST(Report, UnmeasuredFiguresAreAbsentNotZero) {
  const std::string json = written(nasty_document(), "json");
  EXPECT_THAT(json, HasSubstr("\"time\": null"));
  EXPECT_THAT(json, Not(HasSubstr("NaN")));
  EXPECT_THAT(json, Not(HasSubstr("nan")));
}

/// The data of the page.
nlohmann::json page_data(const Document& document) {
  const std::string html = written(document, "html");
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = html.find(begin) + begin.size();
  return nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
}

TEST(Report, HtmlHoldsTextsThatBeginNoTag) {
  const std::string html = written(nasty_document(), "html");
  EXPECT_THAT(html, Not(HasSubstr("<tag>")));
  EXPECT_THAT(html, HasSubstr("comma, \\\"quote\\\" \\u003ctag> | bar"));
  const nlohmann::json data = page_data(nasty_document());
  EXPECT_EQ(data["points"][0]["settings"][0][1], "comma, \"quote\" <tag> | bar\nline");
  EXPECT_EQ(data["points"][1]["status"], "out-of-memory");
  EXPECT_EQ(data["points"][1]["reason"], "needs 27 GB");
}

/// A table of one section with some values; the others are absent.
Table table_with(const char* section, const std::vector<std::vector<std::pair<const char*, FieldValue>>>& rows) {
  Table table{find_section(section), {}};
  for (const auto& values : rows) {
    auto& row = table.rows.emplace_back(table.info->columns.size());
    for (std::size_t c = 0; c < row.size(); ++c) {
      for (const auto& [id, value] : values) {
        if (table.info->columns[c].id == id) row[c] = value;
      }
    }
  }
  return table;
}

TEST(Report, HtmlHasTheFiguresOfTheFieldTable) {
  Document document;
  Point& point = document.points.emplace_back();
  point.tables = {table_with("performance", {{{"latency", 2.0004e-3}}}),
                  table_with("groups", {{{"group", std::string("GEMM")}, {"share", 0.25}, {"time", 5e-4}},
                                        {{"group", std::string("GEMM")}, {"share", 0.123456}}})};
  const nlohmann::json data = page_data(document);
  const nlohmann::json& tables = data["points"][0]["tables"];
  EXPECT_EQ(tables["performance"]["columns"]["latency"], nlohmann::json::array({2000400}));  // ns
  EXPECT_FALSE(tables["performance"]["columns"].contains("latency_p10"));                    // not measured
  EXPECT_EQ(tables["groups"]["rows"], 2);
  EXPECT_EQ(data["texts"][tables["groups"]["columns"]["group"]["all"].get<int>()], "GEMM");
  EXPECT_EQ(tables["groups"]["columns"]["share"], nlohmann::json::array({0.25, 0.123456}));
  EXPECT_EQ(tables["groups"]["columns"]["time"], nlohmann::json::array({500000, nullptr}));
  const nlohmann::json& columns = data["sections"]["groups"]["columns"];
  ASSERT_EQ(columns.size(), find_section("groups")->columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    EXPECT_EQ(columns[c]["doc"], find_section("groups")->columns[c].doc);
    EXPECT_EQ(columns[c]["title"], find_section("groups")->columns[c].title);
  }
  EXPECT_FALSE(data["sections"].contains("nodes"));
}

TEST(Report, SectionsOfManyRowsStandByColumnInJson) {
  Document document;
  document.points.emplace_back().tables = {
      table_with("timeline_device", {{{"begin", 1e-9}, {"kernel", std::string("a")}, {"stream", std::int64_t{7}}},
                                     {{"begin", 5e-9}, {"kernel", std::string("b")}},
                                     {{"begin", 9e-9}, {"kernel", std::string("a")}}})};
  const std::string json = written(document, "json");
  const nlohmann::json section = nlohmann::json::parse(json)["points"][0]["sections"]["timeline_device"];
  EXPECT_EQ(section["rows"], 3);
  EXPECT_EQ(section["columns"]["begin"], nlohmann::json::parse("[1e-9, 5e-9, 9e-9]"));
  EXPECT_EQ(section["columns"]["kernel"], nlohmann::json::parse(R"({"texts": ["a", "b"], "index": [0, 1, 0]})"));
  EXPECT_EQ(section["columns"]["stream"], nlohmann::json::parse("[7, null, null]"));
  EXPECT_FALSE(section["columns"].contains("bytes"));
  EXPECT_EQ(written(parse_document(json, "test"), "json"), json);
}

TEST(Report, TheLongestTimelineStaysBelow20Megabytes) {
  Document document;
  Table calls{find_section("timeline_calls"), {}};
  Table device{find_section("timeline_device"), {}};
  for (std::size_t i = 0; i < kMostRecordsKept; ++i) {
    const double begin = static_cast<double>(i * 12345) / 1e9;
    const auto node = static_cast<std::int64_t>(i % 4000);
    calls.rows.push_back({begin, 8.123e-6, node, 0.0});
    device.rows.push_back({begin, 8.123e-6, node, 1.234e-6, begin, std::int64_t{7},
                           "void kernel_" + std::to_string(i % 300) + std::string(400, 'x'), FieldValue{}});
  }
  document.points.emplace_back().tables = {std::move(calls), std::move(device)};
  EXPECT_LT(written(document, "json").size(), 20'000'000U);
}

TEST(Report, RefusesDamagedColumns) {
  const auto read = [](const std::string& section) {
    return parse_document(
        R"({"schema":"nongemm-report","version":2,"points":[{"status":"ok","sections":{"timeline_calls":)" + section +
            "}}]}",
        "test");
  };
  EXPECT_EQ(read(R"({"rows":1,"columns":{"begin":[0.5],"later":[1]}})").points[0].tables[0].rows.size(), 1U);
  EXPECT_THROW(read(R"({"rows":2,"columns":{"begin":[0.5]}})"), Error);
  EXPECT_THROW(read(R"({"rows":1000000000000,"columns":{"begin":[0.5]}})"), Error);
  EXPECT_THROW(read(R"({"rows":1,"columns":{"begin":["x"]}})"), Error);
  EXPECT_THROW(read(R"({"rows":1,"columns":{"begin":[0.5],"node":{"texts":["x"],"index":[1]}}})"), Error);
  EXPECT_THROW(read(R"({"rows":1,"columns":[1]})"), Error);
  EXPECT_THROW(read(R"({"rows":-1,"columns":{"begin":[0.5]}})"), Error);
}

TEST(Report, TerminalHas120Columns) {
  static const SectionInfo info{.id = "rows",
                                .title = "Rows",
                                .doc = "",
                                .columns = {{"name", "Name", Unit::kText, ""},
                                            {"broad", "Broad", Unit::kText, "", false, 1},
                                            {"other", "Other", Unit::kText, ""},
                                            {"time", "Time of one call, mean", Unit::kSeconds, ""},
                                            {"much", "Much missed", Unit::kText, ""},
                                            {"narrow", "N", Unit::kCount, "", false, 2},
                                            {"least", "Least", Unit::kText, "", false, 3},
                                            {"files", "In files", Unit::kText, "", true}}};
  const std::string longest(60, 'x');
  const auto lines = [&](const std::string& broad, const std::string& least) {
    Table table{&info, {{longest, broad, longest, 0.001, longest, std::int64_t{12}, least, longest}}};
    Document document;
    document.points.emplace_back().tables.push_back(table);
    std::ostringstream text;
    write_table(document, {.room = 120}, text);
    std::istringstream in(text.str());
    std::string all;
    for (std::string line; std::getline(in, line); all += line + "\n") EXPECT_LE(line.size(), 120U) << line;
    return all;
  };
  EXPECT_THAT(lines("short", "y"), Not(HasSubstr("No room")));
  EXPECT_THAT(lines("short", longest), HasSubstr("No room here for: Least; in the other formats"));
  // All three had to go, and then there was room for the narrow one again.
  const std::string narrow = lines(longest, longest);
  EXPECT_THAT(narrow, HasSubstr("No room here for: Broad, Least; in the other formats"));
  EXPECT_THAT(narrow, HasSubstr(" N\n"));
  // What is piped is not cut.
  Table table{&info, {{longest, longest, longest, 0.001, longest, std::int64_t{12}, longest, longest}}};
  Document document;
  document.points.emplace_back().tables.push_back(table);
  EXPECT_THAT(written(document, "table"), AllOf(HasSubstr(longest), Not(HasSubstr("...")), Not(HasSubstr("No room"))));
}

TEST(Report, TextHoldsNoEscapeCodesFromFiles) {
  static const SectionInfo info{
      .id = "rows", .title = "Rows", .doc = "", .columns = {{"name", "Name", Unit::kText, ""}}};
  Document document;
  Point& point = document.points.emplace_back();
  point.settings = {{"model", "a\x1b[31mb"}};
  point.status = {StatusKind::kIncomplete, "c\x1b[32md"};
  point.tables.push_back({&info,
                          {{std::string("e\x1b]0;f\x07g\nh\xc2\x9b"
                                        "31m")}}});
  for (const char* format : {"csv", "md", "html"})
    EXPECT_THAT(written(document, format), Not(HasSubstr("\x1b"))) << format;
  const std::string text = written(document, "table");
  EXPECT_THAT(text, AllOf(HasSubstr("a?[31mb"), HasSubstr("c?[32md"), HasSubstr("e?]0;f?g h?31m")));
}

TEST(Report, TerminalsThatCanDrawBarsBesideShares) {
  static const SectionInfo info{
      .id = "rows",
      .title = "Rows",
      .doc = "",
      .columns = {
          {"name", "Name", Unit::kText, ""}, {"share", "Share", Unit::kShare, ""}, {"note", "Note", Unit::kText, ""}}};
  Document document;
  document.points.emplace_back().tables.push_back({&info,
                                                   {{std::string("a"), 0.5, std::string("x")},
                                                    {std::string("b"), 0.25, std::string("longer")},
                                                    {std::string("c"), 0.01, std::string("y")},
                                                    {std::string("d"), FieldValue{}, std::string("z")}}});
  const std::string full = "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588";
  std::ostringstream out;
  write_table(document, {.room = 120, .bars = true}, out);
  EXPECT_THAT(out.str(), HasSubstr("a     50.0 %  x       " + full + full + "\n"));
  EXPECT_THAT(out.str(), HasSubstr("b     25.0 %  longer  " + full + "\n"));
  EXPECT_THAT(out.str(), HasSubstr("c      1.0 %  y       \u258c\n"));
  EXPECT_THAT(written(document, "table"), HasSubstr("a     50.0 %  x\n"));
}

TEST(Report, CsvRowsKeepTheirColumnsWhereSettingsDiffer) {
  Document document;
  for (const bool text : {true, false}) {
    Point& point = document.points.emplace_back();
    point.settings = {{"model", text ? "bert" : "vit-b"}};
    if (text) point.settings.emplace_back("sequence", "128");
    point.settings.emplace_back("weights", "synthetic");
    point.status = {StatusKind::kUnsupported, "r"};
  }
  EXPECT_EQ(written(document, "csv"),
            "section,model,sequence,weights,status,reason\r\n"
            "point,bert,128,synthetic,unsupported,r\r\n"
            "point,vit-b,,synthetic,unsupported,r\r\n");
}

TEST(Report, CsvIsOneTable) {
  Document document = nasty_document();
  document.points[0].settings.emplace_back("dtype", "fp32");
  std::istringstream lines(written(document, "csv"));
  const auto cells = [](const std::string& line) {
    std::size_t count = 1;
    bool inside = false;
    for (const char c : line) {
      if (c == '"') inside = !inside;
      if (c == ',' && !inside) ++count;
    }
    return count;
  };
  std::string header;
  std::getline(lines, header);
  EXPECT_THAT(header, AllOf(testing::StartsWith("section,model,batch,dtype,status,reason,"), HasSubstr("row_dtype")));
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    while (std::count(line.begin(), line.end(), '"') % 2 == 1) {  // a new line in a cell
      std::string more;
      std::getline(lines, more);
      line += "\n" + more;
    }
    EXPECT_EQ(cells(line), cells(header)) << line;
  }
  EXPECT_GT(rows, 5U);
}

TEST(Report, RefusesFiguresOfAnotherType) {
  const auto report = [](const std::string& sections) {
    return R"({"schema":"nongemm-report","version":1,"points":[{"status":"ok","settings":{},"sections":)" + sections +
           "}]}";
  };
  EXPECT_THROW(parse_document(report(R"({"groups":[{"time":"<script>"}]})"), "test"), Error);
  EXPECT_THROW(parse_document(report(R"({"groups":[{"group":3}]})"), "test"), Error);
  EXPECT_THROW(parse_document(report(R"({"performance":[{},{}]})"), "test"), Error);
  EXPECT_TRUE(parse_document(report(R"({"op":[]})"), "test").points[0].tables.empty());
}

TEST(Report, CsvQuotes) {
  EXPECT_THAT(written(nasty_document(), "csv"), HasSubstr("\"comma, \"\"quote\"\" <tag> | bar\nline\""));
}

TEST(Report, MarkdownEscapes) { EXPECT_THAT(written(nasty_document(), "md"), HasSubstr("\\<tag> \\| bar line")); }

TEST(Report, AFailedPointIsARowInEveryFormat) {
  for (const Writer& writer : writers()) {
    const std::string text = written(nasty_document(), std::string(writer.format).c_str());
    EXPECT_THAT(text, HasSubstr("out-of-memory")) << writer.format;
    EXPECT_THAT(text, HasSubstr("needs 27 GB")) << writer.format;
  }
}

TEST(Report, RefusesOtherVersionsAndDamage) {
  const std::string json = written(nasty_document(), "json");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string damaged = json;
    damaged.replace(damaged.find(from), from.size(), to);
    return damaged;
  };
  EXPECT_THROW(parse_document(replaced("\"version\": 2", "\"version\": 99"), "test"), Error);
  EXPECT_THROW(parse_document(replaced("nongemm-report", "something"), "test"), Error);
  EXPECT_THROW(parse_document(json.substr(0, json.size() / 2), "test"), Error);
  EXPECT_THROW(parse_document("[]", "test"), Error);
  EXPECT_THROW(parse_document(R"({"schema":"nongemm-report","version":1,"points":[3]})", "test"), Error);
}

TEST(Report, EveryFigureIsDocumentedOnce) {
  for (const SectionInfo* section : all_sections()) {
    std::vector<std::string_view> ids;
    for (const Column& column : section->columns) {
      EXPECT_FALSE(column.doc.empty()) << section->id << "." << column.id;
      EXPECT_THAT(ids, Not(testing::Contains(column.id))) << section->id;
      ids.push_back(column.id);
    }
  }
}

TEST(Report, DocumentationIsTheFieldTable) {
  std::ifstream file(NONGEMM_SOURCE_DIR "/docs/figures.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), figures_markdown()) << "make generated writes it anew";
}

TEST(Values, AreWrittenForPeople) {
  EXPECT_EQ(to_text(0.01234, Unit::kSeconds), "12.34 ms");
  EXPECT_EQ(to_text(123.4e-6, Unit::kSeconds), "123.4 us");
  EXPECT_EQ(to_text(9.99999999e-6, Unit::kSeconds), "10.00 us");
  EXPECT_EQ(to_text(99.999e-6, Unit::kSeconds), "100.0 us");
  EXPECT_EQ(to_text(999.99e-9, Unit::kSeconds), "1.000 us");
  EXPECT_EQ(to_text(9.999e-6, Unit::kSeconds), "9.999 us");
  EXPECT_EQ(to_text(0.481, Unit::kShare), "48.1 %");
  EXPECT_EQ(to_text(std::int64_t{1500}, Unit::kBytes), "1.500 kB");
  EXPECT_EQ(to_text(FieldValue{}, Unit::kSeconds), "not measured");
  EXPECT_EQ(to_text(measured(std::nan("")), Unit::kSeconds), "not measured");
}

}  // namespace
}  // namespace nongemm
