import assert from "node:assert/strict"
import { test } from "node:test"
import { connect } from "node:net"
import { received } from "../../../dev/testing/send-raw.ts"
import { blockOf, type FakeSeries, headerOf, seriesOfAll, STALE, startFakeStore } from "./store.testing.ts"
import { fileOf, startTestExposition, TOKEN } from "./testing.ts"

const AT = 1_790_000_000_000
const CLOCK = { now: () => new Date(AT) }
const UP: FakeSeries = { labels: { __name__: "up", job: "x" }, samples: [[AT - 1000, 1]] }

test("requests one tenant's series of the look-back, and no client says which tenant", async (t) => {
  const store = await startFakeStore(
    t,
    seriesOfAll(() => [UP]),
  )
  const { url } = await startTestExposition(t, fileOf([store.url], "look_back: 90s\n"), CLOCK)
  const socket = connect(Number(new URL(url).port), "127.0.0.1")
  socket.write(
    `GET /federate?match[]=up%7Bjob!%3D%22y%22%2Ca%3D~%22b%7Cc%22%2Cd!~%22e%22%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
      `Authorization: Bearer ${TOKEN}\r\nX-Scope-OrgID: b\r\nX-Scope-OrgID: c\r\nCookie: d=e\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n`,
  )
  assert.match(await received(socket), /^HTTP\/1\.1 200 OK\r\n/)
  const [read] = store.reads()
  assert.ok(read !== undefined)
  assert.deepEqual(headerOf(read, "x-scope-orgid"), ["a"])
  assert.deepEqual(
    read.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()),
    [
      ...["host", "connection", "content-type", "content-encoding", "x-prometheus-remote-read-version"],
      ...["x-scope-orgid", "user-agent", "content-length"],
    ],
  )
  assert.equal(read.url, "/prometheus/api/v1/read")
  assert.deepEqual(read.queries, [
    {
      startTimestampMs: String(AT - 90_000),
      endTimestampMs: String(AT),
      matchers: [
        { type: 0, name: "__name__", value: "up" },
        { type: 2, name: "a", value: "b|c" },
        { type: 3, name: "d", value: "e" },
        { type: 1, name: "job", value: "y" },
      ],
    },
  ])
  for (const request of store.received) assert.deepEqual(headerOf(request, "x-scope-orgid"), ["a"])
})

test("requests each selector as a query of its own, and each tenant by a request of its own", async (t) => {
  const store = await startFakeStore(
    t,
    seriesOfAll((request) => [{ ...UP, labels: { ...UP.labels, of: headerOf(request, "x-scope-orgid").join() } }]),
  )
  const file = fileOf([store.url]).replace("tenants: [a]", "tenants: [a, b]")
  const { get } = await startTestExposition(t, file, CLOCK)
  const { body } = await get("/federate?match[]=up&match[]=%7Bjob%3D%22x%22%7D")
  assert.equal(
    body,
    '# TYPE up untyped\nup{job="x",of="a",tenant_id="a",instance=""} 1\nup{job="x",of="b",tenant_id="b",instance=""} 1\n',
  )
  assert.deepEqual(
    store
      .reads()
      .map((read) => [
        headerOf(read, "x-scope-orgid"),
        read.queries.map(({ matchers }) => matchers.map(({ value }) => value)),
      ]),
    [
      [["a"], [["up"], [".+", "x"]]],
      [["b"], [["up"], [".+", "x"]]],
    ],
  )
})

/** What is served of these series of one query. */
const CASES: readonly (readonly [behaviour: string, series: readonly FakeSeries[], lines: readonly string[]])[] = [
  [
    "shows the newest of several samples, also where they are in no order",
    [
      {
        labels: { __name__: "m" },
        samples: [
          [AT - 3000, 1],
          [AT - 2000, 2],
          [AT - 1000, 3],
        ],
      },
      {
        labels: { __name__: "n" },
        samples: [
          [AT - 1000, 3],
          [AT - 3000, 1],
          [AT - 2000, 2],
        ],
      },
    ],
    ["# TYPE m untyped", 'm{instance=""} 3', "# TYPE n untyped", 'n{instance=""} 3'],
  ],
  [
    "does not show a series that ended, and shows one that began again",
    [
      {
        labels: { __name__: "ended" },
        samples: [
          [AT - 2000, 1],
          [AT - 1000, STALE],
        ],
      },
      {
        labels: { __name__: "again" },
        samples: [
          [AT - 2000, STALE],
          [AT - 1000, 1],
        ],
      },
      { labels: { __name__: "nan" }, samples: [[AT - 1000, Number.NaN]] },
    ],
    ["# TYPE again untyped", 'again{instance=""} 1', "# TYPE nan untyped", 'nan{instance=""} NaN'],
  ],
  [
    "does not show a series that ended as a histogram, whatever came before",
    [
      {
        labels: { __name__: "m" },
        samples: [[AT - 2000, 1]],
        histograms: [{ timestamp: String(AT - 1000), sum: STALE }],
      },
      {
        labels: { __name__: "n" },
        samples: [[AT - 1000, 1]],
        histograms: [{ timestamp: String(AT - 2000), sum: STALE }],
      },
    ],
    ["# TYPE n untyped", 'n{instance=""} 1'],
  ],
  [
    "does not show a series without samples or without a name",
    [
      { labels: { __name__: "empty" } },
      { labels: { job: "x" }, samples: [[AT - 1000, 1]] },
      { labels: { __name__: "", job: "x" }, samples: [[AT - 1000, 1]] },
      { labels: {}, samples: [[AT - 1000, 1]] },
    ],
    [],
  ],
  [
    "sorts families, and takes an empty label for none",
    [
      { labels: { __name__: "z", a: "" }, samples: [[AT, 1]] },
      { labels: { __name__: "a" }, samples: [[AT, 2]] },
      { labels: { b: "1", __name__: "z" }, samples: [[AT, 3]] },
    ],
    ["# TYPE a untyped", 'a{instance=""} 2', "# TYPE z untyped", 'z{instance=""} 1', 'z{b="1",instance=""} 3'],
  ],
]
for (const [behaviour, series, lines] of CASES) {
  test(behaviour, async (t) => {
    const store = await startFakeStore(
      t,
      seriesOfAll(() => series),
    )
    const { get } = await startTestExposition(t, fileOf([store.url]), CLOCK)
    const { status, body } = await get()
    assert.deepEqual([status, body], [200, lines.map((line) => `${line}\n`).join("")])
  })
}

test("shows a series once that two selectors select, and others with its name", async (t) => {
  const series = (job: string): FakeSeries => ({ labels: { __name__: "up", job }, samples: [[AT, 1]] })
  const store = await startFakeStore(
    t,
    (_, response) =>
      void response.end(
        blockOf([series("x"), series("y")], [series("y"), series("z"), { ...UP, labels: { __name__: "m" } }]),
      ),
  )
  const { get, metrics } = await startTestExposition(t, fileOf([store.url]), CLOCK)
  const { body } = await get("/federate?match[]=up&match[]=%7Bjob%3D~%22.%2B%22%7D")
  assert.deepEqual(body.split("\n"), [
    ...["# TYPE m untyped", 'm{instance=""} 1', "# TYPE up untyped"],
    ...['up{job="x",instance=""} 1', 'up{job="y",instance=""} 1', 'up{job="z",instance=""} 1', ""],
  ])
  assert.deepEqual(await metrics("series_read_total"), ["fedstack_tenancy_exposition_series_read_total 5"])
})
