import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import type { Socket } from "node:net"
import { test, type TestContext } from "node:test"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { listen } from "../../../dev/testing/listen.ts"
import { deliver, probed, targetOf } from "./testing.ts"

const NOW = new Date("2026-11-30T14:00:00Z")
const at = (secondsAgo: number): number => NOW.getTime() - secondsAgo * 1000

/** Response, exposition and freshness, and what was found, of a site that responds so. */
async function stages(t: TestContext, respond: RequestListener, keys = "", seconds = 5): Promise<readonly string[]> {
  const port = await listen(t, createServer(respond))
  const target = await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}${keys}`)
  const others = [target.site, { name: "site-b", labels: { location: "city-b" } }]
  const lines = await probed({ ...target, others }, { now: () => NOW, seconds })
  return lines.slice(5)
}

const exposition =
  (text: string, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) => {
    for (const [name, value] of Object.entries({ date: NOW.toUTCString(), ...headers })) response.setHeader(name, value)
    deliver(response, text)
  }
const raw =
  (headers: Readonly<Record<string, string>>, body: string | Buffer): RequestListener =>
  (_, response) => {
    response.sendDate = false
    response.writeHead(200, headers).end(body)
  }

const BROKEN_OFF = ["– exposition", "– freshness"]
const TEXT = { "content-type": "text/plain; version=0.0.4" }

for (const [name, respond, expected] of [
  [
    "samples that are new",
    exposition(`# HELP up x\n# TYPE up gauge\nup{job="a"} 1 ${at(4)}\nup{job="b"} 1 ${at(41)}\n`),
    ["✓ response 200, 84 B", "✓ exposition 2 samples", "✓ freshness newest 4 s old, oldest 41 s old"],
  ],
  [
    "samples without timestamps",
    exposition("up 1\n"),
    ["✓ response 200, 5 B", "✓ exposition 1 sample", "✓ freshness no timestamps: the moment of the scrape counts"],
  ],
  [
    "no series",
    exposition("# TYPE up gauge\n"),
    [
      "✓ response 200, 16 B",
      "✓ exposition 0 samples",
      "✕ freshness no series",
      "silent_empty: The site responds, but without any series.",
    ],
  ],
  [
    "samples that are ahead",
    exposition(`up 1 ${at(-3600)}\n`, { date: "Mon, 30 Nov 2026 15:00:00 GMT" }),
    [
      "✓ response 200, 19 B",
      "✓ exposition 1 sample",
      "✕ freshness newest 1 h ahead, oldest 1 h ahead",
      "silent_clock: The site's clock is 1 h ahead: Prometheus drops its samples without an error.",
    ],
  ],
  [
    "samples that are old by the portal's clock, and new by the site's",
    exposition(`up 1 ${at(3605)}\n`, { date: "Mon, 30 Nov 2026 13:00:00 GMT" }),
    [
      "✓ response 200, 19 B",
      "✓ exposition 1 sample",
      "✕ freshness newest 1 h old, oldest 1 h old",
      "silent_clock: The site's clock is 1 h behind: Prometheus drops its samples without an error.",
    ],
  ],
  [
    "samples that are old",
    exposition(`up 1 ${at(1561)}\nb 1 ${at(7200)}\n`),
    [
      "✓ response 200, 37 B",
      "✓ exposition 2 samples",
      "✕ freshness newest 26 min old, oldest 2 h old",
      "silent_stale: The site responds, but its newest sample is 26 min old (since 30 Nov 2026, 13:33:59 UTC).",
    ],
  ],
  [
    "a line that is no metric",
    exposition('up 1\n# TYPE a gauge\na{b="c"} 1,5\nb 1\n'),
    [
      "✓ response 200, 37 B",
      '✕ exposition line 3: a{b="c"} 1,5',
      "– freshness",
      'broken: Line 3 of the response is no valid metric: a{b="c"} 1,5.',
    ],
  ],
  [
    "a label that stands twice",
    exposition('a{type="b",type="c"} 1\n'),
    [
      "✓ response 200, 23 B",
      '✕ exposition line 1: a{type="b",type="c"} 1',
      "– freshness",
      "bad_labels: A series has two labels of the same name, type.",
    ],
  ],
  [
    "samples twice with different values",
    exposition(
      `a{b="1",c="2"} 1 ${at(0)}\na{c="2",b="1"} 2 ${at(0)}\na{b="1"} 1 ${at(0)}\na{b="1",c="2"} 2 ${at(1)}\n`,
    ),
    [
      "✓ response 200, 118 B",
      "✓ exposition 4 samples; 1 sample twice with different values",
      "✓ freshness newest 0 s old, oldest 1 s old",
      "silent_duplicate: A sample is given twice with different values; one value of each is kept.",
    ],
  ],
  [
    "labels of another site",
    exposition('up{site="site-a"} 1\nup{site="elsewhere"} 1\nup{site="site-b"} 1\n'),
    [
      "✓ response 200, 63 B",
      "✓ exposition 3 samples; a label of site-b",
      "✓ freshness no timestamps: the moment of the scrape counts",
      'label_clash: The site\'s series carry a label of another site: site="site-b", as site-b has.',
    ],
  ],
  [
    "a page",
    raw({ "content-type": "text/html; charset=utf-8" }, "<html>"),
    [
      "✓ response 200, 6 B",
      "✕ exposition text/html; charset=utf-8",
      "– freshness",
      "not_metrics: The site responds with text/html; charset=utf-8, not with metrics.",
    ],
  ],
  [
    "a page that says it is text",
    raw(TEXT, "\n<!doctype html>\n".trimStart()),
    [
      "✓ response 200, 16 B",
      "✕ exposition line 1: <!doctype html>",
      "– freshness",
      "not_metrics: The site responds with HTML or XML, not with metrics.",
    ],
  ],
  [
    "no type",
    raw({}, "up 1\n"),
    [
      "✓ response 200, 5 B",
      "✕ exposition no Content-Type",
      "– freshness",
      "no_type: The site's response is not declared as metrics.",
    ],
  ],
  [
    "a type of no metrics",
    raw({ "content-type": "application/octet-stream" }, "up 1\n"),
    [
      "✓ response 200, 5 B",
      "✕ exposition application/octet-stream",
      "– freshness",
      "no_type: The site's response is not declared as metrics (Content-Type application/octet-stream).",
    ],
  ],
  [
    "gzip",
    raw({ ...TEXT, "content-encoding": "gzip" }, gzipSync("up 1\n")),
    [
      "✓ response 200, 5 B, gzip",
      "✓ exposition 1 sample",
      "✓ freshness no timestamps: the moment of the scrape counts",
    ],
  ],
  [
    "a compression that was not requested",
    raw({ ...TEXT, "content-encoding": "br" }, brotliCompressSync("up 1\n")),
    [
      "✕ response the response is not encoded as its headers say: br was not requested, after 0 B",
      ...BROKEN_OFF,
      "broken_encoding: The response cannot be decompressed (br).",
    ],
  ],
  [
    "what is not gzip",
    raw({ ...TEXT, "content-encoding": "gzip" }, "up 1\n"),
    [
      "✕ response the response is not encoded as its headers say: incorrect header check, after 0 B",
      ...BROKEN_OFF,
      "broken_encoding: The response cannot be decompressed (gzip).",
    ],
  ],
  [
    "more than a site may send, by its Content-Length",
    (_, response) => void response.writeHead(200, { ...TEXT, "content-length": 10 ** 9 }).write("a".repeat(300_000)),
    [
      "✕ response 954 MiB; at most 256 MiB",
      ...BROKEN_OFF,
      "too_many_bytes: The response is larger than the 256 MiB allowed for a site.",
    ],
  ],
] as const satisfies readonly (readonly [string, RequestListener, readonly string[]])[]) {
  test(`a probe shows ${name}`, async (t) => assert.deepEqual(await stages(t, respond), expected))
}

test("a probe reads no more than 256 KiB of a response, compressed or not, and distinguishes that from its end", async (t) => {
  const line = `up{job="${"a".repeat(50)}"} 1\n`
  const endless: RequestListener = (_, response) => {
    response.writeHead(200, TEXT)
    const more = (): void => {
      if (!response.destroyed && response.write(line.repeat(1000))) setImmediate(more)
    }
    response.on("drain", more).on("error", () => undefined)
    more()
  }
  const bomb = gzipSync(line.repeat(1_000_000), { level: 9 })
  const read = "samples in the first 256 KiB, which is all that is read"
  for (const respond of [endless, raw({ ...TEXT, "content-encoding": "gzip" }, bomb)]) {
    const [response, exposed, freshness, ...findings] = await stages(t, respond)
    assert.match(response ?? "", /^✓ response 200, more than 256 KiB(?:, gzip)?$/)
    assert.equal(exposed, `✓ exposition 4,161 ${read}`)
    assert.equal(freshness, "✓ freshness no timestamps: the moment of the scrape counts")
    assert.deepEqual(findings, [])
  }
})

test("a probe ends in time where a site sends a byte now and then", async (t) => {
  const drip: RequestListener = (_, response) => {
    response.writeHead(200, TEXT).write("u")
    const timer = setInterval(() => response.write("p"), 20)
    response.on("close", () => clearInterval(timer))
  }
  const [response, ...rest] = await stages(t, drip, "", 0.2)
  assert.match(response ?? "", /^✕ response no whole response within 0\.2 s, after \d+ B$/)
  assert.deepEqual(rest, [
    ...BROKEN_OFF,
    "no_answer: The site did not respond within 0.2 s: the response began, but did not end.",
  ])
})

test("a probe shows a response that breaks off, and one whose connection is reset", async (t) => {
  const begin =
    (end: (socket: Socket) => void): RequestListener =>
    (_, response) => {
      response.writeHead(200, TEXT).write("up 1\n", () => setImmediate(() => end(response.req.socket)))
    }
  assert.deepEqual(
    await stages(
      t,
      begin((socket) => socket.destroy()),
    ),
    ["✕ response the response broke off, after 5 B", ...BROKEN_OFF, "cut: The response broke off in the middle."],
  )
  assert.deepEqual(
    await stages(
      t,
      begin((socket) => socket.resetAndDestroy()),
    ),
    [
      "✕ response the connection was reset, after 5 B",
      ...BROKEN_OFF,
      "reset: The connection to the site was reset in the middle of its response.",
    ],
  )
})
