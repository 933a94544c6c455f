// Bodies of VertexInfomax; dense algebra stands between them.
#include "operators/learn/vertex_infomax_kernels.h"

#include "gpu/elementary.h"
#include "gpu/launch.h"

namespace weft::operators::learn {
namespace {

// Whether a number of the code is left out in this step.
WEFT_HD bool IsKept(const InfomaxView& v, std::int64_t i) {
  return v.kept >= 1.0f || gpu::UnitFloat(gpu::CounterHash(
                               v.dropout_seed, static_cast<std::uint64_t>(i), 1)) < v.kept;
}

struct Code {
  InfomaxView v;
  WEFT_HD void operator()(std::int64_t i) const {
    const float x = v.before[i];
    const float code = x > 0.0f ? x : *v.slope * x;
    v.code[i] = code;
    v.dropped[i] = IsKept(v, i) ? code / v.kept : 0.0f;
  }
};

struct Gather {
  InfomaxView v;
  const float* from;
  float* to;
  WEFT_HD void operator()(std::int64_t i) const {
    const std::int64_t vertex = i / kInfomaxWidth, column = i % kInfomaxWidth;
    float sum = 0.0f;
    for (std::int32_t e = v.begin[vertex]; e < v.begin[vertex + 1]; ++e)
      sum = gpu::Fma(v.scale[v.neighbor[e]], from[v.neighbor[e] * kInfomaxWidth + column], sum);
    to[i] = v.scale[vertex] * sum;
  }
};

struct Squash {
  float* values;
  WEFT_HD void operator()(std::int64_t i) const { values[i] = gpu::Sigmoid(values[i]); }
};

struct Logits {
  InfomaxView v;
  bool others;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t vertex) const {
    const float* query = v.query + vertex * kInfomaxWidth;
    const float* code = v.code + vertex * kInfomaxWidth;
    const float* other = others ? v.code + v.other[vertex] * kInfomaxWidth : code;
    const float own = tile.Dot(
        kInfomaxWidth, [=](std::int64_t k) { return code[k]; },
        [=](std::int64_t k) { return query[k]; });
    const float others_own = tile.Dot(
        kInfomaxWidth, [=](std::int64_t k) { return other[k]; },
        [=](std::int64_t k) { return query[k]; });
    tile.Once([&] {
      v.logit[vertex] = own + *v.match_bias;
      if (others) v.other_logit[vertex] = others_own + *v.match_bias;
    });
  }
};

// ln(1 + exp(x)).
WEFT_HD float Softplus(float x) {
  const float magnitude = x < 0.0f ? -x : x;
  return (x > 0.0f ? x : 0.0f) + gpu::Log1p(gpu::Exp(-magnitude));
}

// Of the mean binary cross-entropy over twice as many logits as vertices.
struct Loss {
  InfomaxView v;
  WEFT_HD void operator()(std::int64_t vertex) const {
    const float share = 0.5f / static_cast<float>(v.vertices);
    const float own = v.logit[vertex], other = v.other_logit[vertex];
    const float score = gpu::Sigmoid(own);
    v.loss[vertex] = share * (Softplus(-own) + Softplus(other));
    float gradient = share * (score - 1.0f);
    if (v.score_gradient != nullptr)
      gradient = gpu::Fma(v.score_gradient[vertex], score * (1.0f - score), gradient);
    v.d_logit[vertex] = gradient;
    v.d_other_logit[vertex] = share * gpu::Sigmoid(other);
  }
};

struct QueryGradient {
  InfomaxView v;
  WEFT_HD void operator()(std::int64_t i) const {
    const std::int64_t vertex = i / kInfomaxWidth, column = i % kInfomaxWidth;
    const float other = v.code[v.other[vertex] * kInfomaxWidth + column];
    v.d_query[i] = gpu::Fma(v.d_other_logit[vertex], other, v.d_logit[vertex] * v.code[i]);
  }
};

struct SummaryGradient {
  InfomaxView v;
  WEFT_HD void operator()(std::int64_t i) const {
    v.d_summary[i] = v.d_summary[i] * (v.summary[i] * (1.0f - v.summary[i]));
  }
};

struct CodeGradient {
  InfomaxView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t vertex) const {
    const InfomaxView view = v;
    const std::int64_t first = vertex * kInfomaxWidth;
    const std::int64_t stands_in_for = view.other_of[vertex];
    const float d_own = view.d_logit[vertex], d_other = view.d_other_logit[stands_in_for];
    const float slope = *view.slope;
    const auto d_code = [=](std::int64_t k) {
      const std::int64_t i = first + k;
      float gradient = d_own * view.query[i];
      gradient = gpu::Fma(d_other, view.query[stands_in_for * kInfomaxWidth + k], gradient);
      return gradient + (IsKept(view, i) ? view.d_dropped[i] / view.kept : 0.0f);
    };
    tile.Each(kInfomaxWidth, [=](std::int64_t k) {
      view.d_before[first + k] = d_code(k) * (view.before[first + k] > 0.0f ? 1.0f : slope);
    });
    const float sum = tile.Sum(kInfomaxWidth, [=](std::int64_t k) {
      const float x = view.before[first + k];
      return x > 0.0f ? 0.0f : d_code(k) * x;
    });
    tile.Once([&] { view.d_slope[vertex] = sum; });
  }
};

struct Scores {
  const float* logit;
  float* score;
  WEFT_HD void operator()(std::int64_t i) const { score[i] = gpu::Sigmoid(logit[i]); }
};

}  // namespace

template <class E>
void InfomaxCodeOn(const E& exec, const InfomaxView& view) {
  gpu::ForEachIndex(exec, view.vertices * kInfomaxWidth, Code{view});
}
template <class E>
void InfomaxGatherOn(const E& exec, const InfomaxView& view, const float* from, float* to) {
  gpu::ForEachIndex(exec, view.vertices * kInfomaxWidth, Gather{view, from, to});
}
template <class E>
void InfomaxSquashOn(const E& exec, std::int64_t count, float* values) {
  gpu::ForEachIndex(exec, count, Squash{values});
}
template <class E>
void InfomaxLogitsOn(const E& exec, const InfomaxView& view, bool others) {
  gpu::ForEachTile(exec, view.vertices, Logits{view, others});
}
template <class E>
void InfomaxLossOn(const E& exec, const InfomaxView& view) {
  gpu::ForEachIndex(exec, view.vertices, Loss{view});
  gpu::ForEachIndex(exec, view.vertices * kInfomaxWidth, QueryGradient{view});
}
template <class E>
void InfomaxSummaryGradientOn(const E& exec, const InfomaxView& view) {
  gpu::ForEachIndex(exec, view.vertices * kInfomaxWidth, SummaryGradient{view});
}
template <class E>
void InfomaxCodeGradientOn(const E& exec, const InfomaxView& view) {
  gpu::ForEachTile(exec, view.vertices, CodeGradient{view});
}
template <class E>
void InfomaxScoresOn(const E& exec, std::int64_t count, const float* logit, float* score) {
  gpu::ForEachIndex(exec, count, Scores{logit, score});
}

template void InfomaxCodeOn(const gpu::BuildExec&, const InfomaxView&);
template void InfomaxGatherOn(const gpu::BuildExec&, const InfomaxView&, const float*, float*);
template void InfomaxSquashOn(const gpu::BuildExec&, std::int64_t, float*);
template void InfomaxLogitsOn(const gpu::BuildExec&, const InfomaxView&, bool);
template void InfomaxLossOn(const gpu::BuildExec&, const InfomaxView&);
template void InfomaxSummaryGradientOn(const gpu::BuildExec&, const InfomaxView&);
template void InfomaxCodeGradientOn(const gpu::BuildExec&, const InfomaxView&);
template void InfomaxScoresOn(const gpu::BuildExec&, std::int64_t, const float*, float*);

}  // namespace weft::operators::learn
