#include "deploy/weft/text_file.h"

#include <cstdio>

#include "deploy/weft/command.h"

namespace weft::deploy {

int WriteTextFile(const std::string& path, const std::function<void(std::FILE*)>& write) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) {
    std::perror(("weft: " + path).c_str());
    return kInputData;
  }
  write(file);
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) == 0 && !failed) return kOk;
  std::perror(("weft: " + path).c_str());
  return kFailed;
}

}  // namespace weft::deploy
