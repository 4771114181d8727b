// ONNX Runtime's C++ API for the files of this folder. The library is loaded at run time (library.h), so the API is not
// initialised by the header.
#pragma once

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
