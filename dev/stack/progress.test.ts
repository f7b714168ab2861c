import assert from "node:assert/strict"
import { test } from "node:test"
import { createProgress, type Progress } from "./progress.ts"

function record(terminal: { isTTY?: boolean; columns?: number }, act: (progress: Progress) => void): string {
  let written = ""
  const progress = createProgress({ ...terminal, write: (text) => (written += text) }, () => 7)
  act(progress)
  progress.end()
  return written
}

test("writes one line over and over on a terminal", () => {
  const written = record({ isTTY: true, columns: 0 }, (progress) => {
    progress.update("one")
    progress.update("two")
    progress.say("done")
  })
  assert.equal(written, "\r\u001B[K7 s  one\r\u001B[K7 s  two\r\u001B[Kdone\n")
})

test("keeps the line on the terminal's width", () => {
  const written = record({ isTTY: true, columns: 10 }, (progress) => progress.update("much too long"))
  assert.equal(written, "\r\u001B[K7 s  much")
})

test("writes a line for each change elsewhere", () => {
  const written = record({}, (progress) => {
    progress.update("one")
    progress.update("one")
    progress.update("two")
    progress.say("done")
  })
  assert.equal(written, "one\ntwo\ndone\n")
})
