// The service's own log: one JSON object a line on stderr, written by spdlog. Payloads and keys of
// users never enter it.
//   {"time":"2026-01-31T12:00:00.000Z","level":"info","message":"serving","address":"127.0.0.1:1"}
// Thread rule: any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace weft::rpc {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Lines below this level are left out; info at first.
void SetLogLevel(LogLevel level);

using LogField = std::pair<std::string_view, std::string>;
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace weft::rpc
