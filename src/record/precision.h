// In what a session's arithmetic runs where the types of its operands do not tell.
#pragma once

namespace nongemm {

/// Which products of fp32 operands rounded them to TF32.
struct Tf32Use {
  bool products = false;
  bool convolutions = false;
};

}  // namespace nongemm
