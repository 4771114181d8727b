#include "report/quantization_sections.h"

#include "report/section_fields.h"

namespace nongemm {
namespace {

const Section<QuantizationFigures>& quantization_section() {
  using Q = QuantizationFigures;
  static const Section<Q> section(
      {.id = "quantization",
       .title = "Quantization",
       .doc = "The same model, inputs and weights as they are and quantized.",
       .report = ReportKind::kPerformance,
       .single_row = true,
       .columns = {}},
      {
          {{"latency_before", "Latency, as it is", Unit::kSeconds, "median, nothing recorded"},
           [](const Q& q) { return measured(q.latency_before_s); }},
          {{"latency", "Latency, quantized", Unit::kSeconds, "median, nothing recorded"},
           [](const Q& q) { return measured(q.latency_s); }},
          {{"speedup", "Speed-up", Unit::kRatio, "as it is over quantized"},
           [](const Q& q) { return share(q.latency_before_s, q.latency_s); }},
          {{"nodes_added", "Operators added", Unit::kCount, "nodes of the graph"},
           [](const Q& q) { return count(q.total.nodes - q.total.nodes_before); }},
          {{"kernels_added", "Kernels added", Unit::kCount, "per inference"},
           [](const Q& q) { return measured(q.total.kernels - q.total.kernels_before); }},
          {{"host_waits", "Host waits", Unit::kSeconds, "time in which the host waits for the device, quantized"},
           [](const Q& q) { return measured(q.total.wait_s); }},
          {{"nongemm_share_before", "Non-GEMM, as it is", Unit::kShare, "of the time of all operators"},
           [](const Q& q) { return measured(q.share_before); }},
          {{"nongemm_share", "Non-GEMM, quantized", Unit::kShare, "of the time of all operators"},
           [](const Q& q) { return measured(q.share); }},
          {{"paper_share_before", "Non-GEMM as the paper counts, as it is", Unit::kShare,
            "of host and device times added up, in which waits are work"},
           [](const Q& q) { return measured(q.paper_share_before); }},
          {{"paper_share", "Non-GEMM as the paper counts, quantized", Unit::kShare,
            "of host and device times added up, in which waits are work"},
           [](const Q& q) { return measured(q.paper_share); }},
          {{"weights_before", "Weights, as they are", Unit::kBytes, "parameters and buffers"},
           [](const Q& q) { return measured(q.weights_before_bytes); }},
          {{"weights", "Weights, quantized", Unit::kBytes, "parameters and buffers, scales included"},
           [](const Q& q) { return measured(q.weights_bytes); }},
          {{"peak_before", "Peak memory, as it is", Unit::kBytes, "of an inference, weights included"},
           [](const Q& q) { return present(q.peak_before_bytes); }},
          {{"peak", "Peak memory, quantized", Unit::kBytes, "of an inference, weights included"},
           [](const Q& q) { return present(q.peak_bytes); }},
          {{"output_error", "Error of the outputs", Unit::kNumber,
            "of the first floating-point output: root mean square of the difference over that of the output as it is"},
           [](const Q& q) { return present(q.output_error); }},
          {{"largest_error", "Largest error", Unit::kNumber, "of that output, absolute"},
           [](const Q& q) { return present(q.largest_error); }},
          {{"perplexity_before", "Perplexity, as it is", Unit::kNumber,
            "of the text of --data, by decoders: e to the mean loss of a token, in blocks of the run's length"},
           [](const Q& q) { return present(q.perplexity_before); }},
          {{"perplexity", "Perplexity, quantized", Unit::kNumber, "of the same tokens"},
           [](const Q& q) { return present(q.perplexity); }},
          {{"perplexity_tokens", "Tokens of perplexity", Unit::kCount, "that were predicted (quantize.tokens)"},
           [](const Q& q) { return q.perplexity ? count(q.perplexity_tokens) : FieldValue{}; }},
      });
  return section;
}

const Section<CauseRow>& cause_section() {
  using C = CauseRow;
  static const Section<C> section(
      {.id = "quantization_causes",
       .title = "Why: quantization by cause",
       .doc = "What stands in the place of products, by what it is there for. Times are of the node pass.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"cause", "Cause", Unit::kText, "what operators are there for"}, [](const C& c) { return text(c.title); }},
          {{"nodes_before", "Nodes before", Unit::kCount, "of the model as it is"},
           [](const C& c) { return count(c.nodes_before); }},
          nodes_field<C>("of the quantized model"),
          {{"kernels", "Kernels", Unit::kCount, "per inference"}, [](const C& c) { return measured(c.kernels); }},
          {{"time_before", "Time before", Unit::kSeconds, "of the model as it is"},
           [](const C& c) { return measured(c.time_before_s); }},
          time_field<C>("kernels on a device, calls on a host"),
          gap_field<C>("the device had nothing to do until these"),
          {{"wait", "Host waits", Unit::kSeconds, "the host waited for the device in these"},
           [](const C& c) { return measured(c.wait_s); }},
          {{"without", "Left without", Unit::kSeconds, "of the latency, without their time and the device's waits"},
           [](const C& c) { return measured(c.without_s); }},
      });
  return section;
}

const Section<ProductRow>& product_section() {
  using P = ProductRow;
  static const Section<P> section(
      {.id = "quantization_products",
       .title = "How products ran",
       .doc =
           "All products of a quantized model. Kernels for few bits take some types and sizes only: what they do not "
           "take is filled up with zeros or runs otherwise.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"way", "Way", Unit::kText, "what they are multiplied in"}, [](const P& p) { return text(p.way); }},
          {{"products", "Products", Unit::kCount, "nodes of the graph, or steps of a runtime"},
           [](const P& p) { return count(p.products); }},
          {{"reason", "Why", Unit::kText, "why not as they are; nothing where they ran as quantized"},
           [](const P& p) { return text_if_any(p.reason); }},
          time_field<P>("of the node pass"),
          {{"shapes", "Shapes", Unit::kText, "of the operands of the one that took longest"},
           [](const P& p) { return text(operand_shapes(p.operands)); }},
      });
  return section;
}

}  // namespace

const std::vector<const SectionInfo*>& quantization_section_infos() {
  static const std::vector<const SectionInfo*> kInfos = {&quantization_section().info(), &cause_section().info(),
                                                         &product_section().info()};
  return kInfos;
}

std::vector<Table> make_quantization_tables(const QuantizationFigures& figures) {
  return {quantization_section().fill({&figures, 1}), cause_section().fill(figures.causes)};
}

Table make_products_table(const std::vector<ProductRow>& products) { return product_section().fill(products); }

}  // namespace nongemm
