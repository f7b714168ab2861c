import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import { date, maxAgeOf } from "./settings.ts"
import { valuesOf } from "./testing.ts"

const messageOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return "no fault"
}

test("has the original's defaults", () => {
  const values = valuesOf([])
  assert.deepEqual(values.domain, ["elixir"])
  assert.equal(values.simpleVmTag, "project_name")
  assert.equal(values.weightUpdateFrequency, 10)
  assert.equal(values.updateInterval, 30)
  assert.equal(values.verbose, false)
  assert.equal(values.port, undefined)
  for (const name of [
    "dummyData",
    "dummyWeights",
    "domainId",
    "simpleVmId",
    "weightUpdateEndpoint",
    "startDateEndpoint",
    "start",
  ] as const) {
    assert.equal(values[name], undefined)
  }
})

const given = {
  dummyData: "cloud.toml",
  dummyWeights: "weights.toml",
  domain: ["a", "b"],
  domainId: "7",
  simpleVmId: "pool",
  simpleVmTag: "course",
  weightUpdateFrequency: 3,
  weightUpdateEndpoint: new URL("http://weights.example/"),
  startDateEndpoint: new URL("http://start.example/"),
  start: new Date("2025-01-31"),
  updateInterval: 60,
  verbose: true,
}

test("accepts all flags of the original", () => {
  const long =
    "--dummy-data cloud.toml --dummy-weights weights.toml --domain a b --domain-id 7 --simple-vm-id pool --simple-vm-tag course --weight-update-frequency 3 --weight-update-endpoint http://weights.example/ --start-date-endpoint http://start.example/ --start 2025-01-31 --update-interval 60 --verbose --port 9000"
  const values = valuesOf(long.split(" "))
  assert.deepEqual({ ...values, ...given }, values)
  assert.equal(values.port, 9000)
  const short = valuesOf("-d cloud.toml -w weights.toml -s 2025-01-31 -i 60 -p 9000 -v".split(" "))
  const { dummyData, dummyWeights, start, updateInterval, verbose } = given
  assert.deepEqual({ ...short, dummyData, dummyWeights, start, updateInterval, verbose, port: 9000 }, short)
})

test("accepts all variables of the original", () => {
  const values = valuesOf([], {
    USAGE_EXPORTER_DUMMY_FILE: "cloud.toml",
    USAGE_EXPORTER_DUMMY_WEIGHTS_FILE: "weights.toml",
    USAGE_EXPORTER_PROJECT_DOMAINS: "a, b",
    USAGE_EXPORTER_PROJECT_DOMAIN_ID: " 7 ",
    USAGE_EXPORTER_SIMPLE_VM_PROJECT_ID: "pool",
    USAGE_EXPORTER_SIMPLE_VM_PROJECT_TAG: "course",
    USAGE_EXPORTER_WEIGHT_UPDATE_FREQUENCY: "3",
    USAGE_EXPORTER_WEIGHTS_UPDATE_ENDPOINT: "http://weights.example/",
    USAGE_EXPORTER_START_DATE_ENDPOINT: "http://start.example/",
    USAGE_EXPORTER_START_DATE: "2025-01-31",
    USAGE_EXPORTER_UPDATE_INTERVAL: "60",
    USAGE_EXPORTER_VERBOSE_MODE: "True",
  })
  assert.deepEqual({ ...values, ...given }, values)
})

test("accepts the tag's variable as the original stack misspells it, after the right one", () => {
  const misspelt = { USAGE_EXORTER_SIMPLE_VM_PROJECT_TAG: "wrong" }
  assert.equal(valuesOf([], misspelt).simpleVmTag, "wrong")
  assert.equal(valuesOf([], { ...misspelt, USAGE_EXPORTER_SIMPLE_VM_PROJECT_TAG: "right" }).simpleVmTag, "right")
})

test("no name of a domain means all domains, as a flag and as a variable", () => {
  assert.deepEqual(valuesOf(["--domain"]).domain, [])
  assert.deepEqual(valuesOf([], { USAGE_EXPORTER_PROJECT_DOMAINS: "" }).domain, [])
  assert.deepEqual(valuesOf(["--domain", "-v"]).domain, [])
})

test("the greatest age is ten minutes or three intervals, and never less than one interval", () => {
  const age = (line: string) => maxAgeOf(valuesOf(line.split(" ")))
  assert.equal(age("-i 30"), 600)
  assert.equal(age("-i 10m"), 1800)
  assert.equal(age("-i 30 --max-age 45s"), 45)
  assert.equal(
    messageOf(() => age("-i 30 --max-age 20s")),
    "--max-age: must be at least the update interval, 30s",
  )
})

test("reports all wrong flags and variables at once", () => {
  const work = () =>
    valuesOf(["--start", "someday", "-i", "0"], {
      USAGE_EXPORTER_WEIGHTS_UPDATE_ENDPOINT: "weights",
      USAGE_EXPORTER_VERBOSE_MODE: "maybe",
    })
  assert.equal(
    messageOf(work),
    `--start: must be a date such as 2025-01-31 or 2025-01-31T08:00:00 (UTC) (is "someday")
--update-interval: must be at least 1s (is "0")
USAGE_EXPORTER_WEIGHTS_UPDATE_ENDPOINT: must be a URL that starts with http:// or https:// (is "weights")
USAGE_EXPORTER_VERBOSE_MODE: must be true or false (is "maybe")`,
  )
})

test("blanks around a value, as env files leave them, count nothing", () => {
  const values = valuesOf(["--start", " 2025-01-31 "], {
    USAGE_EXPORTER_UPDATE_INTERVAL: "60 ",
    USAGE_EXPORTER_WEIGHT_UPDATE_FREQUENCY: " 5",
    USAGE_EXPORTER_WEIGHTS_UPDATE_ENDPOINT: " http://w.example.org/ ",
    USAGE_EXPORTER_VERBOSE_MODE: "true\t",
    USAGE_EXPORTER_SIMPLE_VM_PROJECT_ID: "4f1c ",
    FEDSTACK_WEB_LISTEN_ADDRESS: ":8081 ",
    FEDSTACK_OS_TIMEOUT: "1m ",
  })
  const { updateInterval, weightUpdateFrequency, weightUpdateEndpoint, verbose, simpleVmId, osTimeout } = values
  assert.deepEqual(
    [updateInterval, weightUpdateFrequency, weightUpdateEndpoint?.href, verbose, simpleVmId, osTimeout],
    [60, 5, "http://w.example.org/", true, "4f1c", 60],
  )
  assert.deepEqual(values.webListenAddress.value, [{ host: "", port: 8081 }])
})

const dateOf = (text: string): string => {
  const value = date(text)
  return value instanceof Wrong ? "no date" : value.toISOString()
}

test("dates are UTC unless they name an offset", () => {
  const cases = [
    ["2025-01-31", "2025-01-31T00:00:00.000Z"],
    [" 2025-01-31 ", "2025-01-31T00:00:00.000Z"],
    ["2025-01-31T08:30", "2025-01-31T08:30:00.000Z"],
    ["2025-01-31 08:30:01.5", "2025-01-31T08:30:01.500Z"],
    ["2025-01-31T08:30:00Z", "2025-01-31T08:30:00.000Z"],
    ["2025-01-31T08:30:00.123456+02:00", "2025-01-31T06:30:00.123Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ]
  assert.deepEqual(
    cases.map(([text = ""]) => [text, dateOf(text)]),
    cases,
  )
})

test("refuses what is no date", () => {
  const texts = [
    "",
    "yesterday",
    "2025-02-30",
    "2025-13-01",
    "2025-01-31T25:00",
    "31.01.2025",
    "2025",
    "2025-01-31Z",
    "1738281600",
  ]
  assert.deepEqual(
    texts.map(dateOf),
    texts.map(() => "no date"),
  )
})
