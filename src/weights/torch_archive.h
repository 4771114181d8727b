// Checkpoints that torch.save writes: since PyTorch 1.6 zip archives (.pth, .pt, .bin), before that pickles in a row.
// torch/serialization.py of PyTorch 2.11 is the description of both. Both are read as data, no code of the pickle runs.
#pragma once

#include "weights/checkpoint.h"

namespace nongemm::weights {

/// NAME/data.pkl, NAME/data/KEY, NAME/byteorder in one archive. Stored tensors are used in place.
CheckpointFormat torch_archive_format();

/// Five pickles (magic number, protocol, system, state dict, keys), then the storages, each with its length in front.
CheckpointFormat torch_legacy_format();

}  // namespace nongemm::weights
