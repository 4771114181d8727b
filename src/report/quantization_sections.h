// The part of the field table that holds a quantized model against the model as it is.
#pragma once

#include <vector>

#include "analysis/quantization.h"
#include "analysis/quantized_products.h"
#include "report/field.h"

namespace nongemm {

const std::vector<const SectionInfo*>& quantization_section_infos();

std::vector<Table> make_quantization_tables(const QuantizationFigures& figures);
Table make_products_table(const std::vector<ProductRow>& products);

}  // namespace nongemm
