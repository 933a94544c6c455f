// What the operators of a hierarchy send, as JSON Lines (docs/json/run_*).
#pragma once

#include <string>

#include "deploy/weft/packet_json.h"
#include "operators/hierarchy/episode_forecaster.h"
#include "operators/hierarchy/readout.h"
#include "operators/hierarchy/salience.h"

namespace weft::deploy {

void AppendEpisodeJson(const operators::hierarchy::EpisodeRow& row, const KeyOf& key_of,
                       std::string& lines);
void AppendSalienceJson(const operators::hierarchy::SalienceRow& row, std::string& lines);
void AppendReadoutJson(const operators::hierarchy::Readout& row, std::string& lines);
void AppendForecastJson(const operators::hierarchy::ForecastRow& row, const KeyOf& key_of,
                        std::string& lines);

}  // namespace weft::deploy
