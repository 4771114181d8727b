#include <cstdio>
#include "flows/load.h"
#include "profile/verify.h"
#include "base/error.h"
using namespace nongemm;
int main(int argc, char** argv) {
  try {
    for (int i = 1; i < argc; ++i) {
      for (const auto& row : verify_folder(argv[i], load_flow("torch"), {}, {}))
        std::printf("%s %s %g %g %s\n", argv[i], row.name.c_str(), row.largest_absolute, row.largest_relative, row.mismatch.c_str());
    }
  } catch (const Error& e) { std::printf("%s: %s\n", name_of(e.kind()), e.what()); return 1; }
}
