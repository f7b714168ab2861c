import assert from "node:assert/strict"
import { test } from "node:test"
import { UsageError } from "#core/errors.ts"
import { readSettings } from "./read-settings.ts"
import {
  duration,
  httpUrl,
  listenAddress,
  on,
  oneOf,
  type Parse,
  setting,
  settings,
  size,
  text,
  whole,
  Wrong,
} from "./settings.ts"

const all = {
  level: setting(oneOf(["low", "high"]), { flag: "-l, --level <level>", help: "how much" }, "low"),
  interval: setting(
    duration(1),
    { flag: "--update-interval <seconds>", help: "how often", env: ["OLD_INTERVAL", "INTERVAL"] },
    "30s",
  ),
  limit: setting(size, { flag: "--limit <bytes>", help: "how large", defaultText: "no limit" }),
  dry: setting(on, { flag: "--dry", help: "do nothing", group: "Caution" }, "false"),
  domains: settings(text, { flag: "--domain <id...>", help: "which" }, []),
  allow: settings(text, { flag: "--allow <selector>", help: "what", separator: "\n" }, ["{a,b}"]),
  ports: settings(whole(0, 65_535), { flag: "--port <port>", help: "where" }, ["80", "81"]),
  comment: setting(text, { flag: "--comment <text>", help: "empty is a text too", emptyCounts: true }, "none"),
  token: setting((value) => (value.length > 5 ? value : new Wrong("must be longer")), {
    env: ["TOKEN"],
    help: "the secret",
  }),
}
const usage = { command: "fedstack test", summary: "tests settings", settings: all }
const defaults = {
  level: "low",
  interval: 30,
  limit: undefined,
  dry: false,
  domains: [],
  allow: ["{a,b}"],
  ports: [80, 81],
  comment: "none",
  token: undefined,
}

function read(argv: readonly string[], env: Record<string, string> = {}) {
  const reading = readSettings(usage, argv, env)
  assert.equal(reading.kind, "values")
  return reading.values
}

function faults(argv: readonly string[], env: Record<string, string> = {}): string {
  try {
    readSettings(usage, argv, env)
  } catch (error) {
    assert.ok(error instanceof UsageError)
    return error.message
  }
  throw new Error("no fault")
}

test("without flags and variables everything has its default", () => assert.deepEqual(read([]), defaults))

test("flags in every spelling", () => {
  assert.deepEqual(
    read(
      "-l high --update-interval=90 --limit 2KiB --dry --domain a b --domain=c --port 1 --port 2 --comment=".split(" "),
    ),
    {
      ...defaults,
      level: "high",
      interval: 90,
      limit: 2048,
      dry: true,
      domains: ["a", "b", "c"],
      ports: [1, 2],
      comment: "",
    },
  )
})

test("the last of a flag that has one value counts", () => {
  assert.equal(read(["-l", "high", "--level", "low"]).level, "low")
})

test("variables stand in for flags, the first that is not empty", () => {
  assert.deepEqual(
    read([], {
      FEDSTACK_LEVEL: "high",
      OLD_INTERVAL: "",
      INTERVAL: "1m",
      FEDSTACK_UPDATE_INTERVAL: "9",
      FEDSTACK_DRY: "True",
      FEDSTACK_DOMAIN: " a, b ,,",
      FEDSTACK_ALLOW: '{a="1",b="2"}\n\n{c="3"}\n',
      FEDSTACK_COMMENT: "",
      TOKEN: "secret",
    }),
    {
      ...defaults,
      level: "high",
      interval: 60,
      dry: true,
      domains: ["a", "b"],
      allow: ['{a="1",b="2"}', '{c="3"}'],
      comment: "",
      token: "secret",
    },
  )
})

test("a variable of nothing but separators is as good as unset, for a list too", () => {
  assert.deepEqual(read([], { FEDSTACK_PORT: " , ,", FEDSTACK_DOMAIN: " ", OLD_INTERVAL: "" }), defaults)
})

test("a flag counts before its variable, even where the variable is wrong", () => {
  assert.deepEqual(read(["--port", "1"], { FEDSTACK_PORT: "x" }).ports, [1])
})

test("a link to a Service that Kubernetes sets is as good as unset, and another value of its variable is not", () => {
  assert.deepEqual(read([], { FEDSTACK_PORT: "tcp://10.0.0.1:9090" }), defaults)
  assert.equal(
    faults([], { FEDSTACK_PORT: "tcp://somewhere", FEDSTACK_LIMIT: "tcp://10.0.0.1:9090" }),
    `FEDSTACK_LIMIT: must be a size such as 256MiB or 1000000 (is "tcp://10.0.0.1:9090")
FEDSTACK_PORT: must be a whole number from 0 to 65535 (is "tcp://somewhere")`,
  )
})

test("every fault is reported, naming flag or variable, and the value only where it is no secret", () => {
  assert.equal(
    faults(["-l", "middle", "--port", "1", "--port", "65536", "--limit", "a lot"], {
      INTERVAL: "0.5",
      FEDSTACK_DRY: "perhaps",
      TOKEN: "abc12",
    }),
    `--level: must be one of low, high (is "middle")
INTERVAL: must be at least 1s (is "0.5")
--limit: must be a size such as 256MiB or 1000000 (is "a lot")
FEDSTACK_DRY: must be true or false (is "perhaps")
--port: must be a whole number from 0 to 65535 (is "1,65536")
TOKEN: must be longer`,
  )
})

const misuse: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["--nope"], "fedstack test: unknown option '--nope'. Its --help lists what it takes"],
  [
    ["--levle", "low"],
    "fedstack test: unknown option '--levle' (Did you mean --level?). Its --help lists what it takes",
  ],
  [["--level"], "fedstack test: option '-l, --level <level>' argument missing. Its --help lists what it takes"],
  [
    ["extra"],
    "fedstack test: too many arguments. Expected 0 arguments but got 1: extra. Its --help lists what it takes",
  ],
  [["--token", "SECRET"], "fedstack test: unknown option '--token'. Its --help lists what it takes"],
  [["--token=SEC='RET'\n"], "fedstack test: unknown option '--token'. Its --help lists what it takes"],
]
for (const [argv, message] of misuse) {
  test(`refuses ${argv.join(" ")}`, () => assert.equal(faults(argv), message))
}

test("an argument is handed over, and a missing one is a fault", () => {
  const withFile = { ...usage, argument: { notation: "<file>", help: "what to read" } }
  const reading = readSettings(withFile, ["a.yaml", "--dry"], {})
  assert.ok(reading.kind === "values")
  assert.deepEqual([reading.argument, reading.values.dry], ["a.yaml", true])
  assert.throws(() => readSettings(withFile, [], {}), {
    message: "fedstack test: missing required argument 'file'. Its --help lists what it takes",
  })
  assert.throws(() => readSettings(withFile, ["a", "b"], {}), UsageError)
})

const HTTP = "must be a URL that starts with http:// or https://"
const ADDRESS = "must be HOST:PORT or :PORT, such as 127.0.0.1:8080"
const parsed: readonly (readonly [name: string, parse: Parse<unknown>, text: string, value: unknown])[] = [
  ["listenAddress", listenAddress, "127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
  ["listenAddress", listenAddress, ":0", { host: "", port: 0 }],
  ["listenAddress", listenAddress, "[::1]:80", { host: "::1", port: 80 }],
  ["listenAddress", listenAddress, "[fe80::1%eth0]:80", { host: "fe80::1%eth0", port: 80 }],
  ["listenAddress", listenAddress, "a.b:65535", { host: "a.b", port: 65_535 }],
  ["listenAddress", listenAddress, "a:65536", ADDRESS],
  ["listenAddress", listenAddress, "::1:80", ADDRESS],
  ["listenAddress", listenAddress, "80", ADDRESS],
  ["listenAddress", listenAddress, "http://a:80", ADDRESS],
  ["listenAddress", listenAddress, "a b:80", ADDRESS],
  ["httpUrl", httpUrl, "http://a/b", new URL("http://a/b")],
  ["httpUrl", httpUrl, "ftp://a", HTTP],
  ["httpUrl", httpUrl, "a.b", HTTP],
  ["httpUrl", httpUrl, "http://me:SECRET@a", "must not hold a user name or password"],
  ["whole", whole(1, 5), "5", 5],
  ["whole", whole(1, 5), "6", "must be a whole number from 1 to 5"],
  ["whole", whole(1, 5), "1.5", "must be a whole number from 1 to 5"],
  ["whole", whole(1, 5), "-1", "must be a whole number from 1 to 5"],
  ["duration", duration(0), "soon", "must be a duration such as 30s, 1m30s or a number of seconds"],
  ["duration", duration(0), "24d", 2_073_600],
  // timers take 2^31 ms at most: what is longer would be over at once
  ["duration", duration(0), "25d", "must be at most 24d"],
  ["duration", duration(0), "99999999999999999999y", "must be at most 24d"],
]
for (const [name, parse, given, expected] of parsed) {
  test(`${name} of ${given}`, () => {
    const value = parse(given)
    assert.deepEqual(value instanceof Wrong ? value.reason : value, expected)
  })
}

for (const [url, message] of [
  ["http://me:SECRET@a", '--upstream: must not hold a user name or password (is "http://<secret>@a")'],
  ["htp://me:SECR@ET@a", `--upstream: ${HTTP} (is "htp://<secret>@a")`],
  ["http://me:SEC/RET@a:b", `--upstream: ${HTTP} (is "http://<secret>@a:b")`],
  ["htp://me:SEC RET@a", `--upstream: ${HTTP} (is "htp://<secret>@a")`],
  ["me:SECRET@a", `--upstream: ${HTTP} (is "<secret>@a")`],
  ["a@b", `--upstream: ${HTTP} (is "a@b")`],
] as const) {
  test(`the password in ${url} does not stand in the message`, () => {
    const upstream = { upstream: setting(httpUrl, { flag: "--upstream <url>", help: "where" }) }
    assert.throws(() => readSettings({ ...usage, settings: upstream }, ["--upstream", url], {}), { message })
  })
}
