import assert from "node:assert/strict"
import test from "node:test"
import { clause, placeholders } from "../sentence.ts"
import { find, todoAtSite } from "../find.ts"
import { ATTENTION } from "./attention.ts"
import { EXPOSITION } from "./exposition.ts"
import { HTTP } from "./http.ts"
import { CAUSES, type CauseId, entryOf, ENTRIES, isCauseId } from "./index.ts"
import { LIMITS } from "./limits.ts"
import { NETWORK } from "./network.ts"
import { PORTAL } from "./portal.ts"
import { PUSH } from "./push.ts"
import { SILENT } from "./silent.ts"
import { TLS } from "./tls.ts"
import { TOKENS } from "./tokens.ts"

const ids = ENTRIES.map(({ id }) => id).filter(isCauseId)

/** All that a cause has to be shown. */
function textsOf(id: CauseId, details: Readonly<Record<string, string>>): readonly string[] {
  const finding = find(id, details)
  const atSite = todoAtSite(finding)
  return [finding.reason, finding.todo, ...(atSite === undefined ? [] : [atSite])]
}

test("no cause stands in two files", () => {
  const files = [NETWORK, TLS, TOKENS, HTTP, EXPOSITION, LIMITS, SILENT, PUSH, PORTAL, ATTENTION]
  const all = files.flatMap((file) => Object.keys(file))
  assert.equal(all.length, new Set(all).size)
  assert.deepEqual(ids.toSorted(), all.toSorted())
})

test("an id is for URLs and metrics, a title for a chip", () => {
  for (const { id, title } of ENTRIES) {
    assert.match(id, /^[a-z][a-z0-9_]{2,30}$/)
    assert.match(title, /^[A-Za-z0-9/', ]{3,36}$/, id)
  }
  assert.equal(new Set(ENTRIES.map(({ title }) => title)).size, ENTRIES.length)
})

test("every sentence ends, and reads well with and without its details", () => {
  for (const id of ids)
    for (const [details, leftOver] of [
      [{}, /[[\]{}|]/],
      [entryOf(id).example, /\{\w+\||\[ | \]/],
    ] as const)
      for (const text of textsOf(id, details)) {
        assert.match(text, /^[A-Z0-9].*\.$/, id)
        assert.doesNotMatch(text, leftOver, id)
        assert.doesNotMatch(text, /undefined|\.\.| [,.;:)]|\( | {2}/, id)
      }
})

test("a placeholder has a fallback or stands in what can be left out", () => {
  const missing = ENTRIES.flatMap(({ id, sentence, todo, todoAtSite: atSite = "" }) =>
    placeholders(`${sentence} ${todo} ${atSite}`)
      .filter(({ needed }) => needed)
      .map(({ name }) => `${id}: ${name}`),
  )
  assert.deepEqual(missing, [])
})

test("an example fills every placeholder that has no fallback, and no others", () => {
  for (const id of ids) {
    const { sentence, todo, todoAtSite: atSite = "", example, derive } = entryOf(id)
    const text = `${sentence} ${todo} ${atSite}`
    const names = placeholders(text).map(({ name }) => name)
    const given = find(id, example).details
    const fallback = (name: string): boolean => text.includes(`{${name}|`)
    assert.deepEqual(
      names.filter((name) => !fallback(name) && !Object.hasOwn(given, name)),
      [],
      id,
    )
    if (derive !== undefined) continue
    assert.deepEqual(
      Object.keys(example).filter((name) => !names.includes(name)),
      [],
      id,
    )
  }
})

test("every cause is recognised by a text or says how else", () => {
  const unseen = ENTRIES.filter(({ texts = [], seenBy }) => texts.length === 0 && seenBy === undefined)
  assert.deepEqual(unseen, [])
})

test("sentences use the field's words", () => {
  const forbidden = /\b(answers?|answered|can't|don't|won't|somebody|nobody|torn|odd|told|tells?|questions?)\b/i
  for (const { id, title, sentence, todo, todoAtSite: atSite, atPortal } of ENTRIES)
    assert.doesNotMatch(
      [title, sentence, todo, atSite, atPortal?.sentence, atPortal?.todo]
        .join(" ")
        .replace(/answer_\w+|tell its admin/g, ""),
      forbidden,
      id,
    )
})

test("what is wrong at the portal continues a sentence, and what to do is one", () => {
  for (const { id, atPortal } of ENTRIES) {
    if (atPortal === undefined) continue
    assert.match(atPortal.sentence, /^[a-zP][^.{}[\]]+$/, id)
    assert.match(atPortal.todo, /^[A-Z][^{}[\]]+\.$/, id)
  }
})

test("who runs the site is not sent to the site's admin, nor to files of the portal", () => {
  /** What only the portal can put right, or sees only there. */
  const ofPortal: readonly string[] = [
    ...Object.keys({ ...PORTAL, ...PUSH, ...TOKENS }),
    ...["too_many_targets", "silent_dropped", "one_scrape_failed", "waiting"],
  ]
  const without = ENTRIES.filter(({ todoAtSite: atSite }) => atSite === undefined).map(({ id }) => id)
  assert.deepEqual(without.toSorted(), ofPortal.toSorted())
  const words = ENTRIES.flatMap(({ todoAtSite: atSite = "" }) => atSite)
  const advice = ["name", "connection", "tls", "headers", "body"].map((stage) =>
    todoAtSite(find("no_answer", { stage })),
  )
  for (const text of [...words, ...advice])
    assert.doesNotMatch(text ?? "", /site's admin|its admin|ask them|sites\.yaml|\btls\.|limits\.|check sites/)
})

test("the ids that are promised are there", () => {
  const promised: readonly CauseId[] = ["name_not_found", "refused", "tls_expired", "unauthorized", "forbidden"]
  for (const id of promised) assert.equal(CAUSES[id].id, id)
})

test("a sentence can stand within another one", () => {
  assert.equal(clause("Nothing listens on 192.0.2.14:443."), "nothing listens on 192.0.2.14:443")
  assert.equal(clause("HTTP fails."), "HTTP fails")
})
