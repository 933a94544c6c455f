#include "operators/link/online_evaluation.h"

#include <algorithm>

#include "operators/learn/process_cost.h"

namespace weft::operators::link {
namespace {

constexpr std::int64_t kFirst = 20;  // the first 1 / kFirst of the events

}  // namespace

OnlineResult EvaluateOnline(LinkModel& model, const LinkPart& whole, const TimeSplit& split,
                            const QuestionDraws& draws, const OnlineOptions& options) {
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    LinkPart piece = whole;
    piece.begin = begin;
    piece.end = end;
    return piece;
  };
  // Between two times.
  const std::int64_t first_end =
      std::min(split.test,
               LinkStepEnd(*whole.events, 0, split.test,
                           static_cast<std::int32_t>(std::max<std::int64_t>(1, split.end / kFirst)),
                           LinkReads::kBeforeTime));
  QuestionOptions questions{
      .seed = options.seed, .batch = options.batch, .ranked_events = 0, .learn = true};
  OnlineResult result;
  result.figures.first = AskQuestions(model, part(0, first_end), draws, questions);

  questions.ask = false;
  const double begin_seconds = learn::ProcessCpuSeconds();
  AskQuestions(model, part(first_end, split.test), draws, questions);
  result.cpu_seconds = learn::ProcessCpuSeconds() - begin_seconds;
  result.events = split.test - first_end;

  questions.ask = true;
  questions.ranked_events = options.ranked_events;
  result.figures.questions = AskQuestions(model, part(split.test, split.end), draws, questions);
  result.figures.whole = result.figures.questions.random;
  result.figures.reliability = result.figures.questions.reliability;
  return result;
}

}  // namespace weft::operators::link
