// Every study: one file, one line here and in studies().
#pragma once

#include "studies/study.h"

namespace nongemm {

const Study& acceleration_study();
const Study& dominant_operators_study();
const Study& operators_study();
const Study& runtimes_study();
const Study& fusion_study();
const Study& quantization_study();
const Study& launch_study();
const Study& headroom_study();
const Study& scaling_study();
const Study& decode_study();

}  // namespace nongemm
