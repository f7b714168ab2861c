import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import type { LogOptions } from "./format.ts"
import { createLogger, type Logger } from "./logger.ts"

function record(options: Partial<LogOptions>, write: (log: Logger) => void): string {
  const lines: string[] = []
  write(createLogger({ level: "debug", format: "logfmt", ...options }, "proxy", (line) => lines.push(line)))
  return lines.join("").replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
}

const golden = (log: Logger): void => {
  log.info("plain")
  log.warn(
    { url: "http://a/b?c=d", count: 3, none: null, flag: true, list: ["a b", "c"], commas: ["a,b", "c"], empty: "" },
    "with fields",
  )
  log.error({ site: { name: "a b", tls: { ca: "x" } } }, 'say "hi"\nthere\\')
  log.debug({ "odd key=\n": "tab\there" }, "odd")
}

test("logfmt lines", () => {
  assert.equal(
    record({}, golden),
    String.raw`ts=TIME level=info component=proxy msg=plain
ts=TIME level=warn component=proxy msg="with fields" url="http://a/b?c=d" count=3 none=null flag=true list="a b,c" commas="[\"a,b\",\"c\"]" empty=""
ts=TIME level=error component=proxy msg="say \"hi\"\nthere\\" site.name="a b" site.tls.ca=x
ts=TIME level=debug component=proxy msg=odd odd_key__="tab\there"
`,
  )
})

test("JSON lines", () => {
  assert.equal(
    record({ format: "json" }, golden),
    String.raw`{"level":"info","ts":"TIME","component":"proxy","msg":"plain"}
{"level":"warn","ts":"TIME","component":"proxy","url":"http://a/b?c=d","count":3,"none":null,"flag":true,"list":["a b","c"],"commas":["a,b","c"],"empty":"","msg":"with fields"}
{"level":"error","ts":"TIME","component":"proxy","site":{"name":"a b","tls":{"ca":"x"}},"msg":"say \"hi\"\nthere\\"}
{"level":"debug","ts":"TIME","component":"proxy","odd key=\n":"tab\there","msg":"odd"}
`,
  )
})

test("what is below the level is not written", () => {
  assert.equal(record({ level: "error" }, golden).split("\n").length, 2)
})

for (const format of ["logfmt", "json"] as const) {
  test(`secrets do not leave in ${format}, however deep or spelt, in errors and their causes too`, () => {
    const text = record({ format }, (log) => {
      for (const key of ["authorization", "cookie", "password", "secret", "token", "credentials"]) {
        log.info({ [key]: "S3CRET" }, key)
        log.info({ a: { b: { c: { d: { [key]: "S3CRET" } } } } }, key)
        log.info({ list: [{ [key]: "S3CRET" }] }, key)
        log.info({ [key.toUpperCase()]: "S3CRET", [`client_${key}`]: "S3CRET", [key]: ["S3CRET"] }, key)
      }
      const cause = Object.assign(new Error("inner"), { headers: { Authorization: "S3CRET" } })
      log.error({ err: Object.assign(new Error("outer", { cause }), { token: "S3CRET" }) }, "error")
      log.error(cause)
    })
    assert.doesNotMatch(text, /S3CRET/)
    assert.match(text, /<secret>/)
    assert.match(text, /outer/)
    assert.match(text, /inner/)
  })
}

test("a line is one line, whatever is logged", () => {
  const text = fc.string({ unit: "binary" })
  for (const format of ["logfmt", "json"] as const) {
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.dictionary(text, text))), text, (fields, message) => {
        const line = record({ format }, (log) => log.info(fields, message.replaceAll("%", "")))
        // oxlint-disable-next-line no-control-regex -- they are what must not be there
        assert.match(line, /^[^\u0000-\u001F\u007F-\u009F\u2028\u2029]*\n$/)
      }),
      { numRuns: 40 },
    )
  }
})

test("what JSON cannot hold is logged all the same", () => {
  const circle: Record<string, unknown> = { name: "a" }
  circle.self = circle
  const fields = {
    circle,
    big: 1n,
    none: undefined,
    not: Number.NaN,
    at: new Date(0),
    list: [undefined, 2n],
    run: String,
  }
  const write = (log: Logger): void => log.info(fields, "values")
  assert.equal(
    record({}, write),
    `ts=TIME level=info component=proxy msg=values circle.name=a circle.self=[Circular] big=1 not=null at=TIME list=<undefined>,2 run=<function>\n`,
  )
  assert.match(record({ format: "json" }, write), /"circle":\{"name":"a","self":"\[Circular\]"\},"big":"1","not":null/)
})

test("what goes deeper than anybody reads is cut off", () => {
  let deep: object = { token: "S3CRET" }
  for (let depth = 0; depth < 100; depth++) deep = { deep }
  assert.equal(
    record({}, (log) => log.info({ deep })),
    `ts=TIME level=info component=proxy ${"deep.".repeat(8)}deep=[Object]\n`,
  )
})

test("an error is logged with its message, its causes and what else it holds", () => {
  const error = Object.assign(new TypeError("outer", { cause: new Error("inner") }), { code: "E_OUTER" })
  const [, line = ""] = /^(.*)$/m.exec(record({ format: "json" }, (log) => log.error(error))) ?? []
  const { err, msg } = JSON.parse(line) as { err: Record<string, unknown>; msg: string }
  const { stack, cause, ...rest } = err
  assert.deepEqual([msg, rest], ["outer", { code: "E_OUTER", type: "TypeError", message: "outer: inner" }])
  assert.match(String(stack), /TypeError: outer\n +at /)
  assert.equal((cause as { message: string }).message, "inner")
})

test("placeholders in a message are filled, and a child's own fields come first", () => {
  const write = (log: Logger): void => log.child({ request: 1 }).warn({ status: 5 }, "%s of %d", "a", 2)
  assert.equal(record({}, write), 'ts=TIME level=warn component=proxy msg="a of 2" request=1 status=5\n')
})
