import assert from "node:assert/strict"
import { test } from "node:test"
import { readExposition } from "./exposition.ts"
import { conflicts } from "./samples.ts"

const read = (text: string | Buffer, options = {}) => readExposition(Buffer.from(text), options)

/** Line, metric and label twice of the first fault; undefined where there is none. */
const faultOf = (text: string | Buffer, options = {}) => {
  const { fault } = read(text, options)
  return fault && [fault.line, fault.metric, fault.duplicateLabel ?? ""]
}

test("accepts what Prometheus accepts", () => {
  const lines = [
    "a 1",
    "a:b_c 1",
    "a{} 1",
    'a{b="c",} 1',
    'a { b = "c" , d="e" } 1',
    'a{b="c"}1',
    String.raw`a{b="\"\\\n}"} 1`,
    "a +Inf",
    "a -Inf",
    "a NaN",
    "a 1e9",
    "a .5",
    "a -1.5E-3",
    "a 0x1p-2",
    "a 1 1764511200000",
    "a 1 -1",
    "  a\t1  ",
    "# TYPE a histogram",
    "# HELP a anything \\n at all",
    "# any comment",
    "#",
    "",
    '{"my.metric"} 1',
    '{"my.metric",b="c"} 1',
    '{"my.metric","x.y"="c"} 1',
    'a{b="ü \u{1F600}"} 1',
  ]
  for (const line of lines) assert.equal(faultOf(`${line}\n`), undefined, line)
  assert.equal(faultOf(lines.join("\n")), undefined)
})

test("finds the line that Prometheus refuses, and its metric", () => {
  for (const [line, metric] of [
    ['up{job="a"}', "up"],
    ["a 1,5", "a"],
    ["a one", "a"],
    ["1a 1", ""],
    ["my-metric 1", "my-metric"],
    ['a{1b="c"} 1', "a"],
    ["a{b=c} 1", "a"],
    ['a{b="c"', "a"],
    ['a{b="c} 1', "a"],
    ['a{b="c" d="e"} 1', "a"],
    ["a 1 1.5", "a"],
    ["a 1 1000 x", "a"],
    ['{b="c"} 1', ""],
    ["a 1\r", "a"],
    ["\0", ""],
    ["<html>", ""],
    ["# TYPE a guage", "a"],
    ["a 1 # {} 1", "a"],
  ] as const) {
    assert.deepEqual(faultOf(`ok 1\n\n${line}\nok 2\n`), [3, metric, ""], line)
  }
})

test("finds a label that stands twice, and bytes that are no UTF-8", () => {
  assert.deepEqual(faultOf('a{b="1",c="2",b="3"} 1\n'), [1, "a", "b"])
  const bytes = Buffer.concat([Buffer.from('a 1\nb{c="\uFFFD"} 1\nc{d="'), Buffer.of(0xff), Buffer.from('"} 1\n')])
  assert.deepEqual(faultOf(bytes), [3, "c", ""])
  assert.deepEqual(faultOf(Buffer.from('b{c="\uFFFD"} 1\n')), undefined)
})

test("leaves out a last line that was cut", () => {
  assert.deepEqual(read("a 1\nb{c=", { whole: false }), {
    samples: [{ name: "a", labels: new Map(), value: "1", timestamp: undefined }],
    fault: undefined,
  })
})

test("reads OpenMetrics: seconds, exemplars, no empty line, and an end", () => {
  const options = { openMetrics: true }
  const { samples, fault } = read('a_total{b=""} 1 1764511200.5 # {trace="x"} 2 3\n# EOF\n', options)
  assert.deepEqual(samples, [{ name: "a_total", labels: new Map(), value: "1", timestamp: 1764511200.5 }])
  assert.equal(fault, undefined)
  assert.deepEqual(faultOf("a 1\n\n# EOF\n", options), [2, "", ""])
  assert.deepEqual(faultOf("a 1\n", options), [2, "", ""])
})

test("the same value twice is no conflict, and neither are other times or labels", () => {
  const { samples } = read('a{b="1"} 1 1000\na{b="1"} 1 1000\na{b="1"} 2 2000\na{b="2"} 2 1000\na{b="1",c=""} 1 1000\n')
  assert.equal(conflicts(samples), undefined)
  assert.deepEqual(conflicts(read('a{b="1"} 1\na{b="1",c=""} 2\na{b="1"} 3\n').samples), { count: 2, metric: "a" })
})
