#include "flows/tensorrt/engine.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "flows/tensorrt/logger.h"

namespace nongemm::tensorrt {
namespace {

Shape shape_of(const nvinfer1::Dims& dims, const std::string& name) {
  Shape shape;
  for (int i = 0; i < dims.nbDims; ++i) {
    if (dims.d[i] < 0) {
      throw Error(ErrorKind::kUnsupported,
                  "the size of '" + name + "' depends on the data, which the flow does not offer");
    }
    shape.push_back(dims.d[i]);
  }
  return shape;
}

}  // namespace

std::unique_ptr<Engine> Engine::open(const Library& library, std::string_view serialized) {
  std::unique_ptr<Engine> engine(new Engine);
  engine->runtime_ = library.runtime();
  engine->engine_.reset(engine->runtime_->deserializeCudaEngine(serialized.data(), serialized.size()));
  if (engine->engine_ == nullptr) return nullptr;
  engine->weight_bytes_ = serialized.size();
  engine->add_ports();
  return engine;
}

void Engine::add_ports() {
  for (int i = 0; i < engine_->getNbIOTensors(); ++i) {
    const std::string name = engine_->getIOTensorName(i);
    const DType dtype = dtype_of(engine_->getTensorDataType(name.c_str()));
    if (dtype == DType::kUndefined)
      throw Error(ErrorKind::kUnsupported, "'" + name + "' has a type that graphs do not have");
    Shape shape = shape_of(engine_->getTensorShape(name.c_str()), name);
    Buffer buffer(static_cast<std::size_t>(element_count(shape)) * size_of(dtype));
    ports_.push_back({name, dtype, std::move(shape), std::move(buffer)});
  }
}

Port& Engine::port(const std::string& name) {
  const auto found = std::find_if(ports_.begin(), ports_.end(), [&](const Port& port) { return port.name == name; });
  if (found != ports_.end()) return *found;
  throw Error(ErrorKind::kUnsupported, "TensorRT's engine has no input or output '" + name + "'");
}

std::string Engine::layer_information() const {
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine_->createEngineInspector());
  if (inspector == nullptr) fail("TensorRT gives no engine inspector");
  const char* const text = inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON);
  if (text == nullptr) fail("TensorRT's inspector says nothing");
  return text;
}

std::unique_ptr<nvinfer1::IExecutionContext> Engine::context() {
  std::unique_ptr<nvinfer1::IExecutionContext> context(engine_->createExecutionContext());
  if (context == nullptr) fail("TensorRT gives no execution context");
  for (const Port& port : ports_) {
    if (!context->setTensorAddress(port.name.c_str(), port.buffer.get())) {
      fail("TensorRT refuses the memory of '" + port.name + "'");
    }
  }
  return context;
}

std::uint64_t Engine::inference_bytes() const {
  std::uint64_t bytes = context_bytes(*engine_);
  for (const Port& port : ports_) bytes += port.buffer.bytes();
  return bytes;
}

}  // namespace nongemm::tensorrt
