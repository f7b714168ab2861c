import assert from "node:assert/strict"
import { test } from "node:test"
import { type Given, messageOf, readPlain, routeByLabel, shown, writeMessage } from "./v2.testing.ts"
import { splitV2 } from "./split-v2.ts"

const up = (tenant: string, instance: string, value = 1): Given => ({
  labels: ["__name__", "up", "instance", instance, "tenant_id", tenant],
  samples: [{ value, timestamp: 1000 }],
})

test("sends each tenant its series, without the label that named it and without symbols of others", () => {
  const message = writeMessage([up("red", "red:1"), up("blue", "blue:1", 2), up("red", "red:2", 3)])
  const { slices, rejected, received } = splitV2(message, routeByLabel())
  assert.deepEqual(
    slices.map((slice) => [slice.tenant, slice.group, slice.series, slice.counts]),
    [
      ["red", "", 2, { samples: 2, histograms: 0, exemplars: 0 }],
      ["blue", "", 1, { samples: 1, histograms: 0, exemplars: 0 }],
    ],
  )
  const messages = slices.map((slice) => messageOf(slice))
  assert.deepEqual(
    messages.map((each) => readPlain(each).map(shown)),
    [['up{instance="red:1"} 1@1000', 'up{instance="red:2"} 3@1000'], ['up{instance="blue:1"} 2@1000']],
  )
  assert.deepEqual(
    messages.map((each) => [each.includes("red"), each.includes("blue")]),
    [
      [true, false],
      [false, true],
    ],
  )
  assert.deepEqual(rejected, [])
  assert.deepEqual(received, { samples: 3, histograms: 0, exemplars: 0 })
})

test("reads each series for itself, whether the one before has the same names, all but one of them, or none", () => {
  const samples = [{ value: 1, timestamp: 1 }]
  const many = Array.from({ length: 70 }, (_, index) => [`l${index}`, "v"]).flat()
  const of = (...labels: readonly string[]): Given => ({ labels: ["__name__", "up", ...labels], samples })
  const message = writeMessage([
    of("a", "1", "tenant_id", "red"),
    of("a", "2", "tenant_id", "blue"),
    of("a", "3", "tenant_id", ""),
    of("a", "4", "tenants", "red"),
    of("a", "5", "tenants", "red"),
    of("a", "6", "tenant_id", "red"),
    of("a", "10", "tenant_id", "red", "b", "x"),
    { labels: ["name", "up", "a", "7", "tenant_id", "red"], samples },
    { labels: ["name", "up", "a", "8", "tenant_id", "blue"], samples },
    of("a", "8", "tenant_id", "blue"),
    of("a", "9", "tenant_id", "red", "tenant_id", "blue"),
    of("tenant_id", "red", "a", "11"),
    of("tenant_id", "red", "tenant_id", "11"),
    of("tenant_id", "red", "tenant_id", "12"),
    of(...many, "tenant_id", "red"),
    of(...many, "tenant_id", "blue"),
    of(...many, "tenants", "red"),
    of(...many, "tenant_id", "red"),
  ])
  const { slices, rejected } = splitV2(message, routeByLabel())
  const received = slices.map((slice) => {
    const series = readPlain(messageOf(slice))
    return [slice.tenant, series.map(({ labels }) => labels.find(([name]) => name === "a")?.[1] ?? labels.length)]
  })
  assert.deepEqual(received, [
    ["red", ["1", "6", "10", "11", 71, 71]],
    ["blue", ["2", "8", 71]],
    ["0", ["3", "4", "5", 72]],
  ])
  assert.deepEqual(
    rejected.map(({ tenant, reason, series }) => [tenant, reason, series]),
    [
      ["red", "it has no metric name", 1],
      ["blue", "it has no metric name", 1],
      ["", "it has the label tenant_id twice", 3],
    ],
  )
})

test("makes one message of several senders' slices, and the same slice again for another one", () => {
  const [red] = splitV2(writeMessage([up("red", "a")]), routeByLabel()).slices
  const [again] = splitV2(writeMessage([up("red", "b", 2)]), routeByLabel()).slices
  assert.ok(red !== undefined && again !== undefined)
  assert.deepEqual(readPlain(messageOf(red, again)).map(shown), ['up{instance="a"} 1@1000', 'up{instance="b"} 2@1000'])
  assert.deepEqual(readPlain(messageOf(again, red)).map(shown), ['up{instance="b"} 2@1000', 'up{instance="a"} 1@1000'])
  assert.deepEqual(readPlain(messageOf(red)).map(shown), ['up{instance="a"} 1@1000'])
})

test("sets aside what is wrong with its reason, and sends the rest", () => {
  const samples = [{ value: 1, timestamp: 1 }]
  const message = writeMessage([
    { labels: ["job", "a", "tenant_id", "red"], samples },
    { labels: ["__name__", "up", "a", "1", "a", "2"], samples },
    { labels: ["__name__", "up", "tenant_id", "red", "tenant_id", "blue"], samples },
    { labels: ["__name__", "up"], metadata: { type: 1, help: "h", unit: "" } },
    { labels: ["__name__", "", "tenant_id", "red"], samples },
    { labels: ["tenant_id", "blue"], samples },
    { labels: [], samples },
    { labels: ["__name__", "up", "tenant_id", "!"], samples },
    { labels: ["__name__", "up", ...Array.from({ length: 1000 }, (_, index) => [`l${index}`, "v"]).flat()], samples },
    up("red", "r"),
  ])
  const { slices, rejected, rejectedSeries, rejectedKinds, rejectedCounts, received } = splitV2(message, routeByLabel())
  assert.deepEqual(
    slices.map((slice) => readPlain(messageOf(slice)).map(shown)),
    [['up{instance="r"} 1@1000']],
  )
  assert.deepEqual(rejected, [
    { tenant: "red", reason: "it has no metric name", series: 2, example: '{job="a", tenant_id="red"}' },
    { tenant: "0", reason: "it has the label a twice", series: 1, example: 'up{a="1", a="2"}' },
    {
      tenant: "",
      reason: "it has the label tenant_id twice",
      series: 1,
      example: 'up{tenant_id="red", tenant_id="blue"}',
    },
    { tenant: "0", reason: "it has no samples, histograms or exemplars", series: 1, example: "up{}" },
    { tenant: "blue", reason: "it has no metric name", series: 1, example: '{tenant_id="blue"}' },
    { tenant: "0", reason: "it has no labels", series: 1, example: "{}" },
    { tenant: "!", reason: 'tenant "!" is not allowed', series: 1, example: 'up{tenant_id="!"}' },
    {
      tenant: "",
      reason: "it has more than 1000 labels",
      series: 1,
      example: 'up{l0="v", l1="v", l2="v", l3="v", …}',
    },
  ])
  assert.equal(rejectedSeries, 9)
  assert.deepEqual(rejectedKinds, { malformed: 8, tenant: 1, too_many_tenants: 0, not_shared: 0 })
  assert.deepEqual(rejectedCounts, { samples: 8, histograms: 0, exemplars: 0 })
  assert.deepEqual(received, { samples: 9, histograms: 0, exemplars: 0 })
})

test("says which label is no UTF-8, and shows nothing that a terminal would obey", () => {
  const message = Buffer.concat([
    ...["", "__name__", "up", "job"].map((text) => Buffer.from([0x22, text.length, ...Buffer.from(text)])),
    Buffer.from([0x22, 3, 0x61, 0xff, 0x1b]),
    Buffer.from([0x2a, 0x08, 0x0a, 0x04, 1, 2, 3, 4, 0x12, 0x00]),
    Buffer.from([0x2a, 0x0e, 0x0a, 0x02, 1, 2, 0x12, 0x00, 0x22, 0x04, 0x0a, 0x02, 4, 2, 0x12, 0x00]),
    Buffer.from([0x2a, 0x0a, 0x0a, 0x02, 1, 2, 0x12, 0x00, 0x2a, 0x02, 0x18, 4]),
    Buffer.from([0x2a, 0x06, 0x0a, 0x02, 1, 2, 0x12, 0x00]),
  ])
  const { slices, rejected } = splitV2(message, routeByLabel())
  assert.deepEqual(
    slices.map((slice) => readPlain(messageOf(slice)).map(shown)),
    [["up 0@0"]],
  )
  assert.deepEqual(rejected, [
    { tenant: "", reason: "its label job is not UTF-8", series: 1, example: 'up{job="a\ufffd\\u001b"}' },
    { tenant: "", reason: 'an exemplar\'s label "a\ufffd\\u001b" is not UTF-8', series: 1, example: "up{}" },
    { tenant: "", reason: "the help of its metadata is not UTF-8", series: 1, example: "up{}" },
  ])
})

test("keeps unknown fields of series, samples, exemplars and metadata", () => {
  // fields 100 to 103 with the numbers 1 to 4
  const unknown = (number: number): readonly number[] => [0xa0 + 8 * number, 0x06, number + 1]
  const parts = [
    [0x0a, 0x02, 1, 2],
    [0x12, 0x03, ...unknown(1)],
    [0x22, 0x03, ...unknown(2)],
    [0x2a, 0x03, ...unknown(3)],
    unknown(0),
  ].flat()
  const symbols = ["", "__name__", "up"].map((text) => Buffer.from([0x22, text.length, ...Buffer.from(text)]))
  const message = Buffer.concat([...symbols, Buffer.from([0x2a, parts.length, ...parts])])
  const [slice] = splitV2(message, routeByLabel()).slices
  assert.ok(slice !== undefined)
  const reordered = [parts.slice(0, 14), unknown(0), parts.slice(14, 19)].flat()
  assert.deepEqual(
    messageOf(slice).toString("hex"),
    Buffer.concat([...symbols, Buffer.from([0x2a, parts.length, ...reordered])]).toString("hex"),
  )
})

const SOUND: Given = { labels: ["__name__", "up"], samples: [{ value: 1, timestamp: 1 }] }
const exemplar = (...labels: readonly (string | number)[]) => [{ labels, value: 1, timestamp: 1 }]
const references: readonly (readonly [what: string, series: Given, reason: string, exemplars?: number])[] = [
  [
    "label references that are not pairs",
    { ...SOUND, labels: ["__name__", "up", "a"] },
    "its label has a name without a value: the number of its references is odd",
  ],
  [
    "a label's name out of range",
    { ...SOUND, labels: ["__name__", "up", 77, "a"] },
    "its label refers to a symbol that there is not",
  ],
  [
    "a label's value out of range",
    { ...SOUND, labels: ["__name__", "up", "a", 4294967295] },
    "its label refers to a symbol that there is not",
  ],
  [
    "an exemplar's label out of range",
    { ...SOUND, exemplars: exemplar("a", 77) },
    "an exemplar's label refers to a symbol that there is not",
    1,
  ],
  [
    "an exemplar's references that are not pairs",
    { ...SOUND, exemplars: exemplar("a") },
    "an exemplar's label has a name without a value: the number of its references is odd",
    1,
  ],
  [
    "help out of range",
    { ...SOUND, metadata: { type: 1, help: 77, unit: "" } },
    "the help of its metadata refers to a symbol that there is not",
  ],
  [
    "a unit out of range",
    { ...SOUND, metadata: { type: 1, help: "", unit: 77 } },
    "the unit of its metadata refers to a symbol that there is not",
  ],
]
for (const [what, series, reason, exemplars = 0] of references) {
  test(`sets aside a series with ${what}`, () => {
    const { slices, rejected, rejectedCounts } = splitV2(writeMessage([series, up("red", "r")]), routeByLabel())
    assert.deepEqual(
      slices.map((slice) => readPlain(messageOf(slice)).map(shown)),
      [['up{instance="r"} 1@1000']],
    )
    assert.deepEqual(
      rejected.map(({ tenant, reason: given }) => ({ tenant, reason: given })),
      [{ tenant: "", reason }],
    )
    assert.deepEqual(rejectedCounts, { samples: 1, histograms: 0, exemplars })
  })
}
