import { answerTooLarge, tooManySeries } from "../errors.ts"
import { type Accepted, acceptAnswer } from "./answer.ts"
import type { Receiver } from "./get.ts"
import { type Inspection, inspect } from "./inspect.ts"
import type { Question } from "./question.ts"

/** Where an answer goes while it comes. */
export interface Sink {
  begin(answer: Accepted): void
  /** Throws where there is no room for it. */
  add(chunk: Buffer): void
  /** So far; it only grows. */
  setSeries(series: number): void
}

export interface Intake extends Receiver {
  /** Whether some of the body went to the sink. */
  readonly begun: boolean
  /** Rejects where the answer is not whole and good. */
  end(): Promise<void>
  close(): void
}

/** Judges an answer while it comes, and passes on what is good so far. */
export function takeIn(question: Question, sink: Sink): Intake {
  const { target } = question
  let inspection: Inspection | undefined
  let problem: Error | undefined
  let bytes = 0
  return {
    get begun() {
      return bytes > 0
    },
    start(status, headers) {
      const accepted = acceptAnswer(status, headers, question)
      const opened = inspect(accepted, (found) => {
        problem ??= found
        sink.setSeries(opened.series)
        if (opened.series > target.series) problem ??= tooManySeries({ limit: target.series })
      })
      inspection = opened
      sink.begin(accepted)
    },
    data(chunk) {
      if (bytes + chunk.length > target.bytes) throw answerTooLarge({ limit: target.bytes })
      inspection?.add(chunk)
      if (problem !== undefined) throw problem
      bytes += chunk.length
      sink.add(chunk)
    },
    async end() {
      await inspection?.end()
      if (problem !== undefined) throw problem
    },
    close: () => inspection?.close(),
  }
}
