// What the kernels of RelationalNetwork see (relational_network_kernels.cc).
#pragma once

#include <cstdint>

namespace weft::operators::learn {

inline constexpr std::int64_t kRelationalWidth = 48;

// Edges of every kind of a graph, plain pointers, borrowed. Vertex v has the neighbours of kind r
// at places begin[r * (vertices + 1) + v] and behind.
struct RelationalEdges {
  std::int64_t vertices;
  std::int64_t relations;
  const std::int32_t* begin;
  const std::uint32_t* neighbor;
  const std::int32_t* reverse;  // [relations], the kind of the same edges from the other end
};

// to[v] = from[v], then for each relation the mean of from over v's neighbours, 0 without any:
// [vertices x (relations + 1) x width].
template <class E>
void SpreadOn(const E& exec, const RelationalEdges& edges, std::int64_t width, const float* from,
              float* to);
// The derivative of that: from [vertices x (relations + 1) x width] to [vertices x width].
template <class E>
void CollectOn(const E& exec, const RelationalEdges& edges, std::int64_t width, const float* from,
               float* to);

// Vertices of group g are [begin[g], begin[g + 1]); row = groups / groups_of_row, and a row has for
// each of its groups the mean and then the largest of each number of its vertices, 0 without any.
struct GroupReadout {
  std::int64_t groups;
  std::int64_t groups_of_row;
  std::int64_t row_stride;
  const std::int32_t* begin;  // [groups + 1]
  const float* vertices;      // [vertices x width]
  float* rows;                // [rows x row_stride]
  std::int32_t* largest;      // [groups x width], which vertex has it
  const std::int32_t* group;  // [vertices], of each vertex
  const float* d_rows;        // [rows x row_stride]
  float* d_vertices;          // [vertices x width]
  std::int64_t vertex_count;
};
template <class E>
void ReadoutOn(const E& exec, const GroupReadout& readout);  // rows, largest
template <class E>
void ReadoutGradientOn(const E& exec, const GroupReadout& readout);  // d_vertices

}  // namespace weft::operators::learn
