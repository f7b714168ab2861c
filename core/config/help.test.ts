import assert from "node:assert/strict"
import { test } from "node:test"
import { readSettings } from "./read-settings.ts"
import { duration, inGroup, on, setting, settings, text, trimmed } from "./settings.ts"

const all = {
  debug: setting(on, { flag: "-d, --debug", help: "Log everything", group: "Log", shorthand: true }, "false"),
  cloud: setting(trimmed, { flag: "--cloud <file>", help: "Read an invented cloud", group: "Fake cloud" }),
  interval: setting(
    duration(1),
    { flag: "--update-interval <seconds>", help: "Update", env: ["OLD_INTERVAL", "INTERVAL"] },
    "30s",
  ),
  ...inGroup("Who may read", {
    allow: settings(text, { flag: "--allow <selector>", help: "Let the portal read this selector; may be repeated" }, [
      '{job="project_usages",__name__=~"project_.*_usage"}',
    ]),
    token: setting(text, {
      env: ["TOKEN"],
      help: "Accept this token of the portal, which no other user of the machine can see, in place of a file",
    }),
  }),
  logLevel: setting(trimmed, { flag: "--log.level <level>", help: "Log from here", group: "Log", env: [] }, "info"),
}

test("the help has the groups in their order, shorthands last, secrets apart, and at most 80 columns", () => {
  const usage = {
    command: "fedstack test",
    summary: "Tests help",
    settings: all,
    argument: { notation: "<file>", help: "what to read" },
    example: `fedstack test policy.yaml --update-interval 10m --log.level debug --match '{job="project usages"}' --cloud a b`,
    docs: "test.md#help",
  }
  const reading = readSettings(usage, ["--help"], { TOKEN: "SECRET" })
  assert.equal(reading.kind, "help")
  assert.equal(
    reading.text,
    `Usage: fedstack test [options] <file>

Tests help

Arguments:
  file
      what to read

Options:
  --update-interval <seconds>
      Update (default: 30s, env: OLD_INTERVAL or INTERVAL)

Who may read:
  --allow <selector>
      Let the portal read this selector; may be repeated (default:
      {job="project_usages",__name__=~"project_.*_usage"}, env: FEDSTACK_ALLOW)

Log:
  --log.level <level>
      Log from here (default: info)
  -d, --debug
      Log everything (default: false, env: FEDSTACK_DEBUG)

Fake cloud:
  --cloud <file>
      Read an invented cloud (env: FEDSTACK_CLOUD)

Help:
  -h, --help
      Show this help

Environment only (secrets):
  TOKEN
      Accept this token of the portal, which no other user of the machine can
      see, in place of a file

Example:
  fedstack test policy.yaml --update-interval 10m --log.level debug \\
    --match '{job="project usages"}' --cloud a b

Documentation: docs/test.md#help
`,
  )
})
