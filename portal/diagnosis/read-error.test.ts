import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import fc from "fast-check"
import type { CauseId } from "./causes/index.ts"
import { find } from "./find.ts"
import { readScrapeError } from "./read-error.ts"
import { GO_TEXTS, PROMETHEUS_TEXTS } from "./read-error.testing.ts"

interface Row {
  readonly id: string
  readonly version: string
  readonly health: string
  readonly text: string
  readonly cause: CauseId
}

const file = join(import.meta.dirname, "testdata/scrape-errors.json")
const rows = JSON.parse(readFileSync(file, "utf8")) as readonly Row[]
const SITE = "https://site-a.example.org"

/** Prometheus 2.42 says the same of HTML and of one invalid line; a probe distinguishes them. */
const OF_2_42 = '"INVALID" is not a valid start token'

/** The row's own site, but where it was redirected to another. */
function siteOf({ text, cause }: Row): string {
  const requested = /^Get "?([^"\s]+?)"?: /.exec(text)?.[1]
  return requested === undefined || cause === "redirect" ? SITE : new URL(requested).origin
}

test("every text that Prometheus 2.42, 2.53 and 3.5 gave has its cause", () => {
  const failing = rows.filter(({ health }) => health === "down")
  const wrong = failing.flatMap((row) => {
    const { cause } = readScrapeError(row.text, { url: siteOf(row) })
    const expected = row.text === OF_2_42 ? "not_metrics" : row.cause
    return cause === expected ? [] : [`${row.id} (${row.version}): ${cause} instead of ${expected}`]
  })
  assert.deepEqual(wrong, [])
  assert.equal(failing.length, 136)
})

test("where Prometheus reports no failure there is no text to read", () => {
  const silent = rows.filter(({ health }) => health !== "down").map(({ text, cause }) => [text, cause])
  assert.deepEqual(silent, [
    ["", "token_endpoint_hangs"],
    ["", "silent_empty"],
    ["", "silent_clock"],
    ["", "silent_clock"],
    ["", "silent_duplicate"],
  ])
  assert.deepEqual(readScrapeError(""), { cause: "other", details: {} })
})

test("texts in the sources of Prometheus and Go that were not seen have their cause, too", () => {
  const all = [
    ...GO_TEXTS.map(([cause, text]) => [cause, `Get "${SITE}/federate": ${text}`] as const),
    ...PROMETHEUS_TEXTS,
  ]
  const wrong = all.flatMap(([expected, text]) => {
    const { cause } = readScrapeError(text, { url: SITE })
    return cause === expected ? [] : [`${text}: ${cause} instead of ${expected}`]
  })
  assert.deepEqual(wrong, [])
})

test("an error has the details that its text and sites.yaml give", () => {
  const context = {
    url: "https://site-a.example.org:8443/monitoring/",
    line: 12,
    timeout: 30,
    responseBytes: 268_435_456,
    series: 1_000_000,
    proxy: "http://proxy.example.org:3128",
    at: new Date("2026-11-30T14:07:31Z"),
  }
  const get = 'Get "https://site-a.example.org:8443/monitoring/federate?match%5B%5D=%7Bjob%3D%22a%22%7D": '
  const read = (text: string): string => {
    const { cause, details } = readScrapeError(text, context)
    return find(cause, details).reason
  }
  assert.deepEqual(
    [
      read(`${get}dial tcp: lookup site-a.example.org on [2001:db8::53]:53: server misbehaving`),
      read(`${get}dial tcp [2001:db8::1]:8443: connect: network is unreachable`),
      read(
        `${get}tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-30T14:07:22Z is after 2026-11-27T10:00:00Z`,
      ),
      read(`${get}tls: failed to verify certificate: x509: certificate is valid for a, not b, not site-a.example.org`),
      read(`${get}dial tcp 192.0.2.14:8443: i/o timeout`),
      read(`${get}proxyconnect tcp: dial tcp 192.0.2.3:3128: connect: connection refused`),
      read("body size limit exceeded"),
      read("sample limit exceeded"),
      read("context deadline exceeded"),
      read("server returned HTTP status 404 Not Found"),
      read('expected value after metric, got "\\n" ("INVALID") while parsing: "up{job=\\"a\\\\b\\"}\\n"'),
      read("something new"),
    ],
    [
      "The portal's name server [2001:db8::53]:53 gives no usable response for site-a.example.org.",
      "There is no route from the portal to [2001:db8::1]:8443.",
      "The site's certificate expired 3 days ago (27 Nov 2026, 10:00:00 UTC).",
      "The site's certificate is for a, not b, not for site-a.example.org.",
      "The site did not respond within 30 s: no connection was established.",
      "The forward proxy http://proxy.example.org:3128 cannot be used: dial tcp 192.0.2.3:3128: connect: connection refused.",
      "The response is larger than the 256 MiB allowed for a site.",
      "The response has more series than the 1,000,000 allowed for a site.",
      "The site did not respond within 30 s: the response began, but did not end.",
      "There is no federation at https://site-a.example.org:8443/monitoring/federate (404 Not Found).",
      'A line of the response is no valid metric: up{job="a\\b"}.',
      "The scrape failed in the middle of the response for a reason that is not known here: something new.",
    ],
  )
})

test("a URL does not decide, however long and whatever it holds", () => {
  const query = encodeURIComponent('{job="x509: certificate signed by unknown authority"}').replaceAll("%20", " ")
  const url = `${SITE}:443/federate?match[]=connection refused&match[]=\\"EOF\\": EOF&${`match[]=${query}&`.repeat(2_000)}`
  const refused = "dial tcp 192.0.2.14:443: connect: no route to host"
  assert.equal(readScrapeError(`Get "${url}": ${refused}`, { url: SITE }).cause, "no_route")
  assert.equal(readScrapeError(`Get ${SITE}/metrics: ${refused}`, { url: SITE }).cause, "no_route")
})

test("a request that was led to another scheme, host or port is a redirect", () => {
  const read = (url: string) => readScrapeError(`Get "${url}": EOF`, { url: SITE })
  assert.deepEqual(read("https://sso.example.org/login?token=x"), {
    cause: "redirect",
    details: { location: "https://sso.example.org/login" },
  })
  assert.equal(read("http://site-a.example.org/federate").cause, "redirect")
  assert.equal(read("https://site-a.example.org:8443/federate").cause, "redirect")
  assert.equal(read("https://site-a.example.org:443/federate").cause, "hung_up")
  assert.equal(read("https://SITE-A.example.org/federate").cause, "hung_up")
  assert.equal(read(":nonsense").cause, "hung_up")
})

test("what a site sends cannot pass as another cause", () => {
  const lies = "x509: certificate has expired or is not yet valid: too many open files: no such host"
  const texts: readonly (readonly [CauseId, string])[] = [
    ["forbidden", `server returned HTTP status 403 ${lies}`],
    ["broken", `expected value after metric, got "${lies}" ("INVALID") while parsing: "${lies}"`],
    ["broken", `invalid metric type "${lies}"`],
    ["broken", `strconv.ParseFloat: parsing "${lies}": invalid syntax`],
    ["label_limit", `label_value_length_limit exceeded (metric: ${lies}, label name: a, value: "${lies}")`],
    ["bad_labels", `label name "${lies}" is not unique: invalid sample`],
    [
      "no_type",
      `received unsupported Content-Type "application/${lies}" and no fallback_scrape_protocol specified for target`,
    ],
    [
      "not_http",
      `Get "${SITE}/federate": net/http: HTTP/1.x transport connection broken: malformed HTTP response "${lies}"`,
    ],
    ["tls_wrong_name", `Get "${SITE}/federate": x509: certificate is valid for ${lies}, not site-a.example.org`],
    ["token_endpoint", `Get "${SITE}/federate": oauth2: cannot fetch token: 400 Bad Request\nResponse: ${lies}`],
  ]
  for (const [cause, text] of texts) assert.equal(readScrapeError(text, { url: SITE }).cause, cause, text)
})

test("fragments count in their order, and what begins a text only there", () => {
  const read = (text: string) => readScrapeError(text, { url: SITE }).cause
  assert.equal(read("x509: a, not b: certificate is valid for c"), "tls_unknown_ca")
  assert.equal(read("the site expected a unit"), "other")
  assert.equal(read("Not Forbidden"), "other")
})

test("any text has a cause and few clean details", () => {
  const fragments = [...GO_TEXTS, ...PROMETHEUS_TEXTS].map(([, text]) => text)
  const piece = fc.oneof(
    fc.constantFrom(...fragments, 'Get "', '": ', "\\", "\u202e<script>"),
    fc.string({ unit: "binary" }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const { cause, details } = readScrapeError(pieces.join(""), { url: SITE, line: 12, timeout: 30 })
      const { reason, todo } = find(cause, details)
      for (const text of [...Object.values(details), reason, todo])
        assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      assert.ok(Buffer.byteLength(JSON.stringify(details)) <= 2_048)
      for (const text of [reason, todo]) assert.ok(Buffer.byteLength(text) <= 2_048)
    }),
  )
})

test("a long text costs no more than its length", { timeout: 60_000 }, () => {
  const hostile = [
    'Get "',
    '\\"',
    "lookup ",
    ", not ",
    "certificate is valid for ",
    " on ",
    "(metric: ",
    "\u202e",
    "x509: ",
  ]
  for (const part of hostile) {
    const { details } = readScrapeError(`${part}${part.repeat(4_000_000 / part.length)}`, { url: SITE })
    assert.ok(Buffer.byteLength(JSON.stringify(details)) <= 2_048) // at the cost of a square it would take hours
  }
})
