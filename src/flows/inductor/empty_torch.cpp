// libtorch.so of LibTorch has no code either: it only names the libraries that have.
