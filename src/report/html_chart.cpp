#include "report/html_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <ostream>

#include "base/text.h"

namespace nongemm {
namespace {

struct GroupColour {
  std::string_view id;
  std::string_view colour;
};

/// GEMM in cool blues, what this program is about in colours that stand out against them.
constexpr std::array kColours = {
    GroupColour{"gemm", "#3b5b92"},
    GroupColour{"attention", "#86a3d6"},
    GroupColour{"activation", "#e4572e"},
    GroupColour{"normalization", "#f2a541"},
    GroupColour{"arithmetic", "#8cb369"},
    GroupColour{"memory-layout", "#c9c4d8"},
    GroupColour{"memory-movement", "#7a5fb0"},
    GroupColour{"logit", "#c9184a"},
    GroupColour{"roi", "#00798c"},
    GroupColour{"interpolation", "#5bc0be"},
    GroupColour{"embedding", "#b08968"},
    GroupColour{"pooling", "#7f5539"},
    GroupColour{"reduction", "#577590"},
    GroupColour{"quantization", "#f15bb5"},
    GroupColour{"communication", "#6a040f"},
    GroupColour{"synchronisation", "#6c757d"},
    GroupColour{"control", "#adb5bd"},
    GroupColour{"other", "#212529"},
};
/// For groups of the user's own.
constexpr std::array<std::string_view, 4> kFurther = {"#bc4749", "#386641", "#9d4edd", "#fb8500"};

struct Part {
  std::string id;
  std::string title;
  double share = 0;
  std::string time;
};

struct Bar {
  std::string label;
  std::string latency;
  std::vector<Part> parts;
};

std::optional<std::size_t> column_of(const Table& table, std::string_view id) {
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    if (table.info->columns[c].id == id) return c;
  }
  return std::nullopt;
}

const Table* table_of(const Point& point, std::string_view id) {
  const auto table =
      std::find_if(point.tables.begin(), point.tables.end(), [&](const Table& t) { return t.info->id == id; });
  return table != point.tables.end() && !table->rows.empty() ? &*table : nullptr;
}

std::string cell(const Table& table, std::size_t row, std::string_view id) {
  const std::optional<std::size_t> column = column_of(table, id);
  return column ? to_text(table.rows[row][*column], table.info->columns[*column].unit) : "";
}

std::optional<double> number(const Table& table, std::size_t row, std::string_view id) {
  const std::optional<std::size_t> column = column_of(table, id);
  if (!column) return std::nullopt;
  const auto* value = std::get_if<double>(&table.rows[row][*column]);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

/// The model, and the settings in which its points differ.
std::string label_of(const Point& point, const Document& document) {
  std::string label = point.setting("model");
  for (const auto& [key, value] : point.settings) {
    if (key == "model" || key == "inputs" || key == "weights") continue;
    const bool differs =
        std::any_of(document.points.begin(), document.points.end(), [&, k = key, v = value](auto& other) {
          const std::string there = other.setting(k);  // settings of one flow are absent elsewhere
          return other.setting("model") == point.setting("model") && !there.empty() && there != v;
        });
    if (differs) label += " · " + (key == "batch" || key == "sequence" ? key + " " : "") + value;
  }
  return label;
}

std::size_t place_of(std::string_view id) {
  return static_cast<std::size_t>(
      std::find_if(kColours.begin(), kColours.end(), [&](const GroupColour& c) { return c.id == id; }) -
      kColours.begin());
}

std::vector<Bar> bars_of(const Document& document) {
  std::vector<Bar> bars;
  for (const Point& point : document.points) {
    const Table* groups = table_of(point, "groups");
    const Table* performance = table_of(point, "performance");
    if (groups == nullptr || performance == nullptr) continue;
    Bar bar{label_of(point, document), cell(*performance, 0, "latency"), {}};
    double rest = 1.0;  // of the wall time
    for (std::size_t row = 0; row < groups->rows.size(); ++row) {
      const double share = number(*groups, row, "share").value_or(0.0);
      if (share <= 0) continue;
      bar.parts.push_back({cell(*groups, row, "id"), cell(*groups, row, "group"), share, cell(*groups, row, "time")});
      rest -= share;
    }
    // In one order in all bars, GEMM first, so that they compare.
    std::stable_sort(bar.parts.begin(), bar.parts.end(),
                     [](const Part& a, const Part& b) { return place_of(a.id) < place_of(b.id); });
    constexpr double kVisible = 0.002;
    if (rest > kVisible) bar.parts.push_back({"", "waits and the rest", rest, ""});
    bars.push_back(std::move(bar));
  }
  return bars;
}

std::string colour_of(const std::string& id, std::map<std::string, std::string>& further) {
  if (id.empty()) return "url(#rest)";
  if (const std::size_t place = place_of(id); place < kColours.size()) return std::string(kColours[place].colour);
  return further.try_emplace(id, kFurther[further.size() % kFurther.size()]).first->second;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string result;
  for (const char letter : without_controls(std::string(text))) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

void write_html_chart(const Document& document, std::ostream& out) {
  const std::vector<Bar> bars = bars_of(document);
  if (bars.empty()) return;
  constexpr int kLabels = 250;
  constexpr int kWidth = 640;
  constexpr int kRow = 34;
  constexpr int kBar = 22;
  std::map<std::string, std::string> further;
  std::vector<std::pair<std::string, std::string>> legend;  // title, colour; in order of appearance
  out << fmt::format("<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Time by operator group\">\n",
                     kLabels + kWidth + 110, static_cast<int>(bars.size()) * kRow + 26);
  out << "<defs><pattern id=\"rest\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
         "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" class=\"rest\"/>"
         "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" class=\"hatch\"/></pattern></defs>\n";
  for (int percent = 0; percent <= 100; percent += 25) {
    const int x = kLabels + kWidth * percent / 100;
    const int bottom = static_cast<int>(bars.size()) * kRow + 4;
    out << fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{0}\" y1=\"0\" y2=\"{1}\"/>"
        "<text class=\"tick\" x=\"{0}\" y=\"{2}\">{3} %</text>\n",
        x, bottom, bottom + 16, percent);
  }
  int y = 6;
  for (const Bar& bar : bars) {
    const int middle = y + kBar / 2 + 5;
    out << fmt::format("<text class=\"label\" x=\"{}\" y=\"{}\">{}</text>\n", kLabels - 10, middle,
                       html_escaped(bar.label));
    double x = kLabels;
    for (const Part& part : bar.parts) {
      const std::string colour = colour_of(part.id, further);
      const double width = std::min(part.share * kWidth, kLabels + kWidth - x);
      out << fmt::format(
          "<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\"><title>{}: {}{}"
          "</title></rect>\n",
          x, y, std::max(width, 0.0), kBar, colour, html_escaped(part.title), to_text(part.share, Unit::kShare),
          part.time.empty() ? "" : ", " + html_escaped(part.time));
      x += width;
      const std::pair entry(part.title, colour);
      if (std::find(legend.begin(), legend.end(), entry) == legend.end()) legend.push_back(entry);
    }
    out << fmt::format("<text class=\"value\" x=\"{}\" y=\"{}\">{}</text>\n", kLabels + kWidth + 10, middle,
                       html_escaped(bar.latency));
    y += kRow;
  }
  out << "</svg>\n<ul class=\"legend\">\n";
  for (const auto& [title, colour] : legend) {
    const bool plain = colour.front() == '#';
    out << fmt::format("<li><span class=\"swatch{}\"{}></span>{}</li>\n", plain ? "" : " rest",
                       plain ? " style=\"background:" + colour + "\"" : "", html_escaped(title));
  }
  out << "</ul>\n";
}

}  // namespace nongemm
