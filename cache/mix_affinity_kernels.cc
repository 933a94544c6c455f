// Body of MixAffinity. One index is one episode, so that each affinity is one chain of steps.
#include <cmath>

#include "cache/mix_affinity.h"
#include "cache/pair_list.h"
#include "gpu/launch.h"

namespace weft::cache {
namespace {

struct AffinityOfEpisode {
  AffinityArguments a;

  WEFT_HD void operator()(std::int64_t i) const {
    const Episode& episode = a.episodes[(a.first + i) & (a.episode_places - 1)];
    const std::uint32_t* const begin = a.words + episode.pairs_begin % a.word_places;
    float sum = 0.0f;
    ForEachPair(begin, begin + episode.pairs_size, [&](std::uint32_t slot, std::uint64_t count) {
      const float own = count < kTabledRoots ? a.root[count] : sqrtf(static_cast<float>(count));
      sum = gpu::Fma(own, a.wanted[slot], sum);
    });
    a.affinity[i] =
        episode.interactions > 0 ? sum / sqrtf(static_cast<float>(episode.interactions)) : 0.0f;
  }
};

}  // namespace

template <class E>
void MixAffinityOn(const E& exec, std::int64_t count, const AffinityArguments& arguments) {
  gpu::ForEachIndex(gpu::WithGrain(exec, 1024), count, AffinityOfEpisode{arguments});
}

template void MixAffinityOn(const gpu::BuildExec&, std::int64_t, const AffinityArguments&);

}  // namespace weft::cache
