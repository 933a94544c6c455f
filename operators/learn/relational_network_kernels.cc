// Bodies of RelationalNetwork; dense algebra stands between them.
#include "operators/learn/relational_network_kernels.h"

#include "gpu/host_device.h"
#include "gpu/launch.h"

namespace weft::operators::learn {
namespace {

struct Spread {
  RelationalEdges edges;
  std::int64_t width;
  const float* from;
  float* to;
  WEFT_HD void operator()(std::int64_t i) const {
    const std::int64_t column = i % width, block = i / width % (edges.relations + 1);
    const std::int64_t vertex = i / width / (edges.relations + 1);
    if (block == 0) {
      to[i] = from[vertex * width + column];
      return;
    }
    const std::int32_t* begin = edges.begin + (block - 1) * (edges.vertices + 1) + vertex;
    float sum = 0.0f;
    for (std::int32_t e = begin[0]; e < begin[1]; ++e)
      sum = sum + from[edges.neighbor[e] * width + column];
    to[i] = begin[1] > begin[0] ? sum / static_cast<float>(begin[1] - begin[0]) : 0.0f;
  }
};

struct Collect {
  RelationalEdges edges;
  std::int64_t width;
  const float* from;
  float* to;
  WEFT_HD void operator()(std::int64_t i) const {
    const std::int64_t column = i % width, vertex = i / width;
    const std::int64_t blocks = edges.relations + 1;
    float sum = from[vertex * blocks * width + column];
    for (std::int64_t r = 0; r < edges.relations; ++r) {
      const std::int32_t* begin = edges.begin + edges.reverse[r] * (edges.vertices + 1) + vertex;
      const std::int32_t* degree = edges.begin + r * (edges.vertices + 1);
      for (std::int32_t e = begin[0]; e < begin[1]; ++e) {
        const std::int64_t other = edges.neighbor[e];
        const auto count = static_cast<float>(degree[other + 1] - degree[other]);
        sum = sum + from[(other * blocks + r + 1) * width + column] / count;
      }
    }
    to[i] = sum;
  }
};

struct Readout {
  GroupReadout r;
  WEFT_HD void operator()(std::int64_t i) const {
    constexpr std::int64_t kWidth = kRelationalWidth;
    const std::int64_t column = i % kWidth, group = i / kWidth;
    float sum = 0.0f, largest = 0.0f;
    std::int32_t place = -1;
    for (std::int32_t v = r.begin[group]; v < r.begin[group + 1]; ++v) {
      const float value = r.vertices[v * kWidth + column];
      sum = sum + value;
      if (place < 0 || value > largest) {
        largest = value;
        place = v;
      }
    }
    const std::int32_t count = r.begin[group + 1] - r.begin[group];
    float* row = r.rows + group / r.groups_of_row * r.row_stride +
                 group % r.groups_of_row * 2 * kWidth + column;
    row[0] = count > 0 ? sum / static_cast<float>(count) : 0.0f;
    row[kWidth] = largest;
    r.largest[i] = place;
  }
};

struct ReadoutGradient {
  GroupReadout r;
  WEFT_HD void operator()(std::int64_t i) const {
    constexpr std::int64_t kWidth = kRelationalWidth;
    const std::int64_t column = i % kWidth, vertex = i / kWidth;
    const std::int64_t group = r.group[vertex];
    const float* row = r.d_rows + group / r.groups_of_row * r.row_stride +
                       group % r.groups_of_row * 2 * kWidth + column;
    const auto count = static_cast<float>(r.begin[group + 1] - r.begin[group]);
    const float largest = r.largest[group * kWidth + column] == vertex ? row[kWidth] : 0.0f;
    r.d_vertices[i] = row[0] / count + largest;
  }
};

}  // namespace

template <class E>
void SpreadOn(const E& exec, const RelationalEdges& edges, std::int64_t width, const float* from,
              float* to) {
  gpu::ForEachIndex(exec, edges.vertices * (edges.relations + 1) * width,
                    Spread{edges, width, from, to});
}
template <class E>
void CollectOn(const E& exec, const RelationalEdges& edges, std::int64_t width, const float* from,
               float* to) {
  gpu::ForEachIndex(exec, edges.vertices * width, Collect{edges, width, from, to});
}
template <class E>
void ReadoutOn(const E& exec, const GroupReadout& readout) {
  gpu::ForEachIndex(exec, readout.groups * kRelationalWidth, Readout{readout});
}
template <class E>
void ReadoutGradientOn(const E& exec, const GroupReadout& readout) {
  gpu::ForEachIndex(exec, readout.vertex_count * kRelationalWidth, ReadoutGradient{readout});
}

template void SpreadOn(const gpu::BuildExec&, const RelationalEdges&, std::int64_t, const float*,
                       float*);
template void CollectOn(const gpu::BuildExec&, const RelationalEdges&, std::int64_t, const float*,
                        float*);
template void ReadoutOn(const gpu::BuildExec&, const GroupReadout&);
template void ReadoutGradientOn(const gpu::BuildExec&, const GroupReadout&);

}  // namespace weft::operators::learn
