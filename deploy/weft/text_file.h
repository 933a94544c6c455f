// Text files that commands write.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

namespace weft::deploy {

// The exit code: kOk, kInputData for a file that cannot be opened, kFailed for one that cannot take
// all; errors are said.
int WriteTextFile(const std::string& path, const std::function<void(std::FILE*)>& write);

}  // namespace weft::deploy
