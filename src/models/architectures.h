// The architectures built in; each stands in the file of its name.
#pragma once

#include "models/registry.h"

namespace nongemm {

const Architecture& bert_architecture();
const Architecture& electra_architecture();
const Architecture& gpt2_architecture();
const Architecture& gpt_oss_architecture();
const Architecture& llama_architecture();
const Architecture& gemma2_architecture();
const Architecture& gemma3_architecture();
const Architecture& mistral_architecture();
const Architecture& mixtral_architecture();
const Architecture& modernbert_architecture();
const Architecture& mpnet_architecture();
const Architecture& t5_architecture();
const Architecture& phi3_architecture();
const Architecture& qwen2_architecture();
const Architecture& qwen3_architecture();
const Architecture& qwen3_moe_architecture();
const Architecture& roberta_architecture();
const Architecture& xlm_roberta_architecture();
const Architecture& detr_architecture();
const Architecture& maskformer_architecture();
const Architecture& segformer_architecture();
const Architecture& swin_architecture();
const Architecture& vit_architecture();
const Architecture& faster_rcnn_architecture();
const Architecture& mask_rcnn_architecture();
const Architecture& hf_vit_architecture();
const Architecture& clip_vision_architecture();
const Architecture& siglip_vision_architecture();
const Architecture& dinov2_architecture();
const Architecture& hf_resnet_architecture();
const Architecture& convnext_architecture();
const Architecture& whisper_architecture();
const Architecture& unet_architecture();
const Architecture& flux_architecture();

}  // namespace nongemm
