import assert from "node:assert/strict"
import test from "node:test"
import type { CauseId } from "./causes/index.ts"
import type { Finding } from "./cause.ts"
import { combine } from "./combine.ts"
import { find } from "./find.ts"
import { type ProbeReport, STAGES, type Stage } from "./probe-report.ts"
import { readScrapeError } from "./read-error.ts"

const began = new Date("2026-11-30T14:00:00Z")
const later = new Date("2026-11-30T14:00:05Z")
const earlier = new Date("2026-11-30T13:59:55Z")

/** As a probe that failed at a stage, or passed. */
function report(findings: readonly Finding[], failed?: Stage, at = later): ProbeReport {
  const end = failed === undefined ? STAGES.length : STAGES.indexOf(failed)
  const outcome = (index: number) => (index < end ? "passed" : index === end ? "failed" : "not_reached")
  return { site: "site-a", at, findings, stages: STAGES.map((stage, index) => ({ stage, outcome: outcome(index) })) }
}

function said(text: string): Finding {
  const { cause, details } = readScrapeError(text, { url: "https://site-a.example.org", timeout: 30 })
  return find(cause, details)
}
const GET = 'Get "https://site-a.example.org:443/federate": '

test("without a probe, or with one from before the failure, Prometheus' words decide", () => {
  const refused = said(`${GET}dial tcp 192.0.2.14:443: connect: connection refused`)
  assert.equal(combine(refused, undefined, began), refused)
  assert.equal(combine(refused, report([], undefined, earlier), began), refused)
  assert.equal(combine(refused, report([find("name_not_found")], "name", earlier), began), refused)
})

test("of a cause that both give, the details of both are shown", () => {
  const seen = find("forbidden", { selector: "up", allowed: '{job="project_usages"}' })
  const { reason, details } = combine(
    said("server returned HTTP status 403 Forbidden"),
    report([seen], "selectors"),
    began,
  )
  assert.equal(reason, 'The site does not share up with this portal (403). It shares {job="project_usages"}.')
  assert.deepEqual(details, seen.details)
})

test("the probe says where a scrape waited in vain, and what Prometheus' text leaves open", () => {
  const timeout = said(`${GET}context deadline exceeded`)
  const seen = find("no_answer", { stage: "connection", timeout: "5 s" })
  assert.equal(
    combine(timeout, report([seen], "connection"), began).reason,
    "The site did not respond within 30 s: no connection was established.",
  )
  const name = find("resolver_failed", { resolver: "192.0.2.53" })
  assert.equal(combine(timeout, report([name], "name"), began), name)
  const line = find("broken", { line_no: "3" })
  assert.equal(combine(said('"INVALID" is not a valid start token'), report([line], "exposition"), began), line)
})

test("of two causes at the same stage the probe's is more exact", () => {
  const seen = find("tls_client_cert")
  const handshake = said(`${GET}remote error: tls: handshake failure`)
  assert.equal(combine(handshake, report([seen], "tls"), began), seen)
})

test("where Prometheus gets further, or not as far as the probe, its scrape is what counts", () => {
  const unauthorized = said("server returned HTTP status 401 Unauthorized")
  assert.equal(combine(unauthorized, report([find("name_not_found")], "name"), began), unauthorized)
  const name = said(`${GET}dial tcp: lookup site-a.example.org on 127.0.0.1:53: no such host`)
  assert.equal(combine(name, report([find("unauthorized")], "token"), began), name)
})

test("where the probe gets through, Prometheus alone fails", () => {
  const { cause, reason, todo } = combine(
    said(`${GET}dial tcp 192.0.2.14:443: connect: connection refused`),
    report([]),
    began,
  )
  assert.equal(cause.id, "prometheus_alone")
  assert.equal(
    reason,
    "The portal itself can request the site, Prometheus alone fails: nothing listens on 192.0.2.14:443.",
  )
  assert.match(todo, /^Compare the name server, the proxy variables/)
})

test("where only Prometheus' token is refused, it probably sends an earlier one", () => {
  const { cause, todo } = combine(said("server returned HTTP status 401 Unauthorized"), report([]), began)
  assert.equal(cause.id, "prometheus_alone")
  assert.match(todo, /^Prometheus probably sends an earlier token: restart it/)
})

test("what is found besides does not explain a failure", () => {
  const besides = (["silent_stale", "certificate_expires", "nearly_too_slow", "address_dead"] as const).map((id) =>
    find(id),
  )
  const refused = said(`${GET}dial tcp 192.0.2.14:443: connect: connection refused`)
  assert.equal(combine(refused, report(besides), began).cause.id, "prometheus_alone")
  assert.equal(combine(refused, report(besides, "freshness"), began).cause.id, "prometheus_alone")
  const timeout = said("context deadline exceeded")
  assert.equal(combine(timeout, report(besides), began), timeout)
})

test("a probe that passes does not disprove what it cannot see", () => {
  const beyond: readonly CauseId[] = ["fds", "portal_file", "too_many_bytes", "too_many_series", "label_limit", "cut"]
  const unseen: readonly CauseId[] = ["broken", "rate_limited", "upstream_down", "not_scraped", "token_endpoint_hangs"]
  for (const id of [...beyond, ...unseen]) {
    const finding = find(id)
    assert.equal(combine(finding, report([]), began), finding, id)
  }
  const withinBody = said("read tcp 192.0.2.1:4242->192.0.2.14:443: read: connection reset by peer")
  assert.equal(combine(withinBody, report([]), began), withinBody)
})

test("what a probe cannot say exactly, such as that it lost patience, does not decide", () => {
  const lengths = said(
    `${GET}net/http: HTTP/1.x transport connection broken: http: message cannot contain multiple Content-Length headers`,
  )
  assert.equal(combine(lengths, report([find("cut")], "response"), began), lengths)
  const reset = said(`${GET}read tcp 192.0.2.1:4242->192.0.2.14:443: read: connection reset by peer`)
  assert.equal(combine(reset, report([find("no_answer", { stage: "headers" })], "response"), began), reset)
  const unknown = said("something new")
  const seen = find("hung_up")
  assert.equal(combine(unknown, report([seen], "response"), began), seen)
})

test("a probe that failed for a reason that is not known does not decide", () => {
  const timeout = said(`${GET}context deadline exceeded`)
  assert.equal(combine(timeout, report([find("other")], "tls"), began), timeout)
})

test("a probe that did not get to the response, or was cut off, disproves nothing", () => {
  const refused = said(`${GET}dial tcp 192.0.2.14:443: connect: connection refused`)
  assert.equal(combine(refused, report([], "tls"), began), refused)
  assert.equal(combine(refused, report([find("other", { text: "the probe was stopped" })], "tls"), began), refused)
  const nothing = { ...report([]), stages: STAGES.map((stage) => ({ stage, outcome: "not_reached" }) as const) }
  assert.equal(combine(refused, nothing, began), refused)
})

test("a name that leads to the machine itself decides, whatever responds there", () => {
  const local = find("address_not_allowed", { address: "169.254.169.254" })
  for (const text of [
    `${GET}dial tcp 169.254.169.254:443: connect: connection refused`,
    "server returned HTTP status 404",
  ])
    assert.equal(combine(said(text), report([local], "name"), began), local)
})
