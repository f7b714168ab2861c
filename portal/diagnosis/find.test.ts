import assert from "node:assert/strict"
import test from "node:test"
import { CAUSES, ENTRIES, isCauseId } from "./causes/index.ts"
import { find } from "./find.ts"
import { placeholders } from "./sentence.ts"

test("a finding says what is wrong and what to do, with all details", () => {
  const { reason, todo } = find("name_not_found", { host: "site-a.example.org", line: "12" })
  assert.equal(reason, "The name site-a.example.org does not exist.")
  assert.equal(todo, "Check url in sites.yaml, line 12; if it is right, ask the site's admin about its DNS.")
})

test("a finding reads well without details", () => {
  const { reason, todo } = find("name_not_found")
  assert.equal(reason, "The name does not exist.")
  assert.equal(todo, "Check url in sites.yaml; if it is right, ask the site's admin about its DNS.")
})

test("details follow from others: where a scrape waited in vain, and how far a clock is off", () => {
  const { reason, todo } = find("no_answer", { timeout: "30 s", stage: "body" })
  assert.equal(reason, "The site did not respond within 30 s: the response began, but did not end.")
  assert.match(todo, /^The response is too much for the line/)
  assert.match(find("silent_clock", { skew: "660" }).reason, /clock is 11 min ahead:/)
  assert.match(find("silent_clock", { skew: "-3600.4" }).reason, /clock is 1 h behind:/)
  assert.match(find("silent_clock", { skew: "soon" }).reason, /clock is ahead or behind:/)
  assert.match(find("no_answer", { stage: "constructor" }).reason, /within its timeout: constructor\.$/)
})

test("a detail is text, whatever it holds", () => {
  const selector = "[ {host|x}] {allowed} $& $1 \u202e\u0000<b>"
  const { reason } = find("forbidden", { selector, allowed: "__proto__" })
  assert.equal(
    reason,
    "The site does not share [ {host|x}] {allowed} $& $1 <b> with this portal (403). It shares __proto__.",
  )
  assert.equal(find("name_not_found", { host: "\u0007 \u200b" }).reason, "The name does not exist.")
})

test("no sentence is longer than 2 kB, nor a detail than 300 bytes", () => {
  for (const id of ENTRIES.map((cause) => cause.id).filter(isCauseId)) {
    const names = placeholders(`${CAUSES[id].sentence} ${CAUSES[id].todo}`).map(({ name }) => name)
    const { reason, todo, details } = find(id, Object.fromEntries(names.map((name) => [name, "ä\n".repeat(50_000)])))
    for (const text of [reason, todo]) assert.ok(Buffer.byteLength(text) <= 2_048, id)
    for (const value of Object.values(details)) assert.ok(Buffer.byteLength(value) <= 300, id)
  }
})
